use async_trait::async_trait;
use rekey_core::{
    delivery::{Assignment, Discarded, MailJob, MailKind, Outcome},
    ids::EventId,
    ledger::{Claim, Ledger},
    store::StoreError,
};
use sqlx::{PgPool, Row, postgres::PgRow};
use time::Duration;

use crate::{PostgresStore, error::fault, rows};

#[async_trait]
impl Ledger for PostgresStore {
    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await.map_err(fault)?;
        Ok(())
    }

    async fn claim(&self, job: &MailJob, lease: Duration) -> Result<Claim, StoreError> {
        let (reset, customer) = match job.kind {
            MailKind::ResetRequested(reset) => (Some(reset.to_string()), None),
            MailKind::PasswordChanged(customer) => (None, Some(customer.to_string())),
        };
        let row = sqlx::query(CLAIM)
            .bind(job.event.as_str())
            .bind(job.scope.organization.as_str())
            .bind(job.scope.mode.as_str())
            .bind(job.kind.as_str())
            .bind(reset)
            .bind(customer)
            .bind(lease.as_seconds_f64())
            .fetch_optional(&self.pool)
            .await
            .map_err(fault)?;
        match row {
            Some(row) => taken(&row).map_err(fault),
            None => refused(&self.pool, job.event).await,
        }
    }

    async fn settle(&self, event: EventId, attempt: u32, outcome: &Outcome) -> Result<bool, StoreError> {
        let (state, detail) = match outcome {
            Outcome::Sent { response } => ("sent", response),
            Outcome::Deferred { reason } => ("deferred", reason),
            Outcome::Bounced { reason } => ("bounced", reason),
            Outcome::Failed { reason } => ("failed", reason),
        };
        let done = sqlx::query(
            "UPDATE deliveries SET state = $3, detail = $4, lease_until = NULL, updated_at = now()
             WHERE event_id = $1 AND ($3 = 'sent' AND attempts >= $2 OR state = 'sending' AND attempts = $2)",
        )
        .bind(event.as_str())
        .bind(i64::from(attempt))
        .bind(state)
        .bind(detail)
        .execute(&self.pool)
        .await
        .map_err(fault)?;
        Ok(done.rows_affected() == 1)
    }
}

/// Takes the mail, or records why it is not wanted: one row if it was free to take, none otherwise.
///
/// It is free when nobody claimed it yet, when it was deferred, and when a claim's lease has ended; the last is in doubt.
const CLAIM: &str = "
    WITH subject AS (
        SELECT o.id AS organization_id, o.slug AS organization_slug, o.name AS organization_name,
            o.created_at AS organization_created_at, c.email, r.expires_at, r.code_digest IS NOT NULL AS has_code,
            CASE
                WHEN $4 = 'password_changed' AND c.id IS NULL THEN 'no_customer'
                WHEN $4 = 'password_changed' THEN NULL
                WHEN r.id IS NULL THEN 'stale'
                WHEN r.customer_id IS NULL THEN 'decoy'
                WHEN r.reset_password_at IS NOT NULL OR r.superseded_at IS NOT NULL OR r.expires_at <= now() THEN 'stale'
                WHEN c.id IS NULL THEN 'no_customer'
            END AS discarded
        FROM (SELECT) one
        LEFT JOIN password_resets r ON r.id = $5 AND r.organization_id = $2 AND r.mode = $3
        LEFT JOIN customers c ON c.id = COALESCE($6, r.customer_id) AND c.organization_id = $2 AND c.mode = $3
        LEFT JOIN organizations o ON o.id = c.organization_id
    ), delivery AS (
        INSERT INTO deliveries AS d (event_id, organization_id, mode, kind, state, lease_until, detail)
        SELECT $1, $2, $3, $4, CASE WHEN discarded IS NULL THEN 'sending' ELSE 'discarded' END,
            CASE WHEN discarded IS NULL THEN now() + make_interval(secs => $7) END, discarded
        FROM subject
        ON CONFLICT (event_id) DO UPDATE SET state = excluded.state, lease_until = excluded.lease_until,
            detail = excluded.detail, attempts = d.attempts + 1,
            in_doubt = d.in_doubt + CASE WHEN d.state = 'sending' THEN 1 ELSE 0 END, updated_at = now()
        WHERE d.state = 'deferred' OR d.state = 'sending' AND d.lease_until <= now()
        RETURNING attempts, in_doubt
    )
    SELECT * FROM subject, delivery";

fn taken(row: &PgRow) -> Result<Claim, sqlx::Error> {
    if row.try_get::<Option<&str>, _>("discarded")?.is_some() {
        return rows::known(row, "discarded", Discarded::parse).map(Claim::Discarded);
    }
    let attempts: i32 = row.try_get("attempts")?;
    Ok(Claim::Granted(Box::new(Assignment {
        recipient: rows::parsed(row, "email")?,
        organization: rows::organization(row)?,
        expires_at: row.try_get("expires_at")?,
        has_code: row.try_get("has_code")?,
        attempt: u32::try_from(attempts).map_err(|_| rows::corrupt("attempts"))?,
        in_doubt: row.try_get::<i32, _>("in_doubt")? > 0,
    })))
}

/// Why a mail was not free to take.
async fn refused(pool: &PgPool, event: EventId) -> Result<Claim, StoreError> {
    let remaining: Option<f64> = sqlx::query_scalar(
        "SELECT CASE
             WHEN state = 'sending' THEN GREATEST(0, EXTRACT(EPOCH FROM lease_until - now()))::float8
             WHEN state = 'deferred' THEN 0
         END
         FROM deliveries WHERE event_id = $1",
    )
    .bind(event.as_str())
    .fetch_one(pool)
    .await
    .map_err(fault)?;
    Ok(remaining.map_or(Claim::Settled, |seconds| Claim::Busy(Duration::seconds_f64(seconds))))
}
