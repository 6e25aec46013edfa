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
use rekey_sql::{Dialect, Statement, assign_changes, plain_columns, plain_values, push_whose};
use sqlx::SqliteConnection;

use crate::{
    SqliteStore,
    catalog::find_in,
    error::{create_fault, fault},
    journal::{Subject, record},
    rows::{self, Read},
    statement::execute,
    tokens::supersede_customer,
};

pub(crate) async fn create_customer(
    store: &SqliteStore,
    scope: Scope,
    new: &NewCustomer,
    event: &OutboxMessage,
    audit: &AuditEntry,
) -> Result<Record, CreateError> {
    let (mut transaction, now) = store.write().await?;
    insert(&mut transaction, scope, new, now).await.map_err(create_fault)?;
    if let Some(password) = &new.password {
        set_password(&mut transaction, new.id, password, now).await?;
    }
    record(&mut transaction, subject(scope, &new.id), Some(event), audit, now).await?;
    let created = find_in(&mut *transaction, now, scope, &CUSTOMERS, new.id.into()).await.map_err(fault)?;
    transaction.commit().await.map_err(fault)?;
    Ok(created.ok_or_else(|| fault(sqlx::Error::RowNotFound))?)
}

pub(crate) async fn update_customer(
    store: &SqliteStore,
    scope: Scope,
    id: CustomerId,
    change: &CustomerChange,
    event: Option<&OutboxMessage>,
    audit: &AuditEntry,
) -> Result<Option<Record>, CreateError> {
    if change.is_empty() {
        return Ok(store.find(scope, &CUSTOMERS, id.into()).await?);
    }
    let (mut transaction, now) = store.write().await?;
    if !write_change(&mut transaction, scope, id, change, now).await.map_err(create_fault)? {
        return Ok(None);
    }
    if let Some(password) = &change.password {
        set_password(&mut transaction, id, password, now).await?;
    }
    if change.email.is_some() || change.password.is_some() {
        supersede_customer(&mut transaction, id, now).await.map_err(fault)?;
    }
    record(&mut transaction, subject(scope, &id), event, audit, now).await?;
    let changed = find_in(&mut *transaction, now, scope, &CUSTOMERS, id.into()).await.map_err(fault)?;
    transaction.commit().await.map_err(fault)?;
    Ok(changed)
}

pub(crate) async fn delete_customer(
    store: &SqliteStore,
    scope: Scope,
    id: CustomerId,
    event: &OutboxMessage,
    audit: &AuditEntry,
) -> Result<bool, StoreError> {
    let (mut transaction, now) = store.write().await?;
    // The password and the sessions go with their customer by their foreign keys.
    let email: Option<String> = sqlx::query_scalar(
        "DELETE FROM customers WHERE id = ?1 AND organization_id = ?2 AND mode = ?3 RETURNING email",
    )
    .bind(id.as_str())
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .fetch_optional(&mut *transaction)
    .await
    .map_err(fault)?;
    let Some(email) = email else { return Ok(false) };
    // Of all the addresses that it had.
    sqlx::query(
        "DELETE FROM suppressions WHERE organization_id = ?1 AND mode = ?2
             AND (email = ?3 OR event_id IN (SELECT event_id FROM deliveries WHERE customer_id = ?4))",
    )
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(email)
    .bind(id.as_str())
    .execute(&mut *transaction)
    .await
    .map_err(fault)?;
    sqlx::query("DELETE FROM password_resets WHERE customer_id = ?1")
        .bind(id.as_str())
        .execute(&mut *transaction)
        .await
        .map_err(fault)?;
    record(&mut transaction, subject(scope, &id), Some(event), audit, now).await?;
    transaction.commit().await.map_err(fault)?;
    Ok(true)
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

fn subject(scope: Scope, id: &CustomerId) -> Subject<'_> {
    Subject { scope, resource: &CUSTOMERS, resource_id: id.as_str() }
}

async fn insert(connection: &mut SqliteConnection, scope: Scope, new: &NewCustomer, now: i64) -> Read<()> {
    let mut statement = Statement::new(Dialect::Sqlite { now });
    statement.push("INSERT INTO customers (id, organization_id, mode, email, created_at, updated_at");
    plain_columns(&mut statement, &CUSTOMERS);
    statement
        .push(") SELECT ")
        .bind_text(new.id.as_str())
        .push(", ")
        .bind_text(scope.organization.as_str())
        .push(", ")
        .bind_text(scope.mode.as_str())
        .push(", ")
        .bind_text(new.email.as_str())
        .push(", ")
        .push_now()
        .push(", ")
        .push_now();
    plain_values(&mut statement, &CUSTOMERS, &new.attributes);
    execute(connection, statement).await.map(drop)
}

/// Writes all but the password; false when there is no such customer.
async fn write_change(
    connection: &mut SqliteConnection,
    scope: Scope,
    id: CustomerId,
    change: &CustomerChange,
    now: i64,
) -> Read<bool> {
    let mut statement = Statement::new(Dialect::Sqlite { now });
    statement.push("UPDATE customers SET updated_at = ").push_now();
    if let Some(email) = &change.email {
        statement.push(", email = ").bind_text(email.as_str());
    }
    assign_changes(&mut statement, &CUSTOMERS, &change.attributes);
    push_whose(&mut statement, scope, id.as_str());
    Ok(execute(connection, statement).await? == 1)
}
