use async_trait::async_trait;
use rekey_core::{
    customers::{
        CustomerChange, NewCustomer,
        store::{ChangeEvents, CustomerStore},
    },
    error::{CreateError, StoreError},
    events::{audit::AuditEntry, outbox::NewEvent},
    ids::{ApplicationId, CustomerId},
    locale::Locale,
    passwords::{PasswordHash, SchemeName},
    resources::{CUSTOMERS, catalog::Catalog},
    scope::Scope,
};
use rekey_sql::rows::Read;
use sqlx::{SqliteConnection, types::Json};

use crate::{
    SqliteStore,
    attributes::bind_common,
    email_changes::{record_email_change, refuse_reserved},
    erasure::queue_erasure,
    error::{map_create_error, map_db_error},
    events::{Subject, record_change, set_notice_quota, write_event},
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
        refuse_reserved(&mut transaction, scope, customer.id, &customer.email, now).await?;
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
            set_password(&mut transaction, scope, customer.id, password, now).await?;
        }
        record_change(&mut transaction, subject(scope, &customer.id), Some(event), audit, now).await?;
        Ok(transaction.commit().await.map_err(map_db_error)?)
    }

    async fn update_customer(
        &self,
        scope: Scope,
        id: CustomerId,
        change: &CustomerChange,
        events: ChangeEvents<'_>,
        audit: &AuditEntry,
    ) -> Result<bool, CreateError> {
        if change.is_empty() {
            return Ok(self.find(scope, &CUSTOMERS, id.into()).await?.is_some());
        }
        let (attributes, email) = (&change.attributes, change.email.as_ref());
        let (mut transaction, now) = self.write().await?;
        if let Some(email) = email {
            refuse_reserved(&mut transaction, scope, id, &email.new, now).await?;
        }
        let is_confirmed = is_confirmed(&mut transaction, id).await.map_err(map_db_error)?;
        let query = sqlx::query(UPDATE)
            .bind(id.as_str())
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .bind(now)
            .bind(email.map(|email| email.new.as_str()))
            .bind(attributes.locale.is_keep())
            .bind(attributes.locale.value().map(Locale::as_str));
        let query = bind_common(query, &attributes.common)
            .bind(email.map(|email| email.old.as_str()))
            .bind(change.anonymization.map(|asked| asked.status().as_str()))
            .bind(audit.actor.application().map(ApplicationId::as_str));
        if query.execute(&mut *transaction).await.map_err(map_create_error)?.rows_affected() == 0 {
            return Ok(false);
        }
        if let Some(email) = email {
            record_email_change(&mut transaction, scope, id, email, now).await.map_err(map_db_error)?;
        }
        if let Some(password) = &change.password {
            set_password(&mut transaction, scope, id, password, now).await?;
        }
        if change.email.is_some() || change.password.is_some() {
            supersede_customer(&mut transaction, id, now).await.map_err(map_db_error)?;
        }
        record_change(&mut transaction, subject(scope, &id), events.password, audit, now).await?;
        for event in [events.email, events.anonymization].into_iter().flatten() {
            write_event(&mut transaction, subject(scope, &id), event, now).await?;
        }
        if let Some(account) = events.account {
            for event in [events.password, events.email].into_iter().flatten() {
                let id = event.message.id;
                set_notice_quota(&mut transaction, id, account.as_bytes(), is_confirmed)
                    .await
                    .map_err(map_db_error)?;
            }
        }
        transaction.commit().await.map_err(map_db_error)?;
        Ok(true)
    }

    async fn delete_customer(
        &self,
        scope: Scope,
        id: CustomerId,
        event: &NewEvent,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let (mut transaction, now) = self.write().await?;
        if !is_customer(&mut transaction, scope, id).await.map_err(map_db_error)? {
            return Ok(false);
        }
        queue_erasure(&mut transaction, &[id.to_string()], now).await.map_err(map_db_error)?;
        // The password and the sessions go with their customer by their foreign keys.
        sqlx::query("DELETE FROM customers WHERE id = ?1")
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
        metadata = COALESCE(?12, metadata),
        email_confirmed_at = CASE WHEN ?13 IS NULL THEN email_confirmed_at END,
        anonymization_status = COALESCE(?14, anonymization_status),
        anonymization_requested_at = CASE WHEN ?14 = 'requested' AND anonymization_status IS NOT 'requested' THEN ?4
            ELSE anonymization_requested_at END,
        anonymization_requester_id = CASE WHEN ?14 = 'requested' AND anonymization_status IS NOT 'requested' THEN ?15
            ELSE anonymization_requester_id END,
        anonymization_cancelled_at = CASE WHEN ?14 = 'cancelled' THEN ?4 WHEN ?14 IS NULL THEN anonymization_cancelled_at END,
        anonymization_canceller_id = CASE WHEN ?14 = 'cancelled' THEN ?15 WHEN ?14 IS NULL THEN anonymization_canceller_id END
    WHERE id = ?1 AND organization_id = ?2 AND mode = ?3 AND (?13 IS NULL OR email = ?13)
        AND CASE ?14 WHEN 'requested' THEN anonymization_status IS NOT 'completed'
            WHEN 'cancelled' THEN anonymization_status = 'requested' ELSE true END";

/// Sets a customer's password; the next generation of it ends every session of the one before.
pub(crate) async fn set_password(
    connection: &mut SqliteConnection,
    scope: Scope,
    customer: CustomerId,
    hash: &PasswordHash,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO customer_passwords (customer_id, hash, updated_at, scheme) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (customer_id) DO UPDATE SET hash = ?2, updated_at = ?3, scheme = ?4, generation = generation + 1",
    )
    .bind(customer.as_str())
    .bind(hash.as_str())
    .bind(now)
    .bind(SchemeName::own(hash).key(scope.organization))
    .execute(connection)
    .await
    .map_err(map_db_error)?;
    Ok(())
}

/// Whether there is such a customer in that scope.
async fn is_customer(connection: &mut SqliteConnection, scope: Scope, id: CustomerId) -> Read<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM customers WHERE id = ?1 AND organization_id = ?2 AND mode = ?3)",
    )
    .bind(id.as_str())
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .fetch_one(connection)
    .await
}

/// Whether the owner of the customer's address has used a link that was mailed to it.
async fn is_confirmed(connection: &mut SqliteConnection, id: CustomerId) -> Read<bool> {
    let confirmed = sqlx::query_scalar("SELECT email_confirmed_at IS NOT NULL FROM customers WHERE id = ?1")
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(confirmed.unwrap_or_default())
}

pub(crate) fn subject(scope: Scope, id: &CustomerId) -> Subject<'_> {
    Subject { scope, resource: &CUSTOMERS, resource_id: id.as_str() }
}
