use async_trait::async_trait;
use rekey_core::{cleanup::Cleanup, error::StoreError};
use rekey_sql::rows::Read;
use sqlx::{SqliteConnection, types::Json};
use time::Duration;

use crate::{SqliteStore, after, error::map_db_error};

#[async_trait]
impl Cleanup for SqliteStore {
    async fn forget_decoys(&self, age: Duration, most: u32) -> Result<u32, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let decoys: Vec<String> = sqlx::query_scalar(
            "SELECT id FROM password_resets WHERE customer_id IS NULL AND created_at <= ?1
             ORDER BY created_at LIMIT ?2",
        )
        .bind(after(now, -age))
        .bind(most)
        .fetch_all(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        forget(&mut transaction, &decoys).await.map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(u32::try_from(decoys.len()).unwrap_or(u32::MAX))
    }

    async fn forget_quotas(&self, age: Duration) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM reset_quotas WHERE last_reset_at <= ?1")
            .bind(after(self.present(), -age))
            .execute(&self.writer)
            .await
            .map_err(map_db_error)?;
        Ok(done.rows_affected())
    }

    async fn forget_guesses(&self, age: Duration) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM code_guesses WHERE window_started_at <= ?1")
            .bind(after(self.present(), -age))
            .execute(&self.writer)
            .await
            .map_err(map_db_error)?;
        Ok(done.rows_affected())
    }
}

async fn forget(connection: &mut SqliteConnection, decoys: &[String]) -> Read<()> {
    for statement in [
        "DELETE FROM deliveries WHERE event_id IN (
             SELECT id FROM events WHERE resource_id IN (SELECT value FROM json_each(?1))
         )",
        "DELETE FROM events WHERE resource_id IN (SELECT value FROM json_each(?1))",
        "DELETE FROM audit_entries WHERE resource_id IN (SELECT value FROM json_each(?1))",
        "DELETE FROM password_resets WHERE id IN (SELECT value FROM json_each(?1))",
    ] {
        sqlx::query(statement).bind(Json(decoys)).execute(&mut *connection).await?;
    }
    Ok(())
}
