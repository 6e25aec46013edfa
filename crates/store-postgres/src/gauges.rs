use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    gauges::{Backlog, GaugeStore, KeyAges, MAX_COUNTED, UnsentMails, WebhookBacklog},
    key_rotation::KeyKind,
};
use time::Duration;

use crate::{PostgresStore, error::map_db_error};

/// Each statement is planned when it is executed: a plan that was kept since the table was small would read all of the grown table.
#[async_trait]
impl GaugeStore for PostgresStore {
    async fn outbox_backlog(&self) -> Result<Backlog, StoreError> {
        // By the index `events_outbox`.
        let (waiting, oldest_age): (i64, f64) = sqlx::query_as(
            "SELECT count(*), COALESCE(EXTRACT(EPOCH FROM now() - min(created_at)), 0)::float8 FROM (
                 SELECT created_at FROM events WHERE published_at IS NULL AND dead_at IS NULL
                 ORDER BY available_at, id LIMIT $1
             ) AS waiting",
        )
        .bind(i64::from(MAX_COUNTED))
        .persistent(false)
        .fetch_one(&self.pool)
        .await
        .map_err(map_db_error)?;
        Ok(Backlog { waiting: waiting.unsigned_abs(), oldest_age: Duration::seconds_f64(oldest_age) })
    }

    async fn unchained_entries(&self) -> Result<u64, StoreError> {
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM (SELECT FROM audit_queue LIMIT $1) AS queued")
                .bind(i64::from(MAX_COUNTED))
                .fetch_one(&self.pool)
                .await
                .map_err(map_db_error)?;
        Ok(count.unsigned_abs())
    }

    async fn unsent_mails(&self) -> Result<UnsentMails, StoreError> {
        // By the index `deliveries_pending`.
        let (queued, deferred, oldest_age): (i64, i64, f64) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE status = 'queued'), count(*) FILTER (WHERE status = 'deferred'),
                 COALESCE(EXTRACT(EPOCH FROM now() - min(created_at)), 0)::float8
             FROM (
                 SELECT status, created_at FROM deliveries WHERE status IN ('queued', 'deferred')
                 ORDER BY created_at LIMIT $1
             ) AS unsent",
        )
        .bind(i64::from(MAX_COUNTED))
        .persistent(false)
        .fetch_one(&self.pool)
        .await
        .map_err(map_db_error)?;
        Ok(UnsentMails {
            queued: queued.unsigned_abs(),
            deferred: deferred.unsigned_abs(),
            oldest_age: Duration::seconds_f64(oldest_age),
        })
    }

    async fn webhook_backlog(&self) -> Result<WebhookBacklog, StoreError> {
        // By the index `event_callbacks_due`, of each webhook.
        let (due, oldest_age, open_circuits): (i64, f64, i64) = sqlx::query_as(
            "WITH usable AS MATERIALIZED (
                 SELECT id FROM webhooks WHERE disabled_at IS NULL AND circuit_opened_at IS NULL
             )
             SELECT (SELECT count(*) FROM (
                     SELECT FROM usable w CROSS JOIN LATERAL (
                         SELECT FROM event_callbacks c WHERE c.webhook_id = w.id AND c.due_at <= now()
                         ORDER BY c.due_at, c.id LIMIT $1
                     ) c LIMIT $1
                 ) due),
                 COALESCE(EXTRACT(EPOCH FROM now() - (
                     SELECT min(c.due_at) FROM usable w CROSS JOIN LATERAL (
                         SELECT c.due_at FROM event_callbacks c WHERE c.webhook_id = w.id AND c.due_at <= now()
                         ORDER BY c.due_at, c.id LIMIT 1
                     ) c
                 )), 0)::float8,
                 (SELECT count(*) FROM webhooks WHERE circuit_opened_at IS NOT NULL AND disabled_at IS NULL)",
        )
        .bind(i64::from(MAX_COUNTED))
        .persistent(false)
        .fetch_one(&self.pool)
        .await
        .map_err(map_db_error)?;
        Ok(WebhookBacklog {
            due: due.unsigned_abs(),
            oldest_due_age: Duration::seconds_f64(oldest_age),
            open_circuits: open_circuits.unsigned_abs(),
        })
    }

    async fn key_ages(&self) -> Result<KeyAges, StoreError> {
        let rows: Vec<(String, f64)> =
            sqlx::query_as("SELECT kind, EXTRACT(EPOCH FROM now() - current_since)::float8 FROM known_keys")
                .fetch_all(&self.pool)
                .await
                .map_err(map_db_error)?;
        let mut ages = KeyAges::default();
        for (kind, age) in rows {
            if let Ok(kind) = kind.parse::<KeyKind>() {
                ages.set(kind, Duration::seconds_f64(age));
            }
        }
        Ok(ages)
    }
}
