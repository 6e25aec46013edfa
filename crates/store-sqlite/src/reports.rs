use async_trait::async_trait;
use rekey_core::{
    deliveries::reports::{NewReport, Recorded, ReportKind, ReportStore},
    email::EmailAddress,
    error::StoreError,
};
use rekey_sql::rows::{self, Read};
use serde_json::json;
use sqlx::SqliteConnection;

use crate::{SqliteStore, error::map_db_error};

#[async_trait]
impl ReportStore for SqliteStore {
    async fn record_report(&self, new: &NewReport) -> Result<Recorded, StoreError> {
        let (mut transaction, present) = self.write().await?;
        let is_new = insert(&mut transaction, new, present).await.map_err(map_db_error)?;
        let row = sqlx::query(
            "SELECT mail, mode, status, lease_until IS NOT NULL AS is_claimed, ?2 AS is_new FROM deliveries WHERE event_id = ?1",
        )
        .bind(new.delivery.as_str())
        .bind(is_new)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        if is_new {
            bounce(&mut transaction, new, present).await.map_err(map_db_error)?;
            suppress(&mut transaction, new, present).await.map_err(map_db_error)?;
        }
        transaction.commit().await.map_err(map_db_error)?;
        row.map_or(Ok(Recorded::Unknown), |row| rows::recorded_report(&row)).map_err(map_db_error)
    }
}

/// Records the report, if its mail was sent and none of its kind is there; returns whether it did.
async fn insert(connection: &mut SqliteConnection, new: &NewReport, present: i64) -> Read<bool> {
    let reply = new.report.reply.as_ref();
    let done = sqlx::query(
        "INSERT INTO delivery_reports (event_id, kind, reporter, smtp_code, smtp_enhanced_code, detail, received_at)
         SELECT event_id, ?2, ?3, ?4, ?5, ?6, ?7 FROM deliveries WHERE event_id = ?1 AND status IN ('sent', 'bounced')
         ON CONFLICT DO NOTHING",
    )
    .bind(new.delivery.as_str())
    .bind(new.report.kind.as_str())
    .bind(new.report.reporter.as_deref())
    .bind(reply.map(|reply| reply.code))
    .bind(reply.and_then(|reply| reply.enhanced.as_deref()))
    .bind(new.report.detail.as_deref())
    .bind(present)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn bounce(connection: &mut SqliteConnection, new: &NewReport, present: i64) -> Read<()> {
    if new.report.kind != ReportKind::Bounced {
        return Ok(());
    }
    let reply = new.report.reply.as_ref();
    sqlx::query(
        "UPDATE deliveries SET status = 'bounced', smtp_code = ?2, smtp_enhanced_code = ?3, detail = ?4, updated_at = ?5
         WHERE event_id = ?1 AND status = 'sent'",
    )
    .bind(new.delivery.as_str())
    .bind(reply.map(|reply| reply.code))
    .bind(reply.and_then(|reply| reply.enhanced.as_deref()))
    .bind(new.report.detail.as_deref())
    .bind(present)
    .execute(connection)
    .await?;
    Ok(())
}

async fn suppress(connection: &mut SqliteConnection, new: &NewReport, present: i64) -> Read<()> {
    let addresses: Vec<_> = new.suppress.iter().map(EmailAddress::as_str).collect();
    sqlx::query(
        "INSERT INTO suppressions (organization_id, mode, email, reason, smtp_code, event_id, created_at)
         SELECT d.organization_id, d.mode, c.email, COALESCE(?3, ?2), ?4, d.event_id, ?5
         FROM deliveries d JOIN customers c ON c.id = d.customer_id
         WHERE d.event_id = ?1 AND c.email IN (SELECT value FROM json_each(?6)) AND c.anonymization_completed_at IS NULL
         ON CONFLICT DO NOTHING",
    )
    .bind(new.delivery.as_str())
    .bind(new.report.kind.as_str())
    .bind(new.report.detail.as_deref())
    .bind(new.report.reply.as_ref().map(|reply| reply.code))
    .bind(present)
    .bind(json!(addresses).to_string())
    .execute(connection)
    .await?;
    Ok(())
}
