use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    gauges::{Backlog, GaugeStore, KeyAges, MAX_COUNTED, UnsentMails, WebhookBacklog},
    key_rotation::KeyKind,
};
use time::Duration;

use crate::{SqliteStore, error::map_db_error};

#[async_trait]
impl GaugeStore for SqliteStore {
    async fn outbox_backlog(&self) -> Result<Backlog, StoreError> {
        let (waiting, age): (i64, i64) = sqlx::query_as(
            "SELECT count(*), COALESCE(?1 - min(created_at), 0) FROM (
                 SELECT created_at FROM events WHERE published_at IS NULL AND dead_at IS NULL
                 ORDER BY available_at, id LIMIT ?2
             )",
        )
        .bind(self.present())
        .bind(MAX_COUNTED)
        .fetch_one(&self.readers)
        .await
        .map_err(map_db_error)?;
        Ok(Backlog { waiting: waiting.unsigned_abs(), oldest_age: Duration::microseconds(age) })
    }

    async fn unchained_entries(&self) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM (SELECT 1 FROM audit_queue LIMIT ?1)")
            .bind(MAX_COUNTED)
            .fetch_one(&self.readers)
            .await
            .map_err(map_db_error)?;
        Ok(count.unsigned_abs())
    }

    async fn unsent_mails(&self) -> Result<UnsentMails, StoreError> {
        let (queued, deferred, age): (i64, i64, i64) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE status = 'queued'), count(*) FILTER (WHERE status = 'deferred'),
                 COALESCE(?1 - min(created_at), 0)
             FROM (
                 SELECT status, created_at FROM deliveries WHERE status IN ('queued', 'deferred')
                 ORDER BY created_at LIMIT ?2
             )",
        )
        .bind(self.present())
        .bind(MAX_COUNTED)
        .fetch_one(&self.readers)
        .await
        .map_err(map_db_error)?;
        Ok(UnsentMails {
            queued: queued.unsigned_abs(),
            deferred: deferred.unsigned_abs(),
            oldest_age: Duration::microseconds(age),
        })
    }

    async fn webhook_backlog(&self) -> Result<WebhookBacklog, StoreError> {
        let (due, age, open_circuits): (i64, i64, i64) = sqlx::query_as(
            "SELECT count(*), COALESCE(?1 - min(due_at), 0),
                 (SELECT count(*) FROM webhooks WHERE circuit_opened_at IS NOT NULL AND disabled_at IS NULL)
             FROM (
                 SELECT c.due_at FROM webhooks w JOIN event_callbacks c ON c.webhook_id = w.id AND c.due_at <= ?1
                 WHERE w.disabled_at IS NULL AND w.circuit_opened_at IS NULL ORDER BY c.due_at LIMIT ?2
             )",
        )
        .bind(self.present())
        .bind(MAX_COUNTED)
        .fetch_one(&self.readers)
        .await
        .map_err(map_db_error)?;
        Ok(WebhookBacklog {
            due: due.unsigned_abs(),
            oldest_due_age: Duration::microseconds(age),
            open_circuits: open_circuits.unsigned_abs(),
        })
    }

    async fn key_ages(&self) -> Result<KeyAges, StoreError> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT kind, ?1 - COALESCE(current_since, updated_at) FROM known_keys")
                .bind(self.present())
                .fetch_all(&self.readers)
                .await
                .map_err(map_db_error)?;
        let mut ages = KeyAges::default();
        for (kind, age) in rows {
            if let Ok(kind) = kind.parse::<KeyKind>() {
                ages.set(kind, Duration::microseconds(age));
            }
        }
        Ok(ages)
    }
}
