use async_trait::async_trait;
use rekey_core::{
    delivery::{Assignment, Discarded, MailJob, MailKind, Outcome},
    ids::EventId,
    ledger::{Claim, Ledger},
    store::StoreError,
};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use time::Duration;

use crate::{
    SqliteStore,
    error::fault,
    rows::{self, Read, after},
};

#[async_trait]
impl Ledger for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await.map_err(fault)?;
        Ok(())
    }

    async fn claim(&self, job: &MailJob, lease: Duration) -> Result<Claim, StoreError> {
        let (mut transaction, present) = self.write().await?;
        let claim = claim(&mut transaction, job, lease, present).await.map_err(fault)?;
        transaction.commit().await.map_err(fault)?;
        Ok(claim)
    }

    async fn settle(&self, event: EventId, attempt: u32, outcome: &Outcome) -> Result<bool, StoreError> {
        let (state, detail) = match outcome {
            Outcome::Sent { response } => ("sent", response),
            Outcome::Deferred { reason } => ("deferred", reason),
            Outcome::Bounced { reason } => ("bounced", reason),
            Outcome::Failed { reason } => ("failed", reason),
        };
        let done = sqlx::query(
            "UPDATE deliveries SET state = ?3, detail = ?4, lease_until = NULL, updated_at = ?5
             WHERE event_id = ?1 AND (?3 = 'sent' AND attempts >= ?2 OR state = 'sending' AND attempts = ?2)",
        )
        .bind(event.as_str())
        .bind(attempt)
        .bind(state)
        .bind(detail)
        .bind(self.present())
        .execute(&self.writer)
        .await
        .map_err(fault)?;
        Ok(done.rows_affected() == 1)
    }
}

async fn claim(
    connection: &mut SqliteConnection,
    job: &MailJob,
    lease: Duration,
    present: i64,
) -> Read<Claim> {
    let subject = subject(connection, job, present).await?;
    let discarded = match subject.try_get::<Option<&str>, _>("discarded")? {
        Some(_) => Some(rows::known(&subject, "discarded", Discarded::parse)?),
        None => None,
    };
    let lease_until = discarded.is_none().then(|| after(present, lease));
    let taken = sqlx::query(TAKE)
        .bind(job.event.as_str())
        .bind(job.scope.organization.as_str())
        .bind(job.scope.mode.as_str())
        .bind(job.kind.as_str())
        .bind(lease_until)
        .bind(discarded.map(Discarded::as_str))
        .bind(present)
        .fetch_optional(&mut *connection)
        .await?;
    match (taken, discarded) {
        (None, _) => refused(connection, job.event, present).await,
        (Some(_), Some(reason)) => Ok(Claim::Discarded(reason)),
        (Some(taken), None) => Ok(Claim::Granted(Box::new(Assignment {
            recipient: rows::parsed(&subject, "email")?,
            organization: rows::organization(&subject)?,
            expires_at: rows::optional_time(&subject, "expires_at")?,
            has_code: subject.try_get("has_code")?,
            attempt: taken.try_get("attempts")?,
            in_doubt: taken.try_get::<i64, _>("in_doubt")? > 0,
        }))),
    }
}

/// Takes the mail, or records why it is not wanted: one row if it was free to take, none otherwise.
///
/// It is free when nobody claimed it yet, when it was deferred, and when a claim's lease has ended; the last is in doubt.
const TAKE: &str = "
    INSERT INTO deliveries AS d (event_id, organization_id, mode, kind, state, lease_until, detail, created_at, updated_at)
    VALUES (?1, ?2, ?3, ?4, CASE WHEN ?6 IS NULL THEN 'sending' ELSE 'discarded' END, ?5, ?6, ?7, ?7)
    ON CONFLICT (event_id) DO UPDATE SET state = excluded.state, lease_until = excluded.lease_until,
        detail = excluded.detail, attempts = d.attempts + 1,
        in_doubt = d.in_doubt + CASE WHEN d.state = 'sending' THEN 1 ELSE 0 END, updated_at = ?7
    WHERE d.state = 'deferred' OR d.state = 'sending' AND d.lease_until <= ?7
    RETURNING attempts, in_doubt";

/// Whom the mail goes to, or why it is not wanted.
async fn subject(connection: &mut SqliteConnection, job: &MailJob, present: i64) -> Read<SqliteRow> {
    let (reset, customer) = match job.kind {
        MailKind::ResetRequested(reset) => (Some(reset.to_string()), None),
        MailKind::PasswordChanged(customer) => (None, Some(customer.to_string())),
    };
    sqlx::query(
        "SELECT o.id AS organization_id, o.slug AS organization_slug, o.name AS organization_name,
             o.created_at AS organization_created_at, c.email, r.expires_at, r.code_digest IS NOT NULL AS has_code,
             CASE
                 WHEN ?3 = 'password_changed' AND c.id IS NULL THEN 'no_customer'
                 WHEN ?3 = 'password_changed' THEN NULL
                 WHEN r.id IS NULL THEN 'stale'
                 WHEN r.customer_id IS NULL THEN 'decoy'
                 WHEN r.reset_password_at IS NOT NULL OR r.superseded_at IS NOT NULL OR r.expires_at <= ?6 THEN 'stale'
                 WHEN c.id IS NULL THEN 'no_customer'
             END AS discarded
         FROM (SELECT 1) one
         LEFT JOIN password_resets r ON r.id = ?4 AND r.organization_id = ?1 AND r.mode = ?2
         LEFT JOIN customers c ON c.id = COALESCE(?5, r.customer_id) AND c.organization_id = ?1 AND c.mode = ?2
         LEFT JOIN organizations o ON o.id = c.organization_id",
    )
    .bind(job.scope.organization.as_str())
    .bind(job.scope.mode.as_str())
    .bind(job.kind.as_str())
    .bind(reset)
    .bind(customer)
    .bind(present)
    .fetch_one(connection)
    .await
}

/// Why a mail was not free to take.
async fn refused(connection: &mut SqliteConnection, event: EventId, present: i64) -> Read<Claim> {
    let lease_until: Option<i64> =
        sqlx::query_scalar("SELECT lease_until FROM deliveries WHERE event_id = ?1")
            .bind(event.as_str())
            .fetch_one(connection)
            .await?;
    Ok(lease_until
        .map_or(Claim::Settled, |until| Claim::Busy(Duration::microseconds(until.saturating_sub(present)))))
}
