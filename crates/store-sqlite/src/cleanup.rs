use async_trait::async_trait;
use rekey_core::{
    cleanup::{Cleanup, PurgeKind},
    error::StoreError,
    ids::AuditId,
};
use rekey_sql::{Purgeable, rows::Read};
use sqlx::{AssertSqlSafe, SqliteConnection, types::Json};
use time::Duration;

use crate::{SqliteStore, after, audit_chain, erasure::erase, error::map_db_error, sign_ins};

#[async_trait]
impl Cleanup for SqliteStore {
    async fn is_permitted(&self) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn forget_decoys(&self, age: Duration, max: u32) -> Result<u32, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let decoys: Vec<String> = sqlx::query_scalar(
            "SELECT id FROM password_resets WHERE customer_id IS NULL AND created_at <= ?1
             ORDER BY created_at LIMIT ?2",
        )
        .bind(after(now, -age))
        .bind(max)
        .fetch_all(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        forget(&mut transaction, &decoys).await.map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(u32::try_from(decoys.len()).unwrap_or(u32::MAX))
    }

    async fn forget_quotas(&self, age: Duration, max: u32) -> Result<u64, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let mut forgotten = 0;
        for statement in [
            "DELETE FROM reset_cooldowns WHERE rowid IN (
                 SELECT rowid FROM reset_cooldowns WHERE last_reset_at <= ?1 LIMIT ?2)",
            "DELETE FROM mail_quotas WHERE rowid IN (
                 SELECT rowid FROM mail_quotas WHERE window_started_at <= ?1 LIMIT ?2)",
        ] {
            let query = sqlx::query(statement).bind(after(now, -age)).bind(max);
            forgotten += query.execute(&mut *transaction).await.map_err(map_db_error)?.rows_affected();
        }
        transaction.commit().await.map_err(map_db_error)?;
        Ok(forgotten)
    }

    async fn forget_guesses(&self, age: Duration, max: u32) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "DELETE FROM guess_counters WHERE rowid IN (
                 SELECT rowid FROM guess_counters WHERE last_guess_at <= ?1 LIMIT ?2)",
        )
        .bind(after(self.present(), -age))
        .bind(max)
        .execute(&self.writer)
        .await
        .map_err(map_db_error)?;
        Ok(done.rows_affected())
    }

    async fn end_sign_in_counts(&self, age: Duration, ids: &[AuditId]) -> Result<u64, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let ended =
            sign_ins::end_counts(&mut transaction, after(now, -age), ids).await.map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(ended)
    }

    async fn forget_email_changes(&self, age: Duration) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM email_changes WHERE created_at <= ?1")
            .bind(after(self.present(), -age))
            .execute(&self.writer)
            .await
            .map_err(map_db_error)?;
        Ok(done.rows_affected())
    }

    async fn erase(&self, retry_after: Duration, max: u32) -> Result<u64, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let done = erase(&mut transaction, after(now, retry_after), max, now).await.map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(done)
    }

    async fn purge(&self, kind: PurgeKind, age: Duration, max: u32) -> Result<u64, StoreError> {
        let Purgeable { table, key, dependents, .. } = Purgeable::for_kind(kind);
        let (mut transaction, present) = self.write().await?;
        if kind == PurgeKind::Audit {
            let purged = audit_chain::purge(&mut transaction, after(present, -age), max).await;
            let purged = purged.map_err(map_db_error)?;
            transaction.commit().await.map_err(map_db_error)?;
            return Ok(purged);
        }
        let old = format!(
            "SELECT json_group_array(id) FROM ({} LIMIT ?3)",
            select_purgeable(kind, &format!("x.{key} AS id"))
        );
        let query = sqlx::query_scalar(AssertSqlSafe(old)).bind(present).bind(after(present, -age)).bind(max);
        let old: String = query.fetch_one(&mut *transaction).await.map_err(map_db_error)?;
        let mut purged = 0;
        for (table, key) in dependents.into_iter().chain([(table, key)]) {
            let statement = format!("DELETE FROM {table} WHERE {key} IN (SELECT value FROM json_each(?1))");
            let query = sqlx::query(AssertSqlSafe(statement)).bind(&old);
            purged = query.execute(&mut *transaction).await.map_err(map_db_error)?.rows_affected();
        }
        transaction.commit().await.map_err(map_db_error)?;
        Ok(purged)
    }

    async fn count_purgeable(&self, kind: PurgeKind, age: Duration) -> Result<u64, StoreError> {
        let present = self.present();
        let statement = match kind {
            PurgeKind::Audit => audit_chain::select_purgeable("count(*)"),
            _ => select_purgeable(kind, "count(*)"),
        };
        let query = sqlx::query_scalar(AssertSqlSafe(statement));
        let count = query.bind(present).bind(after(present, -age)).fetch_one(&self.readers).await;
        Ok(count.map(i64::unsigned_abs).map_err(map_db_error)?)
    }
}

/// Returns the query that selects something of the records that may be deleted: ?1 is the present, ?2 the time until which they were
/// made. `CROSS JOIN` keeps the order of the tables, so that the records are found by their scope's index.
fn select_purgeable(kind: PurgeKind, columns: &str) -> String {
    let Purgeable { table, condition, .. } = Purgeable::for_kind(kind);
    format!(
        "SELECT {columns} FROM (SELECT ?1 AS now) t CROSS JOIN organizations o
         CROSS JOIN (SELECT 'test' AS mode UNION ALL SELECT 'live') m
         CROSS JOIN {table} x ON x.organization_id = o.id AND x.mode = m.mode AND x.created_at <= ?2 AND {condition}"
    )
}

async fn forget(connection: &mut SqliteConnection, decoys: &[String]) -> Read<()> {
    for statement in [
        "DELETE FROM deliveries WHERE event_id IN (
             SELECT id FROM events WHERE resource_id IN (SELECT value FROM json_each(?1))
         )",
        "DELETE FROM events WHERE resource_id IN (SELECT value FROM json_each(?1))",
        "DELETE FROM decoy_audit_entries WHERE id IN (
             SELECT entry_id FROM decoy_audit_personal_data WHERE resource_id IN (SELECT value FROM json_each(?1))
         )",
        "DELETE FROM decoy_audit_personal_data WHERE resource_id IN (SELECT value FROM json_each(?1))",
        "DELETE FROM password_resets WHERE id IN (SELECT value FROM json_each(?1))",
    ] {
        sqlx::query(statement).bind(Json(decoys)).execute(&mut *connection).await?;
    }
    Ok(())
}
