use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    key_rotation::{KeyChange, KeyKind, KeyLog},
};

use crate::{
    PostgresStore,
    error::map_db_error,
    events::{auditing, record_audit},
};

#[async_trait]
impl KeyLog for PostgresStore {
    async fn known_keys(&self, kind: KeyKind) -> Result<Option<Vec<String>>, StoreError> {
        sqlx::query_scalar("SELECT key_ids FROM known_keys WHERE kind = $1")
            .bind(kind.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(map_db_error)
    }

    async fn record_keys(&self, change: &KeyChange<'_>) -> Result<(), StoreError> {
        let KeyChange { kind, before, now, audit, entries } = change;
        let statement = match kind {
            KeyKind::SigningKeys => record_keys!("signing_keys"),
            KeyKind::SealingKeys => record_keys!("sealing_keys"),
        };
        auditing(statement, None, audit)
            .bind(kind.as_str())
            .bind(before)
            .bind(now)
            .bind(entries.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>())
            .bind(entries.iter().map(|(scope, _)| scope.organization.as_str()).collect::<Vec<_>>())
            .bind(entries.iter().map(|(scope, _)| scope.mode.as_str()).collect::<Vec<_>>())
            .execute(&self.pool)
            .await
            .map_err(map_db_error)?;
        Ok(())
    }
}

/// The first keys are inserted, others replace those that were read before. The second of two simultaneous calls changes no row.
macro_rules! record_keys {
    ($kind:literal) => {
        concat!(
            "WITH fact AS (
                INSERT INTO known_keys AS k (kind, key_ids) VALUES ($11, $13)
                ON CONFLICT (kind) DO UPDATE SET key_ids = excluded.key_ids, updated_at = now(),
                    current_since = CASE WHEN k.key_ids[1] = excluded.key_ids[1] THEN k.current_since ELSE now() END
                WHERE k.key_ids = $12
                RETURNING key_ids[1] AS id
            ), scope AS (
                SELECT fact.id, given.* FROM fact CROSS JOIN unnest($14::text[], $15::text[], $16::text[])
                    AS given (audit_id, organization_id, mode)
            )",
            record_audit!(
                "audit",
                $kind,
                "NULL",
                "FROM scope",
                "audit_id",
                "$4",
                "$10",
                "organization_id, mode",
                " JOIN scope ON audit_id = entry_id"
            ),
            "SELECT FROM fact"
        )
    };
}
use record_keys;
