mod attempts;

use async_trait::async_trait;
use rekey_core::{
    clock::to_unix_microseconds,
    deliveries::{
        Discarded, MailJob, MailName, Outcome, Settled,
        ledger::{Claim, Ledger},
    },
    email::EmailAddress,
    error::StoreError,
    events::outbox::REPUBLISH_AFTER,
    ids::EventId,
    resets::EXTRA_MAIL_INTERVAL,
};
use rekey_sql::rows::{self, Read};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use time::Duration;

use self::attempts::{record_attempt, record_ran_out};
use crate::{SqliteStore, after, error::map_db_error};

#[async_trait]
impl Ledger for SqliteStore {
    async fn claim(&self, job: &MailJob, lease: Duration) -> Result<Claim, StoreError> {
        let (mut transaction, present) = self.write().await?;
        let claim = claim(&mut transaction, job, lease, present).await.map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(claim)
    }

    async fn settle(&self, event: EventId, claim: u32, outcome: &Outcome) -> Result<bool, StoreError> {
        let settled = outcome.settled();
        let (mut transaction, present) = self.write().await?;
        let counted = counted_quota(&mut transaction, event).await.map_err(map_db_error)?;
        let done = settle(&mut transaction, event, claim, &settled, present).await.map_err(map_db_error)?;
        if done {
            record_attempt(&mut transaction, event, claim, &settled, present).await.map_err(map_db_error)?;
            uncount(&mut transaction, event, counted).await.map_err(map_db_error)?;
            suppress(&mut transaction, event, &settled, present).await.map_err(map_db_error)?;
            complete(&mut transaction, event, present).await.map_err(map_db_error)?;
        }
        transaction.commit().await.map_err(map_db_error)?;
        Ok(done)
    }

    async fn reject(&self, event: EventId, payload: &[u8], reason: &str) -> Result<bool, StoreError> {
        let outcome = Outcome::Failed { reason: reason.to_owned() };
        let settled = outcome.settled();
        let (mut transaction, present) = self.write().await?;
        let counted = counted_quota(&mut transaction, event).await.map_err(map_db_error)?;
        let claim = claim_rejected(&mut transaction, event, payload, present).await.map_err(map_db_error)?;
        let Some(claim) = claim else { return Ok(false) };
        settle(&mut transaction, event, claim, &settled, present).await.map_err(map_db_error)?;
        record_attempt(&mut transaction, event, claim, &settled, present).await.map_err(map_db_error)?;
        uncount(&mut transaction, event, counted).await.map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(true)
    }

    async fn republish_overdue(&self, max: u32) -> Result<u64, StoreError> {
        let (mut transaction, present) = self.write().await?;
        let done = sqlx::query(
            "UPDATE events SET published_at = NULL, dead_at = NULL, dead_reason = NULL, available_at = ?1
             WHERE id IN (
                 SELECT e.id FROM deliveries d JOIN events e ON e.id = d.event_id
                 WHERE d.status IN ('queued', 'deferred')
                     AND max(d.created_at, COALESCE(d.next_attempt_at, 0), COALESCE(d.lease_until, 0)) <= ?1 - ?2
                     AND COALESCE(e.published_at, e.dead_at) + e.republish_after <= ?1
                 ORDER BY d.created_at LIMIT ?3
             )",
        )
        .bind(present)
        .bind(after(0, REPUBLISH_AFTER))
        .bind(max)
        .execute(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(done.rows_affected())
    }
}

async fn claim(
    connection: &mut SqliteConnection,
    job: &MailJob,
    lease: Duration,
    present: i64,
) -> Read<Claim> {
    let subject = subject(connection, job, present).await?;
    let mut discarded = rows::optional_known(&subject, "discarded", Discarded::parse)?;
    let is_answer = discarded.is_none() && subject.try_get::<Option<&str>, _>("customer_id")?.is_none();
    let mail = if is_answer { MailName::NoAccount } else { job.mail };
    let mut is_counted = false;
    if discarded.is_none() {
        match count(connection, job.event, mail, present).await? {
            Some(false) => discarded = Some(Discarded::OverBudget),
            counted => is_counted = counted.is_some(),
        }
    }
    record_ran_out(connection, job.event, present).await?;
    let taken = take(connection, job, mail, &subject, discarded, is_counted, lease, present).await?;
    match (taken, discarded) {
        (None, _) => refused(connection, job.event, present).await,
        (Some(_), Some(reason)) => {
            complete(connection, job.event, present).await?;
            Ok(Claim::Discarded(reason))
        }
        (Some(taken), None) => Ok(Claim::Granted(Box::new(rows::claimed_delivery(&subject, &taken)?))),
    }
}

/// Counts a mail that can be claimed, has a quota, and is not counted yet; false when its account is over its budget. `None`: there is
/// nothing to count.
async fn count(
    connection: &mut SqliteConnection,
    event: EventId,
    mail: MailName,
    present: i64,
) -> Read<Option<bool>> {
    let uncounted = sqlx::query(
        "SELECT account_digest, mail_budget, mail_window_seconds FROM deliveries
         WHERE event_id = ?1 AND status IN ('queued', 'deferred') AND (lease_until IS NULL OR lease_until <= ?2)
             AND account_digest IS NOT NULL AND NOT is_counted",
    )
    .bind(event.as_str())
    .bind(present)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(uncounted) = uncounted else { return Ok(None) };
    let window = Duration::seconds_f64(uncounted.try_get("mail_window_seconds")?);
    let counted = sqlx::query(
        "INSERT INTO mail_quotas AS q (account_digest, mail, window_started_at, mail_count, last_mail_at)
         VALUES (?1, ?2, ?3, 1, ?3)
         ON CONFLICT (account_digest, mail) DO UPDATE SET last_mail_at = ?3,
             window_started_at = CASE WHEN q.window_started_at > ?4 THEN q.window_started_at ELSE ?3 END,
             mail_count = CASE WHEN q.window_started_at > ?4 THEN q.mail_count + 1 ELSE 1 END
         WHERE q.mail_count < ?5 OR q.window_started_at <= ?4 OR q.last_mail_at IS NULL
             OR q.last_mail_at <= ?6 AND (?2 IN ('reset_requested', 'no_account') OR ?5 > 1)",
    )
    .bind(uncounted.try_get::<Vec<u8>, _>("account_digest")?)
    .bind(mail.as_str())
    .bind(present)
    .bind(after(present, -window))
    .bind(uncounted.try_get::<i64, _>("mail_budget")?)
    .bind(after(present, -EXTRA_MAIL_INTERVAL))
    .execute(connection)
    .await?;
    Ok(Some(counted.rows_affected() == 1))
}

/// Claims the mail, or records why it is not wanted: returns one row if it could be claimed, none otherwise.
///
/// It can be claimed when it was not claimed before, when it was deferred, and when a claim's lease has ended; then it is in doubt. A
/// mail has no row yet if an older version wrote its event, and none any more if it was purged: then it is as old as its event.
#[expect(clippy::too_many_arguments, reason = "they are the columns of one row")]
async fn take(
    connection: &mut SqliteConnection,
    job: &MailJob,
    mail: MailName,
    subject: &SqliteRow,
    discarded: Option<Discarded>,
    is_counted: bool,
    lease: Duration,
    present: i64,
) -> Read<Option<SqliteRow>> {
    sqlx::query(
        "INSERT INTO deliveries AS d (event_id, organization_id, mode, customer_id, reset_id, mail, status, attempts,
             claims, lease_until, detail, created_at, updated_at, claimed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, COALESCE(?7, 'queued'), CASE WHEN ?7 IS NULL THEN 1 ELSE 0 END,
             CASE WHEN ?7 IS NULL THEN 1 ELSE 0 END, ?8, ?9, min(?10, ?11), ?10, CASE WHEN ?7 IS NULL THEN ?10 END)
         ON CONFLICT (event_id) DO UPDATE SET mail = excluded.mail,
             status = CASE WHEN excluded.lease_until IS NULL THEN excluded.status ELSE d.status END,
             detail = CASE WHEN excluded.lease_until IS NULL THEN excluded.detail ELSE d.detail END,
             updated_at = CASE WHEN excluded.lease_until IS NULL THEN ?10 ELSE d.updated_at END,
             is_counted = d.is_counted OR ?12, claimed_at = COALESCE(excluded.claimed_at, d.claimed_at),
             attempts = d.attempts + excluded.attempts, claims = d.claims + excluded.claims, lease_until = excluded.lease_until, next_attempt_at = NULL,
             in_doubt = d.in_doubt + CASE WHEN d.lease_until IS NULL THEN 0 ELSE 1 END
         WHERE d.status IN ('queued', 'deferred') AND (d.lease_until IS NULL OR d.lease_until <= ?10)
         RETURNING attempts, claims, in_doubt, ?10 - created_at AS age",
    )
    .bind(job.event.as_str())
    .bind(job.scope.organization.as_str())
    .bind(job.scope.mode.as_str())
    .bind(subject.try_get::<Option<&str>, _>("customer_id")?)
    .bind(job.reset.map(|id| id.to_string()))
    .bind(mail.as_str())
    .bind(discarded.map(|reason| reason.status().as_str()))
    .bind(discarded.is_none().then(|| after(present, lease)))
    .bind(match discarded {
        Some(Discarded::Suppressed) => subject.try_get("detail")?,
        other => other.map(|reason| reason.as_str().to_owned()),
    })
    .bind(present)
    .bind(to_unix_microseconds(job.occurred_at))
    .bind(is_counted)
    .fetch_optional(connection)
    .await
}

/// Reads the mail's recipient, or why it is not wanted.
async fn subject(connection: &mut SqliteConnection, job: &MailJob, present: i64) -> Read<SqliteRow> {
    sqlx::query(
        "SELECT x.*, CASE WHEN discarded = 'address suppressed' THEN discarded || ': ' || reason ELSE discarded END AS detail
         FROM (
             SELECT o.id AS organization_id, o.slug AS organization_slug, o.name AS organization_name,
                 o.created_at AS organization_created_at, c.id AS customer_id,
                 CASE WHEN c.id IS NOT NULL THEN COALESCE(?8, c.email) END AS email, c.locale, s.reason,
                 r.code_digest IS NOT NULL AS has_code,
                 CASE WHEN ?3 = 'reset_requested' AND c.id IS NOT NULL THEN r.expires_at END AS expires_at,
                 r.expires_at - ?6 AS remaining,
                 CASE
                     WHEN ?3 = 'reset_requested' AND r.id IS NULL THEN 'reset deleted'
                     WHEN ?3 = 'reset_requested' AND r.reset_password_at IS NOT NULL THEN 'reset used'
                     WHEN ?3 = 'reset_requested' AND r.superseded_at = r.created_at THEN 'over the account''s mail budget'
                     WHEN ?3 = 'reset_requested' AND r.superseded_at IS NOT NULL THEN 'reset superseded'
                     WHEN ?3 = 'reset_requested' AND r.expires_at <= ?6 THEN 'reset expired'
                     WHEN ?3 = 'reset_requested' AND r.customer_id IS NULL THEN CASE WHEN NOT ?7 THEN 'decoy' END
                     WHEN c.id IS NULL THEN 'customer deleted'
                     WHEN s.email IS NOT NULL THEN 'address suppressed'
                 END AS discarded
             FROM (SELECT 1) one
             LEFT JOIN organizations o ON o.id = ?1
             LEFT JOIN password_resets r ON r.id = ?4 AND r.organization_id = ?1 AND r.mode = ?2
             LEFT JOIN customers c ON c.id = COALESCE(?5, r.customer_id) AND c.organization_id = ?1 AND c.mode = ?2
                 AND c.anonymization_completed_at IS NULL
             LEFT JOIN suppressions s ON s.organization_id = ?1 AND s.mode = ?2 AND s.email = COALESCE(?8, c.email)
         ) x",
    )
    .bind(job.scope.organization.as_str())
    .bind(job.scope.mode.as_str())
    .bind(job.mail.as_str())
    .bind(job.reset.map(|id| id.to_string()))
    .bind(job.customer.map(|id| id.to_string()))
    .bind(present)
    .bind(job.answer_unknown)
    .bind(job.recipient.as_ref().map(EmailAddress::as_str))
    .fetch_one(connection)
    .await
}

/// Returns why a mail could not be claimed.
async fn refused(connection: &mut SqliteConnection, event: EventId, present: i64) -> Read<Claim> {
    let lease_until: Option<i64> =
        sqlx::query_scalar("SELECT lease_until FROM deliveries WHERE event_id = ?1")
            .bind(event.as_str())
            .fetch_one(connection)
            .await?;
    Ok(lease_until
        .map_or(Claim::Settled, |until| Claim::Busy(Duration::microseconds(until.saturating_sub(present)))))
}

async fn settle(
    connection: &mut SqliteConnection,
    event: EventId,
    claim: u32,
    settled: &Settled<'_>,
    present: i64,
) -> Read<bool> {
    let done = sqlx::query(
        "UPDATE deliveries SET status = ?3, detail = ?4, smtp_code = ?5, smtp_enhanced_code = ?6, relay = ?7,
             next_attempt_at = ?8, sent_at = CASE WHEN ?3 = 'sent' THEN ?9 END,
             attempts = attempts - CASE WHEN ?10 THEN 0 ELSE 1 END, in_doubt = in_doubt + ?11, lease_until = NULL,
             updated_at = ?9, is_counted = is_counted AND (?3 = 'sent' OR ?11 OR in_doubt > 0)
         WHERE event_id = ?1
             AND (?3 = 'sent' AND claims >= ?2 AND (status <> 'bounced' OR sent_at IS NULL) OR lease_until IS NOT NULL AND claims = ?2)",
    )
    .bind(event.as_str())
    .bind(claim)
    .bind(settled.status.as_str())
    .bind(settled.detail)
    .bind(settled.reply.map(|reply| reply.code))
    .bind(settled.reply.and_then(|reply| reply.enhanced.as_deref()))
    .bind(settled.relay)
    .bind(settled.next.map(|next| after(present, next)))
    .bind(present)
    .bind(settled.counts)
    .bind(settled.in_doubt)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Claims the mail of an event whose message was rejected, if it waits and the message is the event; a claim that is not settled is ended, in doubt.
/// Returns the claim's number.
async fn claim_rejected(
    connection: &mut SqliteConnection,
    event: EventId,
    payload: &[u8],
    present: i64,
) -> Read<Option<u32>> {
    sqlx::query_scalar(
        "UPDATE deliveries SET claims = claims + (lease_until IS NULL), in_doubt = in_doubt + (lease_until IS NOT NULL),
             claimed_at = CASE WHEN lease_until IS NULL THEN ?3 ELSE claimed_at END, lease_until = ?3
         WHERE event_id = ?1 AND status IN ('queued', 'deferred')
             AND EXISTS (SELECT 1 FROM events WHERE id = ?1 AND payload = ?2)
         RETURNING claims",
    )
    .bind(event.as_str())
    .bind(payload)
    .bind(present)
    .fetch_optional(connection)
    .await
}

/// Returns the account that the mail is counted for.
async fn counted_quota(connection: &mut SqliteConnection, event: EventId) -> Read<Option<Vec<u8>>> {
    sqlx::query_scalar("SELECT account_digest FROM deliveries WHERE event_id = ?1 AND is_counted")
        .bind(event.as_str())
        .fetch_optional(connection)
        .await
}

/// Takes a mail that was counted, and that can't have been sent, off its account's quota.
async fn uncount(connection: &mut SqliteConnection, event: EventId, account: Option<Vec<u8>>) -> Read<()> {
    let Some(account) = account else { return Ok(()) };
    sqlx::query(
        "UPDATE mail_quotas SET mail_count = max(mail_count - 1, 0), last_mail_at = NULL
         WHERE account_digest = ?2 AND mail = (SELECT mail FROM deliveries WHERE event_id = ?1 AND NOT is_counted)",
    )
    .bind(event.as_str())
    .bind(account)
    .execute(connection)
    .await?;
    Ok(())
}

/// Suppresses the address that an outcome names, unless its customer was deleted or anonymized meanwhile.
async fn suppress(
    connection: &mut SqliteConnection,
    event: EventId,
    settled: &Settled<'_>,
    present: i64,
) -> Read<()> {
    let Some(email) = settled.suppress else { return Ok(()) };
    sqlx::query(
        "INSERT INTO suppressions (organization_id, mode, email, reason, smtp_code, event_id, created_at)
         SELECT organization_id, mode, ?2, ?3, ?4, event_id, ?5 FROM deliveries d
         WHERE event_id = ?1
             AND EXISTS (SELECT 1 FROM customers c WHERE c.id = d.customer_id AND c.anonymization_completed_at IS NULL)
         ON CONFLICT DO NOTHING",
    )
    .bind(event.as_str())
    .bind(email.as_str())
    .bind(settled.detail)
    .bind(settled.reply.map(|reply| reply.code))
    .bind(present)
    .execute(connection)
    .await?;
    Ok(())
}

/// Erases the payload of an event if its mail is settled finally: it is never published again. That of a mail that failed is kept: an operator may
/// have it sent again. An event that is still to be published is left to the relay: another queue may lack it.
async fn complete(connection: &mut SqliteConnection, event: EventId, present: i64) -> Read<()> {
    sqlx::query(
        "UPDATE events SET payload = NULL, republish_after = NULL, published_at = COALESCE(published_at, ?2), dead_at = NULL,
             dead_reason = NULL
         WHERE id = ?1 AND COALESCE(published_at, dead_at) IS NOT NULL AND EXISTS (
             SELECT 1 FROM deliveries WHERE event_id = ?1 AND status NOT IN ('queued', 'deferred', 'failed')
         )",
    )
    .bind(event.as_str())
    .bind(present)
    .execute(connection)
    .await?;
    Ok(())
}
