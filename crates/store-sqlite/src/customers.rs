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
use sqlx::{SqliteConnection, types::Json};

use crate::{
    SqliteStore,
    error::{create_fault, fault},
    journal::{Subject, record},
    rows,
};

pub(crate) async fn create_customer(
    store: &SqliteStore,
    scope: Scope,
    new: &NewCustomer,
    event: &OutboxMessage,
    audit: &AuditEntry,
) -> Result<Customer, CreateError> {
    let (mut transaction, now) = store.write().await?;
    insert(&mut transaction, scope, new, now).await?;
    if let Some(password) = &new.password {
        set_password(&mut transaction, new.id, password, now).await?;
    }
    let subject = Subject { scope, resource_type: "customers", resource_id: new.id.as_str() };
    record(&mut transaction, subject, Some(event), audit, now).await?;
    let created = find_in(&mut transaction, scope, new.id).await?;
    transaction.commit().await.map_err(fault)?;
    Ok(created.ok_or_else(|| fault(sqlx::Error::RowNotFound))?)
}

pub(crate) async fn find_customer(
    store: &SqliteStore,
    scope: Scope,
    id: CustomerId,
) -> Result<Option<Customer>, StoreError> {
    let mut reader = store.readers.acquire().await.map_err(fault)?;
    find_in(&mut reader, scope, id).await
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
    .fetch_optional(&store.readers)
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
    sqlx::query(
        "UPDATE customer_passwords SET hash = ?5, updated_at = ?6
         WHERE customer_id = ?3 AND hash = ?4
             AND EXISTS (SELECT 1 FROM customers c WHERE c.id = ?3 AND c.organization_id = ?1 AND c.mode = ?2)",
    )
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(customer.as_str())
    .bind(old.as_str())
    .bind(new.as_str())
    .bind(store.present())
    .execute(&store.writer)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Sets a customer's password; the next generation of it ends every session of the one before.
pub(crate) async fn set_password(
    connection: &mut SqliteConnection,
    customer: CustomerId,
    hash: &PasswordHash,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO customer_passwords (customer_id, hash, updated_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (customer_id) DO UPDATE SET hash = ?2, updated_at = ?3, generation = generation + 1",
    )
    .bind(customer.as_str())
    .bind(hash.as_str())
    .bind(now)
    .execute(connection)
    .await
    .map_err(fault)?;
    Ok(())
}

async fn insert(
    connection: &mut SqliteConnection,
    scope: Scope,
    new: &NewCustomer,
    now: i64,
) -> Result<(), CreateError> {
    sqlx::query(
        "INSERT INTO customers (id, organization_id, mode, email, reference, reference_origin, metadata, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
    )
    .bind(new.id.as_str())
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(new.email.as_str())
    .bind(&new.reference.reference)
    .bind(&new.reference.reference_origin)
    .bind(Json(&new.reference.metadata))
    .bind(now)
    .execute(connection)
    .await
    .map_err(create_fault)?;
    Ok(())
}

async fn find_in(
    connection: &mut SqliteConnection,
    scope: Scope,
    id: CustomerId,
) -> Result<Option<Customer>, StoreError> {
    let row = sqlx::query(
        "SELECT c.*, p.customer_id IS NOT NULL AS has_password
         FROM customers c LEFT JOIN customer_passwords p ON p.customer_id = c.id
         WHERE c.organization_id = ?1 AND c.mode = ?2 AND c.id = ?3",
    )
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(id.as_str())
    .fetch_optional(connection)
    .await
    .map_err(fault)?;
    row.as_ref().map(rows::customer).transpose().map_err(fault)
}
