use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    ids::WebhookId,
    webhooks::circuit_mails::{CircuitMails, OpenCircuit},
};
use rekey_sql::rows;
use time::{Duration, OffsetDateTime};

use crate::{PostgresStore, error::map_db_error};

#[async_trait]
impl CircuitMails for PostgresStore {
    async fn claim_circuit_mail(&self, lease: Duration) -> Result<Option<OpenCircuit>, StoreError> {
        let row = sqlx::query(
            "WITH due AS MATERIALIZED (
                 SELECT id FROM webhooks WHERE circuit_mail_due_at <= now() AND circuit_opened_at IS NOT NULL AND disabled_at IS NULL
                 ORDER BY circuit_mail_due_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
             )
             UPDATE webhooks w SET circuit_mail_due_at = now() + make_interval(secs => $1)
             FROM due, organizations o WHERE w.id = due.id AND o.id = w.organization_id
             RETURNING w.id, w.organization_id, w.mode, o.slug, w.name, w.topic, w.callback_url, w.circuit_failure_count,
                 w.circuit_opened_at, w.circuit_cause",
        )
        .bind(lease.as_seconds_f64())
        .fetch_optional(&self.pool)
        .await
        .map_err(map_db_error)?;
        row.map(|row| rows::open_circuit(&row)).transpose().map_err(map_db_error)
    }

    async fn settle_circuit_mail(
        &self,
        webhook: WebhookId,
        opened_at: OffsetDateTime,
        retry_after: Option<Duration>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE webhooks SET circuit_mail_due_at = CASE WHEN $3 IS NOT NULL THEN
                 now() + GREATEST(make_interval(secs => $3), (now() - circuit_opened_at) / 2) END
             WHERE id = $1 AND circuit_opened_at = $2 AND circuit_mail_due_at IS NOT NULL",
        )
        .bind(webhook.as_str())
        .bind(opened_at)
        .bind(retry_after.map(Duration::as_seconds_f64))
        .execute(&self.pool)
        .await
        .map_err(map_db_error)?;
        Ok(())
    }
}
