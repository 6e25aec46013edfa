use rekey_core::{
    access::Scope,
    audit::AuditEntry,
    customer::{Credentials, Customer, NewCustomer},
    email::EmailAddress,
    ids::CustomerId,
    outbox::OutboxMessage,
    password::PasswordHash,
    store::{CreateError, StoreError},
};
use sqlx::{PgPool, types::Json};

use crate::{
    error::{create_fault, fault},
    journal::{bind_audit, bind_event, journalled},
    rows,
};

pub(crate) async fn create_customer(
    store: &SqliteStore,
    scope: Scope,
    new: &NewCustomer,
    event: &OutboxMessage,
    audit: &AuditEntry,
) -> Result<Customer, CreateError> {
    let statement = sqlx::query(journalled!(audit and event of "customers":
        "fact AS (
            INSERT INTO customers (id, organization_id, mode, email, reference, reference_origin, metadata)
            VALUES (?12, ?13, ?14, ?15, ?16, ?17, ?18)
            RETURNING *
        ), password AS (
            INSERT INTO customer_passwords (customer_id, hash) SELECT id, ?19 FROM fact WHERE ?19 IS NOT NULL
        )";
        "SELECT id, email, ?19 IS NOT NULL AS has_password, reference, reference_origin, metadata, created_at, updated_at
        FROM fact"
    ));
    let row = bind_event(bind_audit(statement, audit), event)
        .bind(new.id.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(new.email.as_str())
        .bind(&new.reference.reference)
        .bind(&new.reference.reference_origin)
        .bind(Json(&new.reference.metadata))
        .bind(new.password.as_ref().map(PasswordHash::as_str))
        .fetch_one(pool)
        .await
        .map_err(create_fault)?;
    Ok(rows::customer(&row).map_err(fault)?)
}

pub(crate) async fn find_customer(
    store: &SqliteStore,
    scope: Scope,
    id: CustomerId,
) -> Result<Option<Customer>, StoreError> {
    let row = sqlx::query(
        "SELECT c.id, c.email, p.customer_id IS NOT NULL AS has_password, c.reference, c.reference_origin, c.metadata,
             c.created_at, c.updated_at
         FROM customers c LEFT JOIN customer_passwords p ON p.customer_id = c.id
         WHERE c.id = ?1 AND c.organization_id = ?2 AND c.mode = ?3",
    )
    .bind(id.as_str())
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .fetch_optional(pool)
    .await
    .map_err(fault)?;
    row.as_ref().map(rows::customer).transpose().map_err(fault)
}

pub(crate) async fn find_credentials(
    store: &SqliteStore,
    scope: Scope,
    email: &EmailAddress,
) -> Result<Option<Credentials>, StoreError> {
    let row = sqlx::query(
        "SELECT c.id, p.hash FROM customers c LEFT JOIN customer_passwords p ON p.customer_id = c.id
         WHERE c.organization_id = ?1 AND c.mode = ?2 AND c.email = ?3",
    )
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(email.as_str())
    .fetch_optional(pool)
    .await
    .map_err(fault)?;
    row.as_ref().map(rows::credentials).transpose().map_err(fault)
}

pub(crate) async fn rehash_password(
    store: &SqliteStore,
    scope: Scope,
    customer: CustomerId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> Result<(), StoreError> {
    // The generation stays: it is the same password, and the sessions that it opened live on.
    sqlx::query(
        "UPDATE customer_passwords p SET hash = ?5, updated_at = now() FROM customers c
         WHERE c.id = p.customer_id AND c.id = ?1 AND c.organization_id = ?2 AND c.mode = ?3 AND p.hash = ?4",
    )
    .bind(customer.as_str())
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(old.as_str())
    .bind(new.as_str())
    .execute(pool)
    .await
    .map_err(fault)?;
    Ok(())
}
