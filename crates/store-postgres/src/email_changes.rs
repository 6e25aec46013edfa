use async_trait::async_trait;
use rekey_core::{
    customers::email_change::{EmailChangeStore, EmailTries, EmailUndo, RecordedEmailChange},
    error::StoreError,
    events::audit::AuditEntry,
    ids::{CustomerId, EmailChangeId},
    scope::Scope,
    secrets::UndoTokenDigest,
};
use rekey_sql::rows;
use sqlx::Row;
use time::Duration;

use crate::{
    PostgresStore,
    error::map_db_error,
    events::{auditing, bind_event, record_audit, record_change, record_event, recording},
};

#[async_trait]
impl EmailChangeStore for PostgresStore {
    async fn count_email_try(
        &self,
        scope: Scope,
        id: CustomerId,
        limit: EmailTries,
        audit: &AuditEntry,
    ) -> Result<Option<Duration>, StoreError> {
        let row = auditing(COUNT_EMAIL_TRY, Some(scope), audit)
            .bind(id.as_str())
            .bind(limit.window.as_seconds_f64())
            .bind(i64::from(limit.budget))
            .fetch_optional(&self.pool)
            .await
            .map_err(map_db_error)?;
        let wait = row.map(|row| row.try_get("wait")).transpose().map_err(map_db_error)?;
        Ok(wait.map(Duration::seconds_f64))
    }

    async fn find_email_change(
        &self,
        id: EmailChangeId,
        token: &UndoTokenDigest,
    ) -> Result<Option<RecordedEmailChange>, StoreError> {
        let row = sqlx::query(FIND)
            .bind(id.as_str())
            .bind(token.as_bytes().as_slice())
            .fetch_optional(&self.pool)
            .await
            .map_err(map_db_error)?;
        row.as_ref().map(rows::email_change).transpose().map_err(map_db_error)
    }

    async fn undo_email_change(&self, undo: &EmailUndo<'_>) -> Result<bool, StoreError> {
        let EmailUndo { change, token, event, audit, reset: created } = undo;
        let (reset, code) = (created.reset, created.reset.code.as_ref());
        let query = recording(UNDO, change.scope, Some(event), audit)
            .bind(change.id.as_str())
            .bind(token.as_bytes().as_slice())
            .bind(change.customer.as_str())
            .bind(change.current.as_str());
        let row = bind_event(query, Some(created.event))
            .bind(created.audit.id.as_str())
            .bind(created.audit.action.as_str())
            .bind(&created.audit.attributes)
            .bind(reset.id.as_str())
            .bind(reset.origin.as_str())
            .bind(reset.account_digest.as_bytes().as_slice())
            .bind(reset.token_digest.as_bytes().as_slice())
            .bind(reset.sealed_token.as_bytes())
            .bind(reset.token_ttl.as_seconds_f64())
            .bind(code.map(|code| i64::from(code.rules.budget)))
            .bind(code.map(|code| code.rules.window.as_seconds_f64()))
            .bind(code.map(|code| code.digest.as_bytes().as_slice()))
            .fetch_optional(&self.pool)
            .await
            .map_err(map_db_error)?;
        Ok(row.is_some())
    }
}

/// Returns the time until the window's end when it has no try left. The first one too many leaves the audit entry.
const COUNT_EMAIL_TRY: &str = concat!(
    "WITH try AS (
        INSERT INTO email_change_tries AS t (customer_id, window_started_at, try_count)
        SELECT id, now(), 1 FROM customers
        WHERE id = $11 AND (organization_id, mode) IS NOT DISTINCT FROM ($1, $2)
        ON CONFLICT (customer_id) DO UPDATE SET
            window_started_at = CASE WHEN t.window_started_at <= now() - make_interval(secs => $12) THEN now()
                ELSE t.window_started_at END,
            try_count = CASE WHEN t.window_started_at <= now() - make_interval(secs => $12) THEN 1
                ELSE LEAST(t.try_count, 1000000) + 1 END
        RETURNING customer_id AS id, window_started_at, try_count
    )",
    record_audit!("audit", "customers", "id", "FROM try WHERE try_count = $13 + 1"),
    "SELECT EXTRACT(EPOCH FROM window_started_at + make_interval(secs => $12) - now())::float8 AS wait
    FROM try WHERE try_count > $13"
);

const FIND: &str = "
    SELECT e.id, e.organization_id, e.mode, e.customer_id, e.email AS old_email, c.email, o.slug AS organization_slug,
        o.name AS organization_name, o.created_at AS organization_created_at,
        CASE
            WHEN e.undone_at IS NOT NULL THEN 'undone'
            WHEN e.cancelled_at IS NOT NULL OR e.expires_at <= now() THEN 'dead'
            ELSE 'pending'
        END AS state
    FROM email_changes e JOIN customers c ON c.id = e.customer_id JOIN organizations o ON o.id = e.organization_id
    WHERE e.id = $1 AND e.token_digest = $2";

/// Restores the address. All changes of one customer's address queue at the customer's row. Whoever waited finds another address there,
/// or the change's row changed, and then writes nothing: so no change that this statement can't see is left with a token that works.
/// The password's next generation ends every session of the one before. No hash is left, so no scheme: see `next_scheme` and the imports.
const UNDO: &str = concat!(
    "WITH holder AS (
        SELECT id FROM customers
        WHERE id = $18 AND (organization_id, mode) IS NOT DISTINCT FROM ($1, $2) AND email = $19
        FOR NO KEY UPDATE
    ), change AS (
        UPDATE email_changes e SET undone_at = now() FROM holder
        WHERE e.id = $16 AND e.token_digest = $17 AND e.customer_id = holder.id
            AND COALESCE(e.undone_at, e.cancelled_at) IS NULL AND e.expires_at > now()
        RETURNING e.customer_id, e.email, e.created_at
    ), later AS (
        UPDATE email_changes e SET cancelled_at = now() FROM change
        WHERE e.customer_id = change.customer_id AND e.id <> $16 AND e.created_at >= change.created_at
            AND COALESCE(e.undone_at, e.cancelled_at) IS NULL
    ), fact AS (
        UPDATE customers c SET email = change.email, updated_at = now(), email_confirmed_at = now() FROM change WHERE c.id = change.customer_id
        RETURNING c.id
    ), password AS (
        UPDATE customer_passwords p SET hash = NULL, scheme = NULL, generation = p.generation + 1, updated_at = now() FROM fact
        WHERE p.customer_id = fact.id
    ), superseded AS (
        UPDATE password_resets r SET superseded_at = now(), updated_at = now() FROM fact
        WHERE r.customer_id = fact.id AND COALESCE(r.reset_password_at, r.superseded_at) IS NULL
    ), reset AS (
        INSERT INTO password_resets (customer_id, id, organization_id, mode, origin, account_digest, token_digest, sealed_token,
            expires_at, code_guess_budget, code_window_seconds, code_digest, metadata)
        SELECT id, $28, $1, $2, $29, $30, $31, $32, now() + make_interval(secs => $33), $34, $35,
            CASE WHEN NOT EXISTS (
                SELECT FROM guess_counters
                WHERE kind = 'code' AND account_digest = $30 AND network_digest = '' AND guess_count >= $34
                    AND window_started_at > now() - make_interval(secs => $35)
            ) THEN $36 END,
            '{}'
        FROM fact
        RETURNING id, customer_id
    )",
    record_change!("customers", "NULL", "id"),
    record_event!(
        "reset_event",
        "reset",
        "customer_password_resets",
        "id",
        "customer_id",
        "NULL, NULL, NULL",
        "$20",
        "$21",
        "$22",
        "$23",
        "$24"
    ),
    record_audit!("audit", "customer_password_resets", "customer_id", "FROM reset", "$25", "$26", "$27"),
    " SELECT id FROM fact"
);
