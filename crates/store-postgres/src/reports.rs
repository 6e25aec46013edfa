use async_trait::async_trait;
use rekey_core::{
    deliveries::reports::{NewReport, Recorded, ReportStore},
    email::EmailAddress,
    error::StoreError,
};
use rekey_sql::rows;

use crate::{PostgresStore, error::map_db_error};

#[async_trait]
impl ReportStore for PostgresStore {
    async fn record_report(&self, new: &NewReport) -> Result<Recorded, StoreError> {
        let reply = new.report.reply.as_ref();
        let row = sqlx::query(RECORD)
            .bind(new.delivery.as_str())
            .bind(new.report.kind.as_str())
            .bind(new.report.reporter.as_deref())
            .bind(reply.map(|reply| i64::from(reply.code)))
            .bind(reply.and_then(|reply| reply.enhanced.as_deref()))
            .bind(new.report.detail.as_deref())
            .bind(new.suppress.iter().map(EmailAddress::as_str).collect::<Vec<_>>())
            .fetch_optional(&self.pool)
            .await
            .map_err(map_db_error)?;
        row.map_or(Ok(Recorded::Unknown), |row| rows::recorded_report(&row)).map_err(map_db_error)
    }
}

/// Locking the delivery first makes simultaneous reports on a mail, and a mailer that settles it, wait for each other. What follows asks the
/// locked row for the status: the table is read as it was before the wait.
const RECORD: &str = "
    WITH delivery AS (
        SELECT organization_id, mode, customer_id, mail, status, lease_until IS NOT NULL AS is_claimed
        FROM deliveries WHERE event_id = $1 FOR UPDATE
    ), report AS (
        INSERT INTO delivery_reports (event_id, kind, reporter, smtp_code, smtp_enhanced_code, detail)
        SELECT $1, $2, $3, $4, $5, $6 FROM delivery WHERE status IN ('sent', 'bounced')
        ON CONFLICT DO NOTHING RETURNING true
    ), bounced AS (
        UPDATE deliveries SET status = 'bounced', smtp_code = $4, smtp_enhanced_code = $5, detail = $6, updated_at = now()
        FROM report, delivery d WHERE deliveries.event_id = $1 AND d.status = 'sent' AND $2 = 'bounced'
    ), suppression AS (
        INSERT INTO suppressions (organization_id, mode, email, reason, smtp_code, event_id)
        SELECT d.organization_id, d.mode, c.email, COALESCE($6, $2), $4, $1
        FROM report, delivery d JOIN customers c ON c.id = d.customer_id
        WHERE c.email = ANY($7) AND c.anonymization_completed_at IS NULL
        ON CONFLICT DO NOTHING
    )
    SELECT mail, mode, status, is_claimed, EXISTS (SELECT FROM report) AS is_new FROM delivery";
