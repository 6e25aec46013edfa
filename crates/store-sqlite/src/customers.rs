use async_trait::async_trait;
use rekey_core::{
    customers::{CustomerChange, EmailTries, NewCustomer, store::CustomerStore},
    email::EmailAddress,
    error::{CreateError, StoreError},
    events::{audit::AuditEntry, outbox::NewEvent},
    ids::CustomerId,
    locale::Locale,
    passwords::PasswordHash,
    resources::{CUSTOMERS, catalog::Catalog},
    scope::Scope,
};
use sqlx::{SqliteConnection, types::Json};
use time::Duration;

use crate::{
    SqliteStore, after,
    attributes::bind_common,
    error::{map_create_error, map_db_error},
    events::{Subject, record_change},
    resets::supersede_customer,
};

#[async_trait]
impl CustomerStore for SqliteStore {
    async fn create_customer(
        &self,
        scope: Scope,
        customer: &NewCustomer,
        event: &NewEvent,
        audit: &AuditEntry,
    ) -> Result<(), CreateError> {
        let (attributes, common) = (&customer.attributes, &customer.attributes.common);
        let (mut transaction, now) = self.write().await?;
        sqlx::query(INSERT)
            .bind(customer.id.as_str())
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .bind(customer.email.as_str())
            .bind(now)
            .bind(attributes.locale.value().map(Locale::as_str))
            .bind(common.reference.value())
            .bind(common.reference_origin.value())
            .bind(common.metadata.as_ref().map(Json))
            .execute(&mut *transaction)
            .await
            .map_err(map_create_error)?;
        if let Some(password) = &customer.password {
            set_password(&mut transaction, customer.id, password, now).await?;
        }
        record_change(&mut transaction, subject(scope, &customer.id), Some(event), audit, now).await?;
        Ok(transaction.commit().await.map_err(map_db_error)?)
    }

    async fn update_customer(
        &self,
        scope: Scope,
        id: CustomerId,
        change: &CustomerChange,
        event: Option<&NewEvent>,
        audit: &AuditEntry,
    ) -> Result<bool, CreateError> {
        if change.is_empty() {
            return Ok(self.find(scope, &CUSTOMERS, id.into()).await?.is_some());
        }
        let attributes = &change.attributes;
        let (mut transaction, now) = self.write().await?;
        let query = sqlx::query(UPDATE)
            .bind(id.as_str())
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .bind(now)
            .bind(change.email.as_ref().map(EmailAddress::as_str))
            .bind(attributes.locale.is_keep())
            .bind(attributes.locale.value().map(Locale::as_str));
        let query = bind_common(query, &attributes.common);
        if query.execute(&mut *transaction).await.map_err(map_create_error)?.rows_affected() == 0 {
            return Ok(false);
        }
        if let Some(password) = &change.password {
            set_password(&mut transaction, id, password, now).await?;
        }
        if change.email.is_some() || change.password.is_some() {
            supersede_customer(&mut transaction, id, now).await.map_err(map_db_error)?;
        }
        record_change(&mut transaction, subject(scope, &id), event, audit, now).await?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(true)
    }

    async fn count_email_try(
        &self,
        scope: Scope,
        id: CustomerId,
        limit: EmailTries,
    ) -> Result<Option<Duration>, StoreError> {
        let now = self.present();
        let window_started_at: Option<i64> = sqlx::query_scalar(COUNT_EMAIL_TRY)
            .bind(id.as_str())
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .bind(now)
            .bind(after(now, -limit.window))
            .bind(limit.budget)
            .fetch_optional(&self.writer)
            .await
            .map_err(map_db_error)?
            .flatten();
        Ok(window_started_at.map(|start| Duration::microseconds(after(start, limit.window) - now)))
    }

    async fn delete_customer(
        &self,
        scope: Scope,
        id: CustomerId,
        event: &NewEvent,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let (mut transaction, now) = self.write().await?;
        // The password and the sessions go with their customer by their foreign keys.
        let email: Option<String> = sqlx::query_scalar(
            "DELETE FROM customers WHERE id = ?1 AND organization_id = ?2 AND mode = ?3 RETURNING email",
        )
        .bind(id.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(map_db_error)?;
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
        .map_err(map_db_error)?;
        sqlx::query("DELETE FROM password_resets WHERE customer_id = ?1")
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(map_db_error)?;
        record_change(&mut transaction, subject(scope, &id), Some(event), audit, now).await?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(true)
    }
}

const INSERT: &str = "
    INSERT INTO customers (id, organization_id, mode, email, created_at, updated_at, locale, reference, reference_origin,
        metadata)
    VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, COALESCE(?9, '{}'))";

const UPDATE: &str = "
    UPDATE customers SET updated_at = ?4, email = COALESCE(?5, email),
        locale = CASE WHEN ?6 THEN locale ELSE ?7 END,
        reference = CASE WHEN ?8 THEN reference ELSE ?9 END,
        reference_origin = CASE WHEN ?10 THEN reference_origin ELSE ?11 END,
        metadata = COALESCE(?12, metadata)
    WHERE id = ?1 AND organization_id = ?2 AND mode = ?3";

/// Returns the window's start, or null while it has a try left.
const COUNT_EMAIL_TRY: &str = "
    INSERT INTO email_change_tries AS t (customer_id, window_started_at, try_count)
    SELECT id, ?4, 1 FROM customers WHERE id = ?1 AND organization_id = ?2 AND mode = ?3
    ON CONFLICT (customer_id) DO UPDATE SET
        window_started_at = CASE WHEN t.window_started_at <= ?5 THEN ?4 ELSE t.window_started_at END,
        try_count = CASE WHEN t.window_started_at <= ?5 THEN 1 ELSE min(t.try_count, ?6) + 1 END
    RETURNING CASE WHEN try_count > ?6 THEN window_started_at END";

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
    .map_err(map_db_error)?;
    Ok(())
}

fn subject(scope: Scope, id: &CustomerId) -> Subject<'_> {
    Subject { scope, resource: &CUSTOMERS, resource_id: id.as_str() }
}
