use async_trait::async_trait;
use rekey_core::{
    clock::to_unix_microseconds,
    error::StoreError,
    limits::{RateLimits, SLOT, WINDOW, WindowCounts, slot_start},
};

use rekey_sql::rows;
use sqlx::types::Json;

use crate::{SqliteStore, after, error::map_db_error};

#[async_trait]
impl RateLimits for SqliteStore {
    async fn count_hits(&self, window: &str, hits: &[i64]) -> Result<WindowCounts, StoreError> {
        let mut transaction = self.counters.begin_with("BEGIN IMMEDIATE").await.map_err(map_db_error)?;
        let at = self.clock.now();
        let slot = to_unix_microseconds(slot_start(at));
        sqlx::query(
            "INSERT INTO rate_limit_slots (window_name, started_at, hits)
             SELECT ?1, ?2 - ?3 * key, value FROM json_each(?4) WHERE value <> 0 OR key = 0
             ON CONFLICT (window_name, started_at) DO UPDATE SET hits = hits + excluded.hits",
        )
        .bind(window)
        .bind(slot)
        .bind(after(0, SLOT))
        .bind(Json(hits))
        .execute(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        let rows = sqlx::query(
            "SELECT started_at, hits FROM rate_limit_slots
             WHERE window_name = ?1 AND started_at BETWEEN ?2 AND ?3 ORDER BY started_at",
        )
        .bind(window)
        .bind(after(slot, -WINDOW))
        .bind(slot)
        .fetch_all(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        let slots = rows.iter().map(rows::slot).collect::<Result<_, _>>().map_err(map_db_error)?;
        Ok(WindowCounts { at, slots })
    }

    async fn sweep_hits(&self) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM rate_limit_slots WHERE started_at < ?1")
            .bind(after(self.present(), -(WINDOW + SLOT)))
            .execute(&self.counters)
            .await
            .map_err(map_db_error)?;
        Ok(done.rows_affected())
    }
}
