use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    limits::{RateLimits, SLOT, WINDOW, WindowCounts},
};
use rekey_sql::rows::{self, Read};
use sqlx::{Row, postgres::PgRow};

use crate::{PostgresStore, error::map_db_error};

#[async_trait]
impl RateLimits for PostgresStore {
    async fn count_hits(&self, window: &str, hits: &[i64]) -> Result<WindowCounts, StoreError> {
        // A statement's SELECT doesn't see what it inserts: `counted` has the slots with new hits, the table the others. Simultaneous
        // calls lock slots in the same order, newest first.
        let rows = sqlx::query(
            "WITH present AS (
                 SELECT now() AS at, to_timestamp(floor(extract(epoch FROM now()) / $3) * $3) AS slot
             ), counted AS (
                 INSERT INTO rate_limit_slots AS s (window_name, started_at, hits)
                 SELECT $1, slot - make_interval(secs => $3 * (n - 1)), hits
                 FROM present, unnest($2::bigint[]) WITH ORDINALITY AS h (hits, n) WHERE hits <> 0 OR n = 1 ORDER BY n
                 ON CONFLICT (window_name, started_at) DO UPDATE SET hits = s.hits + excluded.hits
                 RETURNING started_at, hits
             )
             SELECT at, started_at, hits FROM present, counted
             UNION ALL
             SELECT p.at, s.started_at, s.hits FROM present p JOIN rate_limit_slots s
             ON s.window_name = $1 AND s.started_at <= p.slot AND s.started_at >= p.slot - make_interval(secs => $4)
             AND s.started_at NOT IN (SELECT started_at FROM counted)
             ORDER BY started_at",
        )
        .bind(window)
        .bind(hits)
        .bind(SLOT.as_seconds_f64())
        .bind(WINDOW.as_seconds_f64())
        .fetch_all(&self.pool)
        .await
        .map_err(map_db_error)?;
        counts(&rows).map_err(map_db_error)
    }

    async fn sweep_hits(&self) -> Result<u64, StoreError> {
        let done =
            sqlx::query("DELETE FROM rate_limit_slots WHERE started_at < now() - make_interval(secs => $1)")
                .bind((WINDOW + SLOT).as_seconds_f64())
                .execute(&self.pool)
                .await
                .map_err(map_db_error)?;
        Ok(done.rows_affected())
    }
}

fn counts(rows: &[PgRow]) -> Read<WindowCounts> {
    let at = rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get("at")?;
    Ok(WindowCounts { at, slots: rows.iter().map(rows::slot).collect::<Read<_>>()? })
}
