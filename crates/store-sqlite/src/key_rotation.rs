use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    events::audit::AuditEntry,
    key_rotation::{KeyChange, KeyKind, KeyLog},
};
use sqlx::types::Json;

use crate::{
    SqliteStore,
    error::map_db_error,
    events::{Entry, LOG, write_entries},
};

#[async_trait]
impl KeyLog for SqliteStore {
    async fn known_keys(&self, kind: KeyKind) -> Result<Option<Vec<String>>, StoreError> {
        let known: Option<Json<Vec<String>>> =
            sqlx::query_scalar("SELECT key_ids FROM known_keys WHERE kind = ?1")
                .bind(kind.as_str())
                .fetch_optional(&self.readers)
                .await
                .map_err(map_db_error)?;
        Ok(known.map(|Json(ids)| ids))
    }

    async fn record_keys(&self, change: &KeyChange<'_>) -> Result<(), StoreError> {
        let KeyChange { kind, before, now: ids, audit, entries } = change;
        let (mut transaction, now) = self.write().await?;
        let done = sqlx::query(
            "INSERT INTO known_keys AS k (kind, key_ids, updated_at, current_since) VALUES (?1, ?3, ?4, ?4)
             ON CONFLICT (kind) DO UPDATE SET key_ids = excluded.key_ids, updated_at = ?4,
                 current_since = CASE WHEN k.key_ids ->> 0 = excluded.key_ids ->> 0 THEN k.current_since ELSE ?4 END
             WHERE k.key_ids = ?2",
        )
        .bind(kind.as_str())
        .bind(before.map(Json))
        .bind(Json(ids))
        .bind(now)
        .execute(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        let Some(current) = ids.first().filter(|_| done.rows_affected() > 0) else { return Ok(()) };
        let audits: Vec<_> =
            entries.iter().map(|(scope, id)| (*scope, AuditEntry { id: *id, ..(*audit).clone() })).collect();
        let entries: Vec<_> = audits
            .iter()
            .map(|(scope, audit)| Entry::new(audit, *scope, kind.as_str(), current, now))
            .collect();
        write_entries(&mut transaction, LOG, &entries).await.map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)
    }
}
