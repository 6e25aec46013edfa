use async_trait::async_trait;
use rekey_core::{
    deliveries::{
        CLAIM_RAN_OUT, Discarded, MAX_ATTEMPTS, MailJob, Outcome,
        ledger::{Claim, Ledger},
    },
    email::EmailAddress,
    error::StoreError,
    events::outbox::REPUBLISH_AFTER,
    ids::EventId,
    resets::EXTRA_MAIL_INTERVAL,
};
use rekey_sql::rows::{self, Read};
use sqlx::postgres::PgRow;
use time::Duration;

use crate::{PostgresStore, error::map_db_error, pool::Pool};

#[async_trait]
impl Ledger for PostgresStore {
    async fn claim(&self, job: &MailJob, lease: Duration) -> Result<Claim, StoreError> {
        let row = sqlx::query(CLAIM)
            .bind(job.event.as_str())
            .bind(job.scope.organization.as_str())
            .bind(job.scope.mode.as_str())
            .bind(job.mail.as_str())
            .bind(job.reset.map(|id| id.to_string()))
            .bind(job.customer.map(|id| id.to_string()))
            .bind(lease.as_seconds_f64())
            .bind(job.answer_unknown)
            .bind(job.occurred_at)
            .bind(EXTRA_MAIL_INTERVAL.as_seconds_f64())
            .bind(job.recipient.as_ref().map(EmailAddress::as_str))
            .bind(i64::from(MAX_ATTEMPTS))
            .bind(CLAIM_RAN_OUT)
            .fetch_optional(&self.pool)
            .await
            .map_err(map_db_error)?;
        match row {
            Some(row) => taken(&row).map_err(map_db_error),
            None => refused(&self.pool, job.event).await,
        }
    }

    async fn settle(&self, event: EventId, claim: u32, outcome: &Outcome) -> Result<bool, StoreError> {
        let settled = outcome.settled();
        let done: i64 = sqlx::query_scalar(SETTLE)
            .bind(event.as_str())
            .bind(i64::from(claim))
            .bind(settled.status.as_str())
            .bind(settled.detail)
            .bind(settled.reply.map(|reply| i64::from(reply.code)))
            .bind(settled.reply.and_then(|reply| reply.enhanced.as_deref()))
            .bind(settled.relay)
            .bind(settled.next.map(Duration::as_seconds_f64))
            .bind(settled.suppress.map(EmailAddress::as_str))
            .bind(settled.counts)
            .bind(settled.in_doubt)
            .bind(settled.outcome.as_str())
            .bind(i64::from(MAX_ATTEMPTS))
            .fetch_one(&self.pool)
            .await
            .map_err(map_db_error)?;
        Ok(done == 1)
    }

    async fn reject(&self, event: EventId, payload: &[u8], reason: &str) -> Result<bool, StoreError> {
        let rejected: i64 = sqlx::query_scalar(REJECT)
            .bind(event.as_str())
            .bind(payload)
            .bind(reason)
            .bind(i64::from(MAX_ATTEMPTS))
            .fetch_one(&self.pool)
            .await
            .map_err(map_db_error)?;
        Ok(rejected == 1)
    }

    async fn republish_overdue(&self, max: u32) -> Result<u64, StoreError> {
        let done = sqlx::query(REPUBLISH_OVERDUE)
            .bind(REPUBLISH_AFTER.as_seconds_f64())
            .bind(i64::from(max))
            .execute(&self.pool)
            .await
            .map_err(map_db_error)?;
        Ok(done.rows_affected())
    }
}

/// Erases the payload of the event $1 when that condition says that its mail is settled finally: it is never published again. That of a mail
/// that failed is kept: an operator may have it sent again. An event that is still to be published is left to the relay: another queue may lack it.
///
/// The row is written in either case, so that this and the relay, which may publish it at this moment, wait for each other. A relay that has looked at
/// the mail before learns from a `republish_after` of zero that it is settled.
macro_rules! complete_event {
    ($condition:literal) => {
        concat!(
            ", completed AS (
                UPDATE events SET payload = CASE WHEN COALESCE(published_at, dead_at) IS NULL THEN payload END,
                    republish_after = CASE WHEN COALESCE(published_at, dead_at) IS NULL THEN interval '0' END,
                    published_at = CASE WHEN dead_at IS NULL THEN published_at ELSE COALESCE(published_at, now()) END,
                    dead_at = NULL, dead_reason = NULL
                WHERE id = $1 AND ", $condition, "
            )"
        )
    };
}

/// Records an attempt at the mail $1, with these values of the other columns, for each row of `$from`. The last place has the latest attempt.
/// A claim that version 0.1.0 made has the number 0, and the first place.
macro_rules! record_attempt {
    ($values:literal, $from:literal) => {
        concat!(
            "INSERT INTO delivery_attempts AS a (event_id, place, claim, started_at, ended_at, outcome, relay, smtp_code,
                smtp_enhanced_code, detail)
            SELECT $1, ", $values, " FROM ", $from, "
            ON CONFLICT (event_id, place) DO UPDATE SET claim = excluded.claim, ended_at = excluded.ended_at,
                started_at = CASE WHEN a.claim = excluded.claim THEN a.started_at ELSE excluded.started_at END,
                outcome = excluded.outcome, relay = excluded.relay, smtp_code = excluded.smtp_code,
                smtp_enhanced_code = excluded.smtp_enhanced_code, detail = excluded.detail"
        )
    };
}

/// Claims the mail, or records why it is not wanted: returns one row if it could be claimed, none otherwise.
///
/// It can be claimed when it was not claimed before, when it was deferred, and when a claim's lease has ended; then it is in doubt. A
/// mail has no row yet if an older version wrote its event, and none any more if it was purged: then it is as old as its event.
///
/// An anonymized customer is treated as a deleted one.
///
/// Beyond its budget an account gets a mail an hour, except for notices with a budget of one: those go to an unconfirmed address.
///
/// Locking its row first makes simultaneous claims of a mail wait for each other, so that it is counted once. `array_position` keeps the
/// look-up from the index of all pending mails: see decision 8.
const CLAIM: &str = concat!(
    "WITH subject AS (
        SELECT o.id AS organization_id, o.slug AS organization_slug, o.name AS organization_name,
            o.created_at AS organization_created_at, c.id AS customer_id,
            CASE WHEN c.id IS NOT NULL THEN COALESCE($11, c.email) END AS email, c.locale, s.reason,
            r.code_digest IS NOT NULL AS has_code,
            CASE WHEN $4 = 'reset_requested' AND c.id IS NOT NULL THEN r.expires_at END AS expires_at,
            (EXTRACT(EPOCH FROM r.expires_at - now()) * 1000000)::bigint AS remaining,
            CASE
                WHEN $4 = 'reset_requested' AND r.id IS NULL THEN 'reset deleted'
                WHEN $4 = 'reset_requested' AND r.reset_password_at IS NOT NULL THEN 'reset used'
                WHEN $4 = 'reset_requested' AND r.superseded_at = r.created_at THEN 'over the account''s mail budget'
                WHEN $4 = 'reset_requested' AND r.superseded_at IS NOT NULL THEN 'reset superseded'
                WHEN $4 = 'reset_requested' AND r.expires_at <= now() THEN 'reset expired'
                WHEN $4 = 'reset_requested' AND r.customer_id IS NULL THEN CASE WHEN NOT $8 THEN 'decoy' END
                WHEN c.id IS NULL THEN 'customer deleted'
                WHEN s.email IS NOT NULL THEN 'address suppressed'
            END AS unwanted
        FROM (SELECT) one
        LEFT JOIN organizations o ON o.id = $2
        LEFT JOIN password_resets r ON r.id = $5 AND (r.organization_id, r.mode) IS NOT DISTINCT FROM ($2, $3)
        LEFT JOIN customers c
            ON c.id = COALESCE($6, r.customer_id) AND (c.organization_id, c.mode) IS NOT DISTINCT FROM ($2, $3)
                AND c.anonymization_completed_at IS NULL
        LEFT JOIN suppressions s ON s.organization_id = $2 AND s.mode = $3 AND s.email = COALESCE($11, c.email)
    ), pending AS (
        SELECT account_digest, mail_budget AS budget, make_interval(secs => mail_window_seconds) AS period, is_counted,
            claims, claimed_at, lease_until
        FROM deliveries
        WHERE event_id = $1 AND array_position(ARRAY['queued', 'deferred'], status) IS NOT NULL AND (lease_until IS NULL OR lease_until <= now())
        FOR UPDATE
    ), uncounted AS (
        SELECT account_digest, CASE WHEN customer_id IS NULL THEN 'no_account' ELSE $4 END AS mail, budget, period
        FROM pending, subject WHERE account_digest IS NOT NULL AND NOT is_counted AND unwanted IS NULL
    ), counted AS (
        INSERT INTO mail_quotas AS q (account_digest, mail, window_started_at, mail_count, last_mail_at)
        SELECT account_digest, mail, now(), 1, now() FROM uncounted
        ON CONFLICT (account_digest, mail) DO UPDATE SET last_mail_at = now(),
            window_started_at = CASE WHEN q.window_started_at > now() - (SELECT period FROM uncounted)
                THEN q.window_started_at ELSE now() END,
            mail_count = CASE WHEN q.window_started_at > now() - (SELECT period FROM uncounted) THEN q.mail_count + 1 ELSE 1 END
        WHERE q.mail_count < (SELECT budget FROM uncounted) OR q.window_started_at <= now() - (SELECT period FROM uncounted)
            OR q.last_mail_at IS NULL OR q.last_mail_at <= now() - make_interval(secs => $10)
                AND (SELECT mail IN ('reset_requested', 'no_account') OR budget > 1 FROM uncounted)
        RETURNING true
    ), decision AS (
        SELECT subject.*, COALESCE(unwanted, CASE
            WHEN EXISTS (SELECT FROM uncounted) AND NOT EXISTS (SELECT FROM counted) THEN 'over the account''s mail budget'
        END) AS discarded
        FROM subject
    ), delivery AS (
        INSERT INTO deliveries AS d (event_id, organization_id, mode, customer_id, reset_id, mail, status, attempts,
            claims, claimed_at, lease_until, detail, created_at)
        SELECT $1, $2, $3, customer_id, $5,
            CASE WHEN unwanted IS NULL AND customer_id IS NULL THEN 'no_account' ELSE $4 END,
            CASE
                WHEN discarded IS NULL THEN 'queued'
                WHEN discarded = 'decoy' THEN 'discarded'
                WHEN discarded IN ('address suppressed', 'over the account''s mail budget') THEN 'suppressed'
                ELSE 'expired'
            END,
            CASE WHEN discarded IS NULL THEN 1 ELSE 0 END,
            CASE WHEN discarded IS NULL THEN 1 ELSE 0 END,
            CASE WHEN discarded IS NULL THEN now() END,
            CASE WHEN discarded IS NULL THEN now() + make_interval(secs => $7) END,
            CASE WHEN discarded = 'address suppressed' THEN discarded || ': ' || reason ELSE discarded END,
            LEAST(now(), $9)
        FROM decision
        ON CONFLICT (event_id) DO UPDATE SET mail = excluded.mail,
            status = CASE WHEN excluded.lease_until IS NULL THEN excluded.status ELSE d.status END,
            detail = CASE WHEN excluded.lease_until IS NULL THEN excluded.detail ELSE d.detail END,
            updated_at = CASE WHEN excluded.lease_until IS NULL THEN now() ELSE d.updated_at END,
            attempts = d.attempts + excluded.attempts, claims = d.claims + excluded.claims,
            claimed_at = COALESCE(excluded.claimed_at, d.claimed_at),
            lease_until = excluded.lease_until, next_attempt_at = NULL,
            is_counted = d.is_counted OR EXISTS (SELECT FROM counted),
            in_doubt = d.in_doubt + CASE WHEN d.lease_until IS NULL THEN 0 ELSE 1 END
        WHERE d.status IN ('queued', 'deferred') AND (d.lease_until IS NULL OR d.lease_until <= now())
        RETURNING attempts, claims, in_doubt, lease_until, (EXTRACT(EPOCH FROM now() - created_at) * 1000000)::bigint AS age
    ), ran_out AS (",
    record_attempt!(
        "GREATEST(LEAST(claims, $12), 1), claims, claimed_at, lease_until, 'in_doubt', NULL, NULL, NULL, $13",
        "pending WHERE lease_until IS NOT NULL"
    ),
    ")",
    complete_event!("EXISTS (SELECT FROM delivery WHERE lease_until IS NULL)"),
    "SELECT * FROM decision, delivery"
);

/// Takes a mail that was counted when it was `claimed`, and is not counted any more now that it is `settled`, off its account's quota.
macro_rules! uncount {
    () => {
        "uncounted AS (
            UPDATE mail_quotas q SET mail_count = GREATEST(q.mail_count - 1, 0), last_mail_at = NULL FROM claimed, settled
            WHERE claimed.is_counted AND NOT settled.is_counted
                AND q.account_digest = claimed.account_digest AND q.mail = settled.mail
        )"
    };
}

/// Records an outcome, and suppresses the address that it names, unless its customer was deleted or anonymized meanwhile. A mail that can't have been
/// sent is not counted any more. One whose bounce was reported after it was sent stays bounced.
const SETTLE: &str = concat!(
    "WITH claimed AS (
        SELECT account_digest, is_counted FROM deliveries WHERE event_id = $1
    ), settled AS (
        UPDATE deliveries SET status = $3, detail = $4, smtp_code = $5, smtp_enhanced_code = $6, relay = $7,
            next_attempt_at = now() + make_interval(secs => $8), sent_at = CASE WHEN $3 = 'sent' THEN now() END,
            attempts = attempts - CASE WHEN $10 THEN 0 ELSE 1 END,
            in_doubt = in_doubt + CASE WHEN $11 THEN 1 ELSE 0 END, lease_until = NULL, updated_at = now(),
            is_counted = is_counted AND ($3 = 'sent' OR $11 OR in_doubt > 0)
        WHERE event_id = $1
            AND ($3 = 'sent' AND claims >= $2 AND (status <> 'bounced' OR sent_at IS NULL) OR lease_until IS NOT NULL AND claims = $2)
        RETURNING organization_id, mode, customer_id, mail, is_counted, claims, claimed_at
    ), attempt AS (",
    record_attempt!(
        "LEAST($2, $13), $2, CASE WHEN claims = $2 THEN claimed_at END, now(), $12, $7, $5, $6, $4",
        "settled"
    ),
    "), ", uncount!(), ", suppression AS (
        INSERT INTO suppressions (organization_id, mode, email, reason, smtp_code, event_id)
        SELECT organization_id, mode, $9, $4, $5, $1 FROM settled s
        WHERE $9 IS NOT NULL
            AND EXISTS (SELECT FROM customers c WHERE c.id = s.customer_id AND c.anonymization_completed_at IS NULL)
        ON CONFLICT DO NOTHING
    )",
    complete_event!("$3 NOT IN ('queued', 'deferred', 'failed') AND EXISTS (SELECT FROM settled)"),
    "SELECT count(*) FROM settled"
);

/// Fails the mail of a rejected message. That is an attempt: of the claim that was not settled, or of one more. For `array_position` see
/// decision 8.
const REJECT: &str = concat!(
    "WITH claimed AS (
        SELECT account_digest, is_counted FROM deliveries WHERE event_id = $1
    ), settled AS (
        UPDATE deliveries d SET status = 'failed', detail = $3, smtp_code = NULL, smtp_enhanced_code = NULL, relay = NULL,
            next_attempt_at = NULL, updated_at = now(), lease_until = NULL,
            claims = claims + CASE WHEN lease_until IS NULL THEN 1 ELSE 0 END,
            claimed_at = CASE WHEN lease_until IS NULL THEN now() ELSE claimed_at END,
            in_doubt = in_doubt + CASE WHEN lease_until IS NULL THEN 0 ELSE 1 END,
            is_counted = is_counted AND (in_doubt > 0 OR lease_until IS NOT NULL)
        FROM events e
        WHERE d.event_id = $1 AND array_position(ARRAY['queued', 'deferred'], d.status) IS NOT NULL AND e.id = d.event_id AND e.payload = $2
        RETURNING d.mail, d.is_counted, d.claims, d.claimed_at
    ), attempt AS (",
    record_attempt!("GREATEST(LEAST(claims, $4), 1), claims, claimed_at, now(), 'failed', NULL, NULL, NULL, $3", "settled"),
    "), ", uncount!(),
    " SELECT count(*) FROM settled"
);

/// Makes the events of overdue mails due again. The index `deliveries_pending` has the few mails that it reads.
const REPUBLISH_OVERDUE: &str = "
    WITH overdue AS (
        SELECT e.id FROM deliveries d JOIN events e ON e.id = d.event_id
        WHERE d.status IN ('queued', 'deferred')
            AND GREATEST(d.created_at, d.next_attempt_at, d.lease_until) <= now() - make_interval(secs => $1)
            AND COALESCE(e.published_at, e.dead_at) + e.republish_after <= now()
        ORDER BY d.created_at LIMIT $2
        FOR UPDATE OF e SKIP LOCKED
    )
    UPDATE events e SET published_at = NULL, dead_at = NULL, dead_reason = NULL, available_at = now()
    FROM overdue WHERE e.id = overdue.id";

fn taken(row: &PgRow) -> Read<Claim> {
    Ok(match rows::optional_known(row, "discarded", Discarded::parse)? {
        Some(reason) => Claim::Discarded(reason),
        None => Claim::Granted(Box::new(rows::claimed_delivery(row, row)?)),
    })
}

/// Returns why a mail could not be claimed.
async fn refused(pool: &Pool, event: EventId) -> Result<Claim, StoreError> {
    let remaining: Option<f64> = sqlx::query_scalar(
        "SELECT CASE
             WHEN lease_until IS NOT NULL THEN GREATEST(0, EXTRACT(EPOCH FROM lease_until - now()))::float8
             WHEN status IN ('queued', 'deferred') THEN 0
         END
         FROM deliveries WHERE event_id = $1",
    )
    .bind(event.as_str())
    .fetch_one(pool)
    .await
    .map_err(map_db_error)?;
    Ok(remaining.map_or(Claim::Settled, |seconds| Claim::Busy(Duration::seconds_f64(seconds))))
}
