use async_trait::async_trait;
use rekey_core::{
    cleanup::{Cleanup, PurgeKind},
    error::StoreError,
    ids::AuditId,
};
use rekey_sql::Purgeable;
use sqlx::AssertSqlSafe;
use time::Duration;

use crate::{PostgresStore, audit_chain, erasure, error::map_db_error, sign_ins};

#[async_trait]
impl Cleanup for PostgresStore {
    async fn is_permitted(&self) -> Result<bool, StoreError> {
        let query = sqlx::query_scalar("SELECT has_table_privilege('audit_entries', 'DELETE')");
        query.fetch_one(&self.pool).await.map_err(map_db_error)
    }

    async fn forget_decoys(&self, age: Duration, max: u32) -> Result<u32, StoreError> {
        let forgotten: i64 = sqlx::query_scalar(
            "WITH old AS (
                SELECT id FROM password_resets
                WHERE customer_id IS NULL AND created_at <= now() - make_interval(secs => $1)
                ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
            ), decoy AS (
                DELETE FROM password_resets r USING old WHERE r.id = old.id RETURNING r.id
            ), event AS (
                DELETE FROM events e USING decoy WHERE e.resource_id = decoy.id RETURNING e.id
            ), delivery AS (
                DELETE FROM deliveries d USING event WHERE d.event_id = event.id
            ), personal AS (
                DELETE FROM decoy_audit_personal_data p USING decoy WHERE p.resource_id = decoy.id RETURNING p.entry_id
            ), audit AS (
                DELETE FROM decoy_audit_entries a USING personal WHERE a.id = personal.entry_id
            )
            SELECT count(*) FROM decoy",
        )
        .bind(age.as_seconds_f64())
        .bind(i64::from(max))
        .fetch_one(&self.pool)
        .await
        .map_err(map_db_error)?;
        Ok(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }

    async fn forget_quotas(&self, age: Duration, max: u32) -> Result<u64, StoreError> {
        let forgotten: i64 = sqlx::query_scalar(
            "WITH cooldown AS (
                DELETE FROM reset_cooldowns WHERE ctid = ANY (ARRAY(
                    SELECT ctid FROM reset_cooldowns WHERE last_reset_at <= now() - make_interval(secs => $1)
                    ORDER BY last_reset_at LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING 1
            ), quota AS (
                DELETE FROM mail_quotas WHERE ctid = ANY (ARRAY(
                    SELECT ctid FROM mail_quotas WHERE window_started_at <= now() - make_interval(secs => $1)
                    ORDER BY window_started_at LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING 1
            )
            SELECT (SELECT count(*) FROM cooldown) + (SELECT count(*) FROM quota)",
        )
        .bind(age.as_seconds_f64())
        .bind(i64::from(max))
        .fetch_one(&self.pool)
        .await
        .map_err(map_db_error)?;
        Ok(forgotten.unsigned_abs())
    }

    async fn forget_guesses(&self, age: Duration, max: u32) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "DELETE FROM guess_counters WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM guess_counters WHERE last_guess_at <= now() - make_interval(secs => $1)
                ORDER BY last_guess_at LIMIT $2 FOR UPDATE SKIP LOCKED))",
        )
        .bind(age.as_seconds_f64())
        .bind(i64::from(max))
        .execute(&self.pool)
        .await
        .map_err(map_db_error)?;
        Ok(done.rows_affected())
    }

    async fn end_sign_in_counts(&self, age: Duration, ids: &[AuditId]) -> Result<u64, StoreError> {
        sign_ins::end_counts(&self.pool, age, ids).await.map_err(map_db_error)
    }

    async fn forget_email_changes(&self, age: Duration) -> Result<u64, StoreError> {
        let done =
            sqlx::query("DELETE FROM email_changes WHERE created_at <= now() - make_interval(secs => $1)")
                .bind(age.as_seconds_f64())
                .execute(&self.pool)
                .await
                .map_err(map_db_error)?;
        Ok(done.rows_affected())
    }

    async fn erase(&self, retry_after: Duration, max: u32) -> Result<u64, StoreError> {
        erasure::erase(&self.pool, retry_after, max).await
    }

    async fn purge(&self, kind: PurgeKind, age: Duration, max: u32) -> Result<u64, StoreError> {
        if kind == PurgeKind::Audit {
            return audit_chain::purge(&self.pool, age, max).await.map_err(map_db_error);
        }
        let Purgeable { table, key, condition, dependents } = Purgeable::for_kind(kind);
        let dependents = dependents.map_or(String::new(), |(table, key)| {
            format!(", dependents AS (DELETE FROM {table} d USING old WHERE d.{key} = old.id)")
        });
        let statement = format!(
            "WITH old AS MATERIALIZED (
                SELECT x.{key} AS id FROM {SCOPES} CROSS JOIN LATERAL (
                    SELECT x.{key} FROM {table} x
                    WHERE x.organization_id = o.id AND x.mode = m.mode
                        AND x.created_at <= t.now - make_interval(secs => $1) AND {condition}
                    ORDER BY x.created_at LIMIT {max} FOR UPDATE OF x SKIP LOCKED
                ) x LIMIT {max}
            ){dependents}
            DELETE FROM {table} x USING old WHERE x.{key} = old.id"
        );
        // Planned for its values: without them, a tenth of the table would be expected to be old.
        let query = sqlx::query(AssertSqlSafe(statement)).bind(age.as_seconds_f64()).persistent(false);
        Ok(query.execute(&self.pool).await.map_err(map_db_error)?.rows_affected())
    }

    async fn count_purgeable(&self, kind: PurgeKind, age: Duration) -> Result<u64, StoreError> {
        let Purgeable { table, condition, .. } = Purgeable::for_kind(kind);
        let statement = match kind {
            PurgeKind::Audit => audit_chain::count_purgeable(),
            _ => format!(
                "SELECT count(*) FROM {SCOPES} JOIN {table} x ON x.organization_id = o.id AND x.mode = m.mode
                     AND x.created_at <= t.now - make_interval(secs => $1) AND {condition}"
            ),
        };
        // A large table takes longer than a statement may on the pool.
        let mut connection = self.connect_alone().await?;
        let query = sqlx::query_scalar(AssertSqlSafe(statement)).bind(age.as_seconds_f64());
        let count: i64 = query.fetch_one(&mut connection).await.map_err(map_db_error)?;
        Ok(count.unsigned_abs())
    }
}

/// The current time and every scope: lists' indexes begin with the scope.
pub(crate) const SCOPES: &str =
    "(SELECT now() AS now) t CROSS JOIN organizations o CROSS JOIN (VALUES ('test'), ('live')) m (mode)";
