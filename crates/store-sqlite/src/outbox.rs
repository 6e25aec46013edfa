use async_trait::async_trait;
use rekey_core::{
    event::EventName,
    outbox::{ClaimedMessage, Outbox, OutboxMessage, Settlement},
    store::StoreError,
};
use sqlx::{Row, sqlite::SqliteRow};
use time::Duration;

use crate::{
    SqliteStore,
    error::fault,
    rows::{self, after},
};

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
        .map_err(fault)?;
        let claimed = rows.iter().map(claimed_message).collect::<Result<Vec<_>, _>>().map_err(fault)?;
        for claim in &claimed {
            sqlx::query("UPDATE events SET available_at = ?2, attempts = attempts + 1 WHERE id = ?1")
                .bind(claim.message.id.as_str())
                .bind(after(present, lease))
                .execute(&mut *transaction)
                .await
                .map_err(fault)?;
        }
        transaction.commit().await.map_err(fault)?;
        Ok(claimed)
    }

    async fn settle_messages(&self, settlements: &[Settlement]) -> Result<(), StoreError> {
        let (mut transaction, present) = self.write().await?;
        for settlement in settlements {
            let statement = match settlement {
                Settlement::Published(id) => sqlx::query(
                    "UPDATE events SET published_at = ?2, payload = NULL, dead_at = NULL, dead_reason = NULL
                     WHERE id = ?1 AND published_at IS NULL",
                )
                .bind(id.as_str())
                .bind(present),
                Settlement::Later(id, delay) => sqlx::query(
                    "UPDATE events SET available_at = ?2 WHERE id = ?1 AND published_at IS NULL AND dead_at IS NULL",
                )
                .bind(id.as_str())
                .bind(after(present, *delay)),
                Settlement::Dead(id, reason) => sqlx::query(
                    "UPDATE events SET dead_at = ?2, dead_reason = ?3
                     WHERE id = ?1 AND published_at IS NULL AND dead_at IS NULL",
                )
                .bind(id.as_str())
                .bind(present)
                .bind(reason),
            };
            statement.execute(&mut *transaction).await.map_err(fault)?;
        }
        transaction.commit().await.map_err(fault)
    }
}

fn claimed_message(row: &SqliteRow) -> Result<ClaimedMessage, sqlx::Error> {
    Ok(ClaimedMessage {
        message: OutboxMessage {
            id: rows::parsed(row, "id")?,
            name: rows::known(row, "name", EventName::parse)?,
            payload: row.try_get("payload")?,
        },
        attempt: row.try_get("attempts")?,
    })
}
