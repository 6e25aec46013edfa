//! What `rekey key` reads: which keys the API was started with, and what they are needed for.

use rekey_core::{error::StoreError, key_rotation::KeyKind};
use rekey_sql::rows::Read;
use sqlx::Row;
use time::OffsetDateTime;

use crate::{PostgresStore, error::map_db_error};

/// The keys that the API was started with last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKeys {
    /// What they are for.
    pub kind: KeyKind,
    /// Their ids, that of the key in use first.
    pub ids: Vec<String>,
    /// When the API was first started with them.
    pub since: OffsetDateTime,
    /// How many seconds ago that was.
    pub age: i64,
}

/// What a sealing key is needed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedCount {
    /// The key's id.
    pub key_id: String,
    /// Resets that can still be used.
    pub resets: u64,
    /// Events that are not published, or whose mail is not settled.
    pub events: u64,
    /// Stored answers to requests with an idempotency key.
    pub answers: u64,
    /// Secrets of webhooks, and what webhooks are still to be sent.
    pub webhooks: u64,
}

impl PostgresStore {
    /// Returns the keys that the API was started with last.
    pub async fn known_key_lists(&self) -> Result<Vec<KnownKeys>, StoreError> {
        let rows = sqlx::query(
            "SELECT kind, key_ids, updated_at, extract(epoch FROM now() - updated_at)::bigint AS age FROM known_keys",
        ).fetch_all(&self.pool).await;
        let rows = rows.map_err(map_db_error)?;
        let kinds = [KeyKind::SigningKeys, KeyKind::SealingKeys];
        let known = rows.iter().map(|row| {
            let name: String = row.try_get("kind")?;
            let Some(kind) = kinds.into_iter().find(|kind| kind.as_str() == name) else { return Ok(None) };
            Ok(Some(KnownKeys {
                kind,
                ids: row.try_get("key_ids")?,
                since: row.try_get("updated_at")?,
                age: row.try_get("age")?,
            }))
        });
        let known = known.collect::<Read<Vec<_>>>().map_err(map_db_error)?;
        Ok(known.into_iter().flatten().collect())
    }

    /// Counts what is still needed that a sealing key has encrypted or signed.
    pub async fn sealed_counts(&self) -> Result<Vec<SealedCount>, StoreError> {
        let rows =
            sqlx::query(SEALED).fetch_all(&mut self.connect_alone().await?).await.map_err(map_db_error)?;
        let counts = rows.iter().map(|row| {
            let count = |column| row.try_get(column).map(i64::unsigned_abs);
            Ok(SealedCount {
                key_id: row.try_get("key_id")?,
                resets: count("resets")?,
                events: count("events")?,
                answers: count("answers")?,
                webhooks: count("webhooks")?,
            })
        });
        counts.collect::<Read<_>>().map_err(map_db_error)
    }
}

/// The id of the key that sealed a column: its length is the first byte.
macro_rules! key_of_sealed {
    ($column:literal) => {
        concat!("encode(substring(", $column, " FROM 2 FOR get_byte(", $column, ", 0)), 'escape')")
    };
}

/// Rows that are still of use. Resets are found by the longest time that a token lives, a week, in the index of each scope's unused ones; so
/// are mails that failed, which an operator may have sent again. A signed event ends with the id of its key and 34 bytes of its signature; the
/// id's length, a control character, is before it.
const SEALED: &str = concat!(
    "WITH reset AS (
        SELECT ",
    key_of_sealed!("r.sealed_token"),
    " AS key_id FROM organizations o CROSS JOIN (VALUES ('test'), ('live')) m (mode)
        JOIN password_resets r ON r.organization_id = o.id AND r.mode = m.mode AND r.created_at > now() - interval '8 days'
            AND r.reset_password_at IS NULL AND r.superseded_at IS NULL AND r.expires_at > now() AND r.customer_id IS NOT NULL
            AND length(r.sealed_token) > 0
    ), waiting AS (
        SELECT payload FROM events WHERE published_at IS NULL AND dead_at IS NULL
        UNION ALL
        SELECT e.payload FROM deliveries d JOIN events e ON e.id = d.event_id AND e.published_at IS NOT NULL
        WHERE d.status IN ('queued', 'deferred')
        UNION ALL
        SELECT e.payload FROM organizations o CROSS JOIN (VALUES ('test'), ('live')) m (mode)
        JOIN deliveries d ON d.organization_id = o.id AND d.mode = m.mode AND d.status = 'failed'
            AND d.created_at > now() - interval '8 days'
        JOIN events e ON e.id = d.event_id AND e.published_at IS NOT NULL
    ), event AS (
        SELECT substring(encode(substring(payload FROM greatest(length(payload) - 50, 1) FOR 17), 'escape') FROM '[a-z0-9-]+$') AS key_id
        FROM waiting WHERE payload IS NOT NULL
    ), answer AS (
        SELECT ",
    key_of_sealed!("answer"),
    " AS key_id FROM idempotency_keys WHERE expires_at > now() AND length(answer) > 0
    ), webhook AS (
        SELECT ",
    key_of_sealed!("sealed_secret"),
    " AS key_id FROM webhooks UNION ALL SELECT ",
    key_of_sealed!("former_secret"),
    " FROM webhooks WHERE former_secret_until > now() UNION ALL SELECT ",
    key_of_sealed!("c.sealed_payload"),
    " FROM webhooks w JOIN event_callbacks c ON c.webhook_id = w.id AND c.due_at IS NOT NULL
    )
    SELECT key_id, count(*) FILTER (WHERE kind = 1) AS resets, count(*) FILTER (WHERE kind = 2) AS events,
        count(*) FILTER (WHERE kind = 3) AS answers, count(*) FILTER (WHERE kind = 4) AS webhooks
    FROM (
        SELECT 1 AS kind, key_id FROM reset UNION ALL SELECT 2, key_id FROM event UNION ALL SELECT 3, key_id FROM answer
        UNION ALL SELECT 4, key_id FROM webhook
    ) sealed
    WHERE key_id IS NOT NULL GROUP BY key_id ORDER BY key_id"
);
