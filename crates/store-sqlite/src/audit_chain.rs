use async_trait::async_trait;
use rekey_core::{
    cleanup::PurgeKind,
    clock::{from_unix_microseconds, to_unix_microseconds},
    error::StoreError,
    events::audit::chain::{AuditChain, Chained, ChainedEntry, Link, Unchained, extend},
    scope::Scope,
    secrets::KeyRing,
};
use rekey_sql::{
    Purgeable,
    rows::{self, Read},
};
use serde_json::json;
use sqlx::{AssertSqlSafe, Row, Sqlite, SqliteConnection, SqliteExecutor, sqlite::SqliteRow, types::Json};

use crate::{SqliteStore, error::map_db_error};

#[async_trait]
impl AuditChain for SqliteStore {
    async fn queued_scopes(&self) -> Result<Vec<Scope>, StoreError> {
        let query = sqlx::query("SELECT DISTINCT organization_id, mode FROM audit_queue");
        let rows = query.fetch_all(&self.readers).await.map_err(map_db_error)?;
        Ok(rows.iter().filter_map(|row| rows::scope(row).ok()).collect())
    }

    async fn chain_entries(&self, scope: Scope, keys: &KeyRing, max: u32) -> Result<Chained, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let head = head(&mut *transaction, scope).await.map_err(map_db_error)?;
        if let Some(head) = head.as_ref().filter(|head| head.is_signed(scope, keys) == Some(false)) {
            return Ok(Chained::Forged(head.position));
        }
        let rows = in_scope(sqlx::query(QUEUED), scope).bind(max).fetch_all(&mut *transaction).await;
        let rows = rows.map_err(map_db_error)?;
        let is_there = |row: &&SqliteRow| matches!(row.try_get::<Option<&str>, _>("id"), Ok(Some(_)));
        let entries = rows.iter().filter(is_there).map(rows::stored_entry).collect::<Read<_>>();
        let now = from_unix_microseconds(now).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
        let links = extend(scope, head.as_ref(), entries.map_err(map_db_error)?, now, keys);
        append(&mut transaction, scope, &links, &rows).await.map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(Chained::Done(u32::try_from(rows.len()).unwrap_or(u32::MAX)))
    }

    async fn read_chain(&self, scope: Scope, after: i64, max: u32) -> Result<Vec<ChainedEntry>, StoreError> {
        let query = in_scope(sqlx::query(READ), scope).bind(after).bind(max);
        let rows = query.fetch_all(&self.readers).await.map_err(map_db_error)?;
        rows.iter().map(rows::chained_entry).collect::<Read<_>>().map_err(map_db_error)
    }

    async fn chain_head(&self, scope: Scope) -> Result<Option<Link>, StoreError> {
        head(&self.readers, scope).await.map_err(map_db_error)
    }

    async fn unchained(&self, scope: Scope) -> Result<Unchained, StoreError> {
        let query = in_scope(sqlx::query(UNCHAINED), scope).bind(self.present());
        let row = query.fetch_one(&self.readers).await.map_err(map_db_error)?;
        Ok(rows::unchained(&row).map_err(map_db_error)?)
    }
}

type Query<'q> = sqlx::query::Query<'q, Sqlite, sqlx::sqlite::SqliteArguments>;

fn in_scope(query: Query<'_>, scope: Scope) -> Query<'_> {
    query.bind(scope.organization.to_string()).bind(scope.mode.as_str())
}

async fn head(executor: impl SqliteExecutor<'_>, scope: Scope) -> Read<Option<Link>> {
    let query = sqlx::query(
        "SELECT * FROM audit_chain WHERE organization_id = ?1 AND mode = ?2 ORDER BY position DESC LIMIT 1",
    );
    in_scope(query, scope).fetch_optional(executor).await?.as_ref().map(rows::link).transpose()
}

/// Writes the links, and removes what was read from the queue.
async fn append(
    connection: &mut SqliteConnection,
    scope: Scope,
    links: &[Link],
    queued: &[SqliteRow],
) -> Read<()> {
    let row = |link: &Link| {
        json!({
            "position": link.position, "entry": link.entry_id, "entry_digest": hex::encode(&link.entry_digest),
            "entry_at": to_unix_microseconds(link.entry_created_at), "digest": hex::encode(&link.digest), "key": link.key_id,
            "signature": hex::encode(&link.signature), "at": to_unix_microseconds(link.chained_at),
        })
    };
    let query = sqlx::query(
        "INSERT INTO audit_chain (organization_id, mode, position, entry_id, entry_digest, entry_created_at, digest, key_id, signature,
             chained_at)
         SELECT ?1, ?2, value ->> 'position', value ->> 'entry', unhex(value ->> 'entry_digest'), value ->> 'entry_at',
             unhex(value ->> 'digest'), value ->> 'key', unhex(value ->> 'signature'), value ->> 'at'
         FROM json_each(?3)",
    );
    let links = Json(links.iter().map(row).collect::<Vec<_>>());
    in_scope(query, scope).bind(links).execute(&mut *connection).await?;
    let places = queued.iter().map(|row| row.try_get::<i64, _>("place")).collect::<Read<Vec<_>>>()?;
    sqlx::query("DELETE FROM audit_queue WHERE rowid IN (SELECT value FROM json_each(?1))")
        .bind(Json(places))
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes entries of a chain's beginning that were made until `old`, at most `max`, and their links but for the last one, which becomes the
/// checkpoint.
pub(crate) async fn purge(connection: &mut SqliteConnection, old: i64, max: u32) -> Read<u64> {
    let select = select_purgeable(
        "x.organization_id AS organization, x.mode AS mode, x.position AS position, x.entry_id AS id",
    );
    let select = format!("{select} ORDER BY 1, 2, 3 LIMIT ?3");
    let statement =
        format!("SELECT json_group_array(json_array(organization, mode, position, id)) FROM ({select})");
    let query = sqlx::query_scalar(AssertSqlSafe(statement)).bind(old).bind(old).bind(max);
    let doomed: String = query.fetch_one(&mut *connection).await?;
    let mut purged = 0;
    for statement in [
        "DELETE FROM audit_chain WHERE position < (
             SELECT max(value ->> 2) FROM json_each(?1) WHERE value ->> 0 = organization_id AND value ->> 1 = mode)",
        "DELETE FROM audit_personal_data WHERE entry_id IN (SELECT value ->> 3 FROM json_each(?1))",
        "DELETE FROM audit_entries WHERE id IN (SELECT value ->> 3 FROM json_each(?1))",
    ] {
        purged = sqlx::query(statement).bind(&doomed).execute(&mut *connection).await?.rows_affected();
    }
    Ok(purged)
}

/// Returns the query that selects something of the links `x` of entries that may be deleted: those until the first one that may not. ?2 is
/// the time until which they were made.
pub(crate) fn select_purgeable(columns: &str) -> String {
    let Purgeable { condition, .. } = Purgeable::for_kind(PurgeKind::Audit);
    format!(
        "SELECT {columns} FROM organizations o CROSS JOIN (SELECT 'test' AS mode UNION ALL SELECT 'live') m
         CROSS JOIN audit_chain x ON x.organization_id = o.id AND x.mode = m.mode AND x.position < COALESCE((
             SELECT x.position FROM (SELECT *, entry_created_at AS created_at FROM audit_chain) x
             WHERE x.organization_id = o.id AND x.mode = m.mode AND NOT (x.created_at <= ?2 AND {condition})
             ORDER BY x.position LIMIT 1
         ), 9223372036854775807)
         WHERE EXISTS (SELECT 1 FROM audit_entries a WHERE a.id = x.entry_id)"
    )
}

/// The columns of an entry.
macro_rules! entry {
    () => {
        "a.id, a.organization_id, a.mode, a.resource_type, a.action, a.actor, a.application_id, a.attributes, a.personal_digest,
         a.occurrences, a.created_at"
    };
}

const READ: &str = concat!(
    "SELECT c.position, c.entry_id, c.entry_digest, c.entry_created_at, c.digest, c.key_id, c.signature, c.chained_at, ",
    entry!(),
    " FROM audit_chain c LEFT JOIN audit_entries a ON a.id = c.entry_id
     WHERE c.organization_id = ?1 AND c.mode = ?2 AND c.position > ?3 ORDER BY c.position LIMIT ?4"
);

const QUEUED: &str = concat!(
    "SELECT q.place, q.entry_id, ",
    entry!(),
    " FROM (SELECT rowid AS place, entry_id FROM audit_queue WHERE organization_id = ?1 AND mode = ?2 ORDER BY rowid LIMIT ?3) q
     LEFT JOIN audit_entries a ON a.id = q.entry_id AND a.organization_id = ?1 AND a.mode = ?2"
);

const UNCHAINED: &str = "
    SELECT ?3 AS present, min(created_at) AS oldest, COALESCE(sum(is_queued), 0) AS waiting, COALESCE(sum(NOT is_queued), 0) AS lost
    FROM (
        SELECT created_at, id IN (SELECT entry_id FROM audit_queue) AS is_queued FROM audit_entries
        WHERE organization_id = ?1 AND mode = ?2
            AND id NOT IN (SELECT entry_id FROM audit_chain WHERE organization_id = ?1 AND mode = ?2)
    )";
