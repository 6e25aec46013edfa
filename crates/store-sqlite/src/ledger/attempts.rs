//! The attempts at mails, in the transactions that claim and settle them.

use rekey_core::{
    deliveries::{CLAIM_RAN_OUT, MAX_ATTEMPTS, Settled},
    ids::EventId,
};
use rekey_sql::rows::Read;
use sqlx::SqliteConnection;

/// Records an attempt at a mail: its event is ?1, the other columns have `$values`, for each row of `$from`. The last place has the latest attempt.
/// A claim that version 0.1.0 made has the number 0, and the first place.
macro_rules! record_attempt {
    ($values:literal, $from:literal) => {
        concat!(
            "INSERT INTO delivery_attempts AS a (event_id, place, claim, started_at, ended_at, outcome, relay, smtp_code,
                 smtp_enhanced_code, detail)
             SELECT ?1, ", $values, " FROM ", $from, "
             ON CONFLICT (event_id, place) DO UPDATE SET claim = excluded.claim, ended_at = excluded.ended_at,
                 started_at = CASE WHEN a.claim = excluded.claim THEN a.started_at ELSE excluded.started_at END,
                 outcome = excluded.outcome, relay = excluded.relay, smtp_code = excluded.smtp_code,
                 smtp_enhanced_code = excluded.smtp_enhanced_code, detail = excluded.detail"
        )
    };
}

/// Records that a claim of the mail has ended without being settled, if one has.
pub(super) async fn record_ran_out(
    connection: &mut SqliteConnection,
    event: EventId,
    present: i64,
) -> Read<()> {
    sqlx::query(record_attempt!(
        "max(min(claims, ?3), 1), claims, claimed_at, lease_until, 'in_doubt', NULL, NULL, NULL, ?4",
        "deliveries WHERE event_id = ?1 AND lease_until <= ?2"
    ))
    .bind(event.as_str())
    .bind(present)
    .bind(MAX_ATTEMPTS)
    .bind(CLAIM_RAN_OUT)
    .execute(connection)
    .await?;
    Ok(())
}

/// Records the attempt of a claim that was settled.
pub(super) async fn record_attempt(
    connection: &mut SqliteConnection,
    event: EventId,
    claim: u32,
    settled: &Settled<'_>,
    present: i64,
) -> Read<()> {
    sqlx::query(record_attempt!(
        "min(?2, ?3), ?2, CASE WHEN claims = ?2 THEN claimed_at END, ?4, ?5, ?6, ?7, ?8, ?9",
        "deliveries WHERE event_id = ?1"
    ))
    .bind(event.as_str())
    .bind(claim)
    .bind(MAX_ATTEMPTS)
    .bind(present)
    .bind(settled.outcome.as_str())
    .bind(settled.relay)
    .bind(settled.reply.map(|reply| reply.code))
    .bind(settled.reply.and_then(|reply| reply.enhanced.as_deref()))
    .bind(settled.detail)
    .execute(connection)
    .await?;
    Ok(())
}
