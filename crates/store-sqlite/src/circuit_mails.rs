use async_trait::async_trait;
use rekey_core::{
    clock::to_unix_microseconds,
    error::StoreError,
    ids::WebhookId,
    webhooks::circuit_mails::{CircuitMails, OpenCircuit},
};
use rekey_sql::rows;
use time::{Duration, OffsetDateTime};

use crate::{SqliteStore, after, error::map_db_error};

#[async_trait]
impl CircuitMails for SqliteStore {
    async fn claim_circuit_mail(&self, lease: Duration) -> Result<Option<OpenCircuit>, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let row = sqlx::query(
            "UPDATE webhooks SET circuit_mail_due_at = ?2
             WHERE id = (
                 SELECT id FROM webhooks WHERE circuit_mail_due_at <= ?1 AND circuit_opened_at IS NOT NULL AND disabled_at IS NULL
                 ORDER BY circuit_mail_due_at, id LIMIT 1
             )
             RETURNING id, organization_id, mode, name, topic, callback_url, circuit_failure_count, circuit_opened_at, circuit_cause,
                 (SELECT slug FROM organizations o WHERE o.id = organization_id) AS slug",
        )
        .bind(now)
        .bind(after(now, lease))
        .fetch_optional(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        row.map(|row| rows::open_circuit(&row)).transpose().map_err(map_db_error)
    }

    async fn settle_circuit_mail(
        &self,
        webhook: WebhookId,
        opened_at: OffsetDateTime,
        retry_after: Option<Duration>,
    ) -> Result<(), StoreError> {
        let (mut transaction, now) = self.write().await?;
        sqlx::query(
            "UPDATE webhooks SET circuit_mail_due_at = max(?3, ?4 + (?4 - circuit_opened_at) / 2)
             WHERE id = ?1 AND circuit_opened_at = ?2 AND circuit_mail_due_at IS NOT NULL",
        )
        .bind(webhook.as_str())
        .bind(to_unix_microseconds(opened_at))
        .bind(retry_after.map(|wait| after(now, wait)))
        .bind(now)
        .execute(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)
    }
}
