use async_trait::async_trait;
use rekey_core::{cleanup::Cleanup, error::StoreError};
use time::Duration;

use crate::{PostgresStore, error::map_db_error};

#[async_trait]
impl Cleanup for PostgresStore {
    async fn forget_decoys(&self, age: Duration, most: u32) -> Result<u32, StoreError> {
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
            ), audit AS (
                DELETE FROM audit_entries a USING decoy WHERE a.resource_id = decoy.id
            )
            SELECT count(*) FROM decoy",
        )
        .bind(age.as_seconds_f64())
        .bind(i64::from(most))
        .fetch_one(&self.pool)
        .await
        .map_err(map_db_error)?;
        Ok(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }

    async fn forget_quotas(&self, age: Duration) -> Result<u64, StoreError> {
        let done =
            sqlx::query("DELETE FROM reset_quotas WHERE last_reset_at <= now() - make_interval(secs => $1)")
                .bind(age.as_seconds_f64())
                .execute(&self.pool)
                .await
                .map_err(map_db_error)?;
        Ok(done.rows_affected())
    }

    async fn forget_guesses(&self, age: Duration) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "DELETE FROM code_guesses WHERE window_started_at <= now() - make_interval(secs => $1)",
        )
        .bind(age.as_seconds_f64())
        .execute(&self.pool)
        .await
        .map_err(map_db_error)?;
        Ok(done.rows_affected())
    }
}
