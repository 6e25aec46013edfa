use rekey_core::{
    customers::{Credentials, CustomerChange, NewCustomer},
    email::EmailAddress,
    error::{CreateError, StoreError},
    events::{audit::AuditEntry, outbox::OutboxMessage},
    ids::CustomerId,
    passwords::PasswordHash,
    resources::{CUSTOMERS, catalog::Catalog, record::Record},
    scope::Scope,
};
use rekey_sql::{Bind, Statement, assign_changes, columns, plain_columns, plain_values, push_whose};
use sqlx::PgPool;

use crate::{
    PostgresStore,
    error::{create_fault, fault},
    journal::push_journal,
    rows,
    statement::{fetch_one, fetch_optional, statement},
};

pub(crate) async fn create_customer(
    pool: &PgPool,
    scope: Scope,
    new: &NewCustomer,
    event: &OutboxMessage,
    audit: &AuditEntry,
) -> Result<Record, CreateError> {
    let mut statement = statement();
    statement.push("WITH fact AS (INSERT INTO customers (id, organization_id, mode, email");
    plain_columns(&mut statement, &CUSTOMERS);
    statement
        .push(") SELECT ")
        .bind_text(new.id.as_str())
        .push(", ")
        .bind_text(scope.organization.as_str())
        .push(", ")
        .bind_text(scope.mode.as_str())
        .push(", ")
        .bind_text(new.email.as_str());
    plain_values(&mut statement, &CUSTOMERS, &new.attributes);
    statement.push(" RETURNING *)");
    push_password(&mut statement, new.password.as_ref());
    push_journal(&mut statement, &CUSTOMERS, Some(event), audit);
    push_shown(&mut statement, new.password.is_some());
    let row = fetch_one(pool, statement).await.map_err(create_fault)?;
    Ok(rows::record(&row, &CUSTOMERS).map_err(fault)?)
}

pub(crate) async fn update_customer(
    store: &PostgresStore,
    scope: Scope,
    id: CustomerId,
    change: &CustomerChange,
    event: Option<&OutboxMessage>,
    audit: &AuditEntry,
) -> Result<Option<Record>, CreateError> {
    if change.is_empty() {
        return Ok(store.find(scope, &CUSTOMERS, id.into()).await?);
    }
    let mut statement = statement();
    statement.push("WITH fact AS (UPDATE customers SET updated_at = now()");
    if let Some(email) = &change.email {
        statement.push(", email = ").bind_text(email.as_str());
    }
    assign_changes(&mut statement, &CUSTOMERS, &change.attributes);
    push_whose(&mut statement, scope, id.as_str());
    statement.push(" RETURNING *)");
    push_password(&mut statement, change.password.as_ref());
    if change.email.is_some() || change.password.is_some() {
        statement.push(
            ", superseded AS (
                UPDATE password_resets r SET superseded_at = now(), updated_at = now() FROM fact
                WHERE r.customer_id = fact.id AND r.reset_password_at IS NULL AND r.superseded_at IS NULL
            )",
        );
    }
    push_journal(&mut statement, &CUSTOMERS, event, audit);
    push_shown(&mut statement, change.password.is_some());
    let row = fetch_optional(&store.pool, statement).await.map_err(create_fault)?;
    Ok(row.map(|row| rows::record(&row, &CUSTOMERS)).transpose().map_err(fault)?)
}

pub(crate) async fn delete_customer(
    pool: &PgPool,
    scope: Scope,
    id: CustomerId,
    event: &OutboxMessage,
    audit: &AuditEntry,
) -> Result<bool, StoreError> {
    // The password and the sessions go with their customer by their foreign keys.
    let mut statement = statement();
    statement.push("WITH fact AS (DELETE FROM customers");
    push_whose(&mut statement, scope, id.as_str());
    statement.push(
        " RETURNING id, organization_id, mode, email), resets AS (
            DELETE FROM password_resets r USING fact WHERE r.customer_id = fact.id
        ), suppression AS (
            DELETE FROM suppressions s USING fact
            WHERE s.organization_id = fact.organization_id AND s.mode = fact.mode AND (s.email = fact.email
                -- An address that it had before.
                OR s.event_id = ANY (ARRAY(
                    SELECT d.event_id FROM deliveries d WHERE d.customer_id = (SELECT id FROM fact)
                )))
        )",
    );
    push_journal(&mut statement, &CUSTOMERS, Some(event), audit);
    statement.push(" SELECT id FROM fact");
    Ok(fetch_optional(pool, statement).await.map_err(fault)?.is_some())
}

/// Appends that the customer of `fact` has this password from now on, if there is one; its next generation ends every
/// session of the one before.
fn push_password(statement: &mut Statement, password: Option<&PasswordHash>) {
    let Some(password) = password else { return };
    statement
        .push(", password AS (INSERT INTO customer_passwords (customer_id, hash) SELECT id, ")
        .bind(Bind::Text(Some(password.as_str().to_owned())))
        .push(
            " FROM fact ON CONFLICT (customer_id) DO UPDATE
                SET hash = excluded.hash, generation = customer_passwords.generation + 1, updated_at = now())",
        );
}

/// Appends the record that `fact` has written, as it is shown.
fn push_shown(statement: &mut Statement, sets_password: bool) {
    statement.push(" SELECT ");
    columns(statement, &CUSTOMERS, "x");
    // What the statement itself writes to the other table it does not see.
    statement.push(&format!(
        " FROM (SELECT fact.*, {sets_password} OR EXISTS (
            SELECT FROM customer_passwords p WHERE p.customer_id = fact.id
        ) AS has_password FROM fact) x"
    ));
}

/// What the unique index `customers_address` is searched for; see migration 0012.
pub(crate) fn customer_address(scope: Scope, email: &EmailAddress) -> String {
    format!("{}/{}/{email}", scope.organization, scope.mode.as_str())
}

pub(crate) async fn find_credentials(
    pool: &PgPool,
    scope: Scope,
    email: &EmailAddress,
) -> Result<Option<Credentials>, StoreError> {
    let row = sqlx::query(
        "SELECT c.id, p.hash FROM customers c LEFT JOIN customer_passwords p ON p.customer_id = c.id
         WHERE (c.organization_id || '/' || c.mode || '/' || c.email) COLLATE \"C\" = $1",
    )
    .bind(customer_address(scope, email))
    .fetch_optional(pool)
    .await
    .map_err(fault)?;
    row.as_ref().map(rows::credentials).transpose().map_err(fault)
}

pub(crate) async fn rehash_password(
    pool: &PgPool,
    scope: Scope,
    customer: CustomerId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> Result<(), StoreError> {
    // The generation stays: it is the same password, and the sessions that it opened live on.
    sqlx::query(
        "UPDATE customer_passwords p SET hash = $5, updated_at = now() FROM customers c
         WHERE c.id = p.customer_id AND c.id = $1 AND (c.organization_id, c.mode) IS NOT DISTINCT FROM ($2, $3) AND p.hash = $4",
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
