//! What only the console reads. Each statement reads a bounded number of rows, by an index.

use rekey_core::{
    deliveries::{AttemptOutcome, Status, suppression::Suppression},
    error::StoreError,
    ids::EventId,
    scope::Mode,
};
use rekey_sql::rows::{self, Read};
use sqlx::{Row, postgres::PgRow};
use time::OffsetDateTime;

use crate::{PostgresStore, error::map_db_error};

/// Up to how many mails of an organization, mode and status are counted.
pub const MAX_MAILS_COUNTED: i64 = 100_000;
/// How many of the live mails that changed last show what the relays replied.
pub const RECENT_MAILS: i64 = 500;

/// The mails of today in one status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailCount {
    /// Test or live.
    pub mode: Mode,
    /// The status.
    pub status: Status,
    /// How many.
    pub count: u64,
}

/// What a relay replied last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayReply {
    /// The relay: its host and port.
    pub relay: String,
    /// When.
    pub at: OffsetDateTime,
    /// The mail.
    pub delivery: EventId,
    /// What that meant for the mail.
    pub outcome: AttemptOutcome,
    /// The text of the reply, or the reason.
    pub detail: Option<String>,
}

impl PostgresStore {
    /// Counts the mails that were made since midnight, UTC: of each status and mode that has any, those of decoys included, up to
    /// [`MAX_MAILS_COUNTED`] for an organization.
    pub async fn mails_today(&self) -> Result<Vec<MailCount>, StoreError> {
        let rows = sqlx::query(MAILS_TODAY)
            .bind(MAX_MAILS_COUNTED)
            .persistent(false)
            .fetch_all(&self.pool)
            .await
            .map_err(map_db_error)?;
        rows.iter().map(mail_count).collect::<Read<_>>().map_err(map_db_error)
    }

    /// Returns the last success and the last failure of each relay, as far as the [`RECENT_MAILS`] show them, by relay. A failure is that of
    /// the relay that its detail begins with.
    pub async fn relay_replies(&self) -> Result<Vec<RelayReply>, StoreError> {
        let query = sqlx::query(RELAY_REPLIES).bind(RECENT_MAILS).persistent(false);
        let rows = query.fetch_all(&self.pool).await.map_err(map_db_error)?;
        rows.iter().map(relay_reply).collect::<Read<_>>().map_err(map_db_error)
    }

    /// Returns which of these are ids of deliveries.
    pub async fn known_deliveries(&self, ids: &[&str]) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query_scalar("SELECT event_id FROM deliveries WHERE event_id = ANY ($1)").bind(ids);
        query.fetch_all(&self.pool).await.map_err(map_db_error)
    }

    /// Returns the suppressed addresses that begin with that text, at most `limit`, by organization, mode and address.
    pub async fn find_suppressions(&self, start: &str, limit: u32) -> Result<Vec<Suppression>, StoreError> {
        let rows = sqlx::query(FIND_SUPPRESSIONS)
            .bind(start)
            // No address has a character after this one.
            .bind(format!("{start}\u{7f}"))
            .bind(i64::from(limit))
            .persistent(false)
            .fetch_all(&self.pool)
            .await
            .map_err(map_db_error)?;
        rows.iter().map(rows::suppression).collect::<Read<_>>().map_err(map_db_error)
    }
}

/// By the index `deliveries_status`.
const MAILS_TODAY: &str = "
    SELECT m.mode, s.status, sum(counted.count)::bigint AS count
    FROM organizations o CROSS JOIN (VALUES ('live'), ('test')) m (mode)
    CROSS JOIN (VALUES ('queued'), ('sent'), ('deferred'), ('bounced'), ('suppressed'), ('expired'), ('failed'), ('discarded')) s (status)
    CROSS JOIN LATERAL (
        SELECT count(*) AS count FROM (
            SELECT FROM deliveries d
            WHERE d.organization_id = o.id AND d.mode = m.mode AND d.status = s.status
                AND d.created_at >= date_trunc('day', now(), 'UTC')
            LIMIT $1
        ) found
    ) counted
    WHERE counted.count > 0
    GROUP BY m.mode, s.status";

/// By the index `deliveries_updated`, and the key of attempts. Relays are named by host and port.
const RELAY_REPLIES: &str = r"
    SELECT DISTINCT ON (relay, outcome = 'sent') relay, ended_at, event_id, outcome, detail
    FROM (
        SELECT a.event_id, a.ended_at, a.outcome, a.detail,
            COALESCE(a.relay, substring(a.detail FROM '^(\S+:\d+): ')) AS relay
        FROM (
            SELECT d.event_id FROM organizations o CROSS JOIN LATERAL (
                SELECT d.event_id, d.updated_at FROM deliveries d WHERE d.organization_id = o.id AND d.mode = 'live'
                ORDER BY d.updated_at DESC, d.event_id DESC LIMIT $1
            ) d
            ORDER BY d.updated_at DESC LIMIT $1
        ) d
        JOIN delivery_attempts a ON a.event_id = d.event_id
    ) attempt
    WHERE relay IS NOT NULL
    ORDER BY relay, outcome = 'sent', ended_at DESC";

/// By the primary key.
const FIND_SUPPRESSIONS: &str = "
    SELECT o.slug, s.mode, s.email, s.reason, s.smtp_code, s.event_id, s.created_at
    FROM organizations o CROSS JOIN (VALUES ('live'), ('test')) m (mode) CROSS JOIN LATERAL (
        SELECT s.mode, s.email, s.reason, s.smtp_code, s.event_id, s.created_at FROM suppressions s
        WHERE s.organization_id = o.id AND s.mode = m.mode AND s.email >= $1 AND s.email < $2
        ORDER BY s.email LIMIT $3
    ) s
    ORDER BY o.slug, s.mode, s.email LIMIT $3";

fn mail_count(row: &PgRow) -> Read<MailCount> {
    Ok(MailCount {
        mode: rows::known(row, "mode", Mode::parse)?,
        status: rows::known(row, "status", Status::parse)?,
        count: row.try_get::<i64, _>("count")?.unsigned_abs(),
    })
}

fn relay_reply(row: &PgRow) -> Read<RelayReply> {
    Ok(RelayReply {
        relay: row.try_get("relay")?,
        at: row.try_get("ended_at")?,
        delivery: rows::parsed(row, "event_id")?,
        outcome: rows::known(row, "outcome", AttemptOutcome::parse)?,
        detail: row.try_get("detail")?,
    })
}
