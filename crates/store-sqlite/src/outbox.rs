use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    events::outbox::{ClaimedMessage, Outbox, REPUBLISH_AFTER, Settlement},
};
use rekey_sql::rows;
use serde_json::json;
use sqlx::types::Json;
use time::Duration;

use crate::{SqliteStore, after, error::map_db_error};

#[async_trait]
impl Outbox for SqliteStore {
    async fn claim_messages(&self, lease: Duration, max: u32) -> Result<Vec<ClaimedMessage>, StoreError> {
        let (mut transaction, present) = self.write().await?;
        // Read before it is changed: `UPDATE … RETURNING` promises no order.
        let rows = sqlx::query(
            "SELECT id, name, payload, attempts + 1 AS attempts FROM events
             WHERE published_at IS NULL AND dead_at IS NULL AND available_at <= ?1
             ORDER BY available_at, id LIMIT ?2",
        )
        .bind(present)
        .bind(max)
        .fetch_all(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        let claimed =
            rows.iter().map(rows::claimed_message).collect::<Result<Vec<_>, _>>().map_err(map_db_error)?;
        if claimed.is_empty() {
            return Ok(claimed);
        }
        let ids: Vec<_> = claimed.iter().map(|claim| claim.message.id.as_str()).collect();
        sqlx::query(
            "UPDATE events SET available_at = ?1, attempts = attempts + 1
             WHERE id IN (SELECT value FROM json_each(?2))",
        )
        .bind(after(present, lease))
        .bind(Json(ids))
        .execute(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(claimed)
    }

    async fn settle_messages(&self, settlements: &[Settlement]) -> Result<(), StoreError> {
        if settlements.is_empty() {
            return Ok(());
        }
        let (mut published, mut later, mut dead) = (Vec::new(), Vec::new(), Vec::new());
        for settlement in settlements {
            match settlement {
                Settlement::Published(id) => published.push(json!([id.as_str()])),
                Settlement::Later(id, delay) => later.push(json!([id.as_str(), after(0, *delay)])),
                Settlement::Dead(id, reason) => dead.push(json!([id.as_str(), reason])),
            }
        }
        let (mut transaction, present) = self.write().await?;
        for (statement, outcomes) in [(PUBLISHED, published), (LATER, later), (DEAD, dead)] {
            if !outcomes.is_empty() {
                let settle =
                    sqlx::query(statement).bind(present).bind(Json(outcomes)).bind(after(0, REPUBLISH_AFTER));
                settle.execute(&mut *transaction).await.map_err(map_db_error)?;
            }
        }
        transaction.commit().await.map_err(map_db_error)
    }
}

// One statement for each outcome: ?1 is the present, ?2 a JSON array of `[id, delay or reason]`, ?3 REPUBLISH_AFTER.
const PUBLISHED: &str = "
    UPDATE events SET published_at = ?1, dead_at = NULL, dead_reason = NULL, payload = CASE WHEN has_mail THEN payload END,
        republish_after = CASE WHEN has_mail THEN COALESCE(republish_after * 2, ?3) END
    FROM (
        SELECT value ->> 0 AS id, EXISTS (
            SELECT 1 FROM deliveries WHERE event_id = value ->> 0 AND status IN ('queued', 'deferred', 'failed')
        ) AS has_mail
        FROM json_each(?2)
    ) published
    WHERE events.id = published.id AND published_at IS NULL";
const LATER: &str = "
    UPDATE events SET available_at = ?1 + (outcome.value ->> 1)
    FROM json_each(?2) outcome WHERE events.id = outcome.value ->> 0 AND published_at IS NULL AND dead_at IS NULL";
const DEAD: &str = "
    UPDATE events SET dead_at = ?1, dead_reason = outcome.value ->> 1, republish_after = COALESCE(republish_after * 2, ?3)
    FROM json_each(?2) outcome WHERE events.id = outcome.value ->> 0 AND published_at IS NULL AND dead_at IS NULL";
