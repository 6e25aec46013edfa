use async_trait::async_trait;
use rekey_core::{
    customers::email_change::{EmailChange, EmailChangeStore, EmailTries, EmailUndo, RecordedEmailChange},
    email::EmailAddress,
    error::{CreateError, StoreError},
    events::audit::AuditEntry,
    ids::{CustomerId, EmailChangeId},
    scope::Scope,
    secrets::UndoTokenDigest,
};
use rekey_sql::rows::{self, Read};
use sqlx::SqliteConnection;
use time::Duration;

use crate::{
    SqliteStore, after,
    customers::subject,
    error::{map_create_error, map_db_error},
    events::record_change,
    resets::{self, supersede_customer},
};

/// A change `e` that can still be undone, as of ?1.
macro_rules! pending {
    () => {
        "e.undone_at IS NULL AND e.cancelled_at IS NULL AND e.expires_at > ?1"
    };
}

#[async_trait]
impl EmailChangeStore for SqliteStore {
    async fn count_email_try(
        &self,
        scope: Scope,
        id: CustomerId,
        limit: EmailTries,
        audit: &AuditEntry,
    ) -> Result<Option<Duration>, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let counted: Option<(i64, i64)> = sqlx::query_as(COUNT_EMAIL_TRY)
            .bind(id.as_str())
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .bind(now)
            .bind(after(now, -limit.window))
            .fetch_optional(&mut *transaction)
            .await
            .map_err(map_db_error)?;
        let Some((window_started_at, count)) = counted else { return Ok(None) };
        let excess = count - i64::from(limit.budget);
        if excess == 1 {
            record_change(&mut transaction, subject(scope, &id), None, audit, now).await?;
        }
        transaction.commit().await.map_err(map_db_error)?;
        let wait = Duration::microseconds(after(window_started_at, limit.window) - now);
        Ok((excess > 0).then_some(wait))
    }

    async fn find_email_change(
        &self,
        id: EmailChangeId,
        token: &UndoTokenDigest,
    ) -> Result<Option<RecordedEmailChange>, StoreError> {
        let row = sqlx::query(FIND)
            .bind(self.present())
            .bind(id.as_str())
            .bind(token.as_bytes().as_slice())
            .fetch_optional(&self.readers)
            .await
            .map_err(map_db_error)?;
        row.as_ref().map(rows::email_change).transpose().map_err(map_db_error)
    }

    async fn undo_email_change(&self, undo: &EmailUndo<'_>) -> Result<bool, StoreError> {
        let EmailUndo { change, event, audit, reset: created, .. } = undo;
        let (scope, customer) = (change.scope, change.customer);
        let (mut transaction, now) = self.write().await?;
        if !restore(&mut transaction, undo, now).await.map_err(map_db_error)? {
            return Ok(false);
        }
        end_password(&mut transaction, customer, now).await.map_err(map_db_error)?;
        supersede_customer(&mut transaction, customer, now).await.map_err(map_db_error)?;
        record_change(&mut transaction, subject(scope, &customer), Some(event), audit, now).await?;
        resets::insert(&mut transaction, scope, created.reset, now, None).await.map_err(map_db_error)?;
        let reset = resets::subject(scope, &created.reset.id);
        record_change(&mut transaction, reset, Some(created.event), created.audit, now).await?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(true)
    }
}

/// Returns the window's start, and its tries with this one.
const COUNT_EMAIL_TRY: &str = "
    INSERT INTO email_change_tries AS t (customer_id, window_started_at, try_count)
    SELECT id, ?4, 1 FROM customers WHERE id = ?1 AND organization_id = ?2 AND mode = ?3
    ON CONFLICT (customer_id) DO UPDATE SET
        window_started_at = CASE WHEN t.window_started_at <= ?5 THEN ?4 ELSE t.window_started_at END,
        try_count = CASE WHEN t.window_started_at <= ?5 THEN 1 ELSE min(t.try_count, 1000000) + 1 END
    RETURNING window_started_at, try_count";

const FIND: &str = concat!(
    "SELECT e.id, e.organization_id, e.mode, e.customer_id, e.email AS old_email, c.email, o.slug AS organization_slug,
         o.name AS organization_name, o.created_at AS organization_created_at,
         CASE WHEN e.undone_at IS NOT NULL THEN 'undone' WHEN ",
    pending!(),
    " THEN 'pending' ELSE 'dead' END AS state
     FROM email_changes e JOIN customers c ON c.id = e.customer_id JOIN organizations o ON o.id = e.organization_id
     WHERE e.id = ?2 AND e.token_digest = ?3"
);

/// Refuses the address if another customer had it and can have it back.
pub(crate) async fn refuse_reserved(
    connection: &mut SqliteConnection,
    scope: Scope,
    customer: CustomerId,
    email: &EmailAddress,
    now: i64,
) -> Result<(), CreateError> {
    let is_reserved: bool = sqlx::query_scalar(concat!(
        "SELECT EXISTS (SELECT 1 FROM email_changes e
             WHERE e.organization_id = ?2 AND e.mode = ?3 AND e.email = ?4 AND e.customer_id <> ?5 AND ",
        pending!(),
        ")"
    ))
    .bind(now)
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(email.as_str())
    .bind(customer.as_str())
    .fetch_one(connection)
    .await
    .map_err(map_create_error)?;
    if is_reserved { Err(CreateError::Taken) } else { Ok(()) }
}

/// Writes a change that can be undone from now on.
pub(crate) async fn record_email_change(
    connection: &mut SqliteConnection,
    scope: Scope,
    customer: CustomerId,
    change: &EmailChange,
    now: i64,
) -> Read<()> {
    sqlx::query(
        "INSERT INTO email_changes (id, organization_id, mode, customer_id, email, token_digest, expires_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(change.id.as_str())
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(customer.as_str())
    .bind(change.old.as_str())
    .bind(change.undo_token.as_bytes().as_slice())
    .bind(after(now, change.undo_ttl))
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Uses the token, ends those of later changes, and restores the address; false when the token can't be used any more.
async fn restore(connection: &mut SqliteConnection, undo: &EmailUndo<'_>, now: i64) -> Read<bool> {
    let EmailUndo { change, token, .. } = undo;
    let used = sqlx::query(concat!(
        "UPDATE email_changes AS e SET undone_at = ?1
         WHERE e.id = ?2 AND e.token_digest = ?3 AND e.customer_id = ?4
             AND EXISTS (SELECT 1 FROM customers c WHERE c.id = ?4 AND c.email = ?5) AND ",
        pending!()
    ))
    .bind(now)
    .bind(change.id.as_str())
    .bind(token.as_bytes().as_slice())
    .bind(change.customer.as_str())
    .bind(change.current.as_str())
    .execute(&mut *connection)
    .await?;
    if used.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "UPDATE email_changes SET cancelled_at = ?1
         WHERE customer_id = ?2 AND id <> ?3 AND undone_at IS NULL AND cancelled_at IS NULL
             AND created_at >= (SELECT created_at FROM email_changes WHERE id = ?3)",
    )
    .bind(now)
    .bind(change.customer.as_str())
    .bind(change.id.as_str())
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE customers SET email = ?2, updated_at = ?3, email_confirmed_at = ?3 WHERE id = ?1")
        .bind(change.customer.as_str())
        .bind(change.old.as_str())
        .bind(now)
        .execute(connection)
        .await?;
    Ok(true)
}

/// Ends the customer's password; its next generation ends every session of the one before. No hash is left, so no scheme: see
/// `next_scheme` and the imports.
async fn end_password(connection: &mut SqliteConnection, customer: CustomerId, now: i64) -> Read<()> {
    sqlx::query(
        "UPDATE customer_passwords SET hash = NULL, scheme = NULL, generation = generation + 1, updated_at = ?2
         WHERE customer_id = ?1",
    )
    .bind(customer.as_str())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
