use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    events::outbox::{ClaimedMessage, Outbox, REPUBLISH_AFTER, Settlement},
};
use rekey_sql::rows;
use time::Duration;

use crate::{PostgresStore, error::map_db_error};

/// Each statement is planned when it is executed: a plan that was kept since the table was small would read all of the grown table.
///
/// Claims and publications are committed without waiting for the disk. A crash of the server undoes at most the last 0.6 s of them (three times
/// `wal_writer_delay`), and a failover those that its standby had not received. Their events are published again: the consumers know them by
/// their ids. `set_config` with `true` ends with the statement's transaction, so the next user of the connection does not get the setting.
#[async_trait]
impl Outbox for PostgresStore {
    async fn claim_messages(&self, lease: Duration, max: u32) -> Result<Vec<ClaimedMessage>, StoreError> {
        // Rows that another claimer has locked are skipped, so nobody waits; those it has claimed are not due.
        let rows = sqlx::query(
            "WITH due AS MATERIALIZED (
                 SELECT id, available_at FROM events
                 WHERE published_at IS NULL AND dead_at IS NULL AND available_at <= now()
                 ORDER BY available_at, id LIMIT $2
                 FOR UPDATE SKIP LOCKED
             ), claimed AS (
                 UPDATE events e SET available_at = now() + make_interval(secs => $1), attempts = attempts + 1
                 FROM due, set_config('synchronous_commit', 'off', true) WHERE e.id = due.id
                 RETURNING e.id, e.name, e.payload, e.attempts, due.available_at AS due_at
             )
             SELECT id, name, payload, attempts FROM claimed ORDER BY due_at, id",
        )
        .bind(lease.as_seconds_f64())
        .bind(i64::from(max))
        .persistent(false)
        .fetch_all(&self.pool)
        .await
        .map_err(map_db_error)?;
        rows.iter().map(rows::claimed_message).collect::<Result<_, _>>().map_err(map_db_error)
    }

    async fn settle_messages(&self, settlements: &[Settlement]) -> Result<(), StoreError> {
        let (mut published, mut later, mut dead) =
            (Vec::new(), (Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for settlement in settlements {
            match settlement {
                Settlement::Published(id) => published.push(id.to_string()),
                Settlement::Later(id, delay) => {
                    later.0.push(id.to_string());
                    later.1.push(delay.as_seconds_f64());
                }
                Settlement::Dead(id, reason) => {
                    dead.0.push(id.to_string());
                    dead.1.push(reason.clone());
                }
            }
        }
        let republish_after = REPUBLISH_AFTER.as_seconds_f64();
        for (is_empty, statement) in [
            (published.is_empty(), sqlx::query(PUBLISHED).bind(published).bind(republish_after)),
            (later.0.is_empty(), sqlx::query(LATER).bind(later.0).bind(later.1)),
            (dead.0.is_empty(), sqlx::query(DEAD).bind(dead.0).bind(dead.1).bind(republish_after)),
        ] {
            if !is_empty {
                statement.persistent(false).execute(&self.pool).await.map_err(map_db_error)?;
            }
        }
        Ok(())
    }
}

// Statements that settle messages: $1 is their ids. `COALESCE` keeps the look-ups from the index of all waiting events: see decision 8. The mail
// may be settled meanwhile: see `complete_event!`.

/// $2: `REPUBLISH_AFTER`, in seconds.
const PUBLISHED: &str = "
    WITH published AS MATERIALIZED (
        SELECT id, EXISTS (
            SELECT FROM deliveries d WHERE d.event_id = id AND d.status IN ('queued', 'deferred', 'failed')
        ) AS has_mail
        FROM UNNEST($1::text[]) AS published (id)
    )
    UPDATE events e SET published_at = now(), dead_at = NULL, dead_reason = NULL,
        payload = CASE WHEN has_mail AND republish_after IS DISTINCT FROM interval '0' THEN payload END,
        republish_after = CASE WHEN has_mail AND republish_after IS DISTINCT FROM interval '0' THEN
            COALESCE(republish_after * 2, make_interval(secs => $2)) END
    FROM published, set_config('synchronous_commit', 'off', true)
    WHERE e.id = published.id AND published_at IS NULL";

/// $2: seconds from now.
const LATER: &str = "
    UPDATE events e SET available_at = now() + make_interval(secs => later.delay)
    FROM UNNEST($1::text[], $2::float8[]) AS later (id, delay)
    WHERE e.id = later.id AND COALESCE(e.published_at, e.dead_at) IS NULL";

/// $2: the reasons; $3: `REPUBLISH_AFTER`, in seconds.
const DEAD: &str = "
    UPDATE events e SET dead_at = now(), dead_reason = dead.reason,
        republish_after = COALESCE(republish_after * 2, make_interval(secs => $3))
    FROM UNNEST($1::text[], $2::text[]) AS dead (id, reason)
    WHERE e.id = dead.id AND COALESCE(e.published_at, e.dead_at) IS NULL";
