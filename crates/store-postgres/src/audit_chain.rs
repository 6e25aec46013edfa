use async_trait::async_trait;
use rekey_core::{
    cleanup::PurgeKind,
    error::StoreError,
    events::audit::chain::{AuditChain, Chained, ChainedEntry, Link, StoredEntry, Unchained, extend},
    scope::Scope,
    secrets::KeyRing,
};
use rekey_sql::{
    Purgeable,
    rows::{self, Read},
};
use sqlx::{AssertSqlSafe, Connection, Row, postgres::PgRow};
use time::{Duration, OffsetDateTime};

use crate::{PostgresStore, cleanup::SCOPES, error::map_db_error, pool::Pool};

#[async_trait]
impl AuditChain for PostgresStore {
    async fn queued_scopes(&self) -> Result<Vec<Scope>, StoreError> {
        let rows = sqlx::query("SELECT DISTINCT organization_id, mode FROM audit_queue")
            .fetch_all(&self.pool)
            .await
            .map_err(map_db_error)?;
        // One that is no scope is not of ours.
        Ok(rows.iter().filter_map(|row| rows::scope(row).ok()).collect())
    }

    async fn chain_entries(&self, scope: Scope, keys: &KeyRing, max: u32) -> Result<Chained, StoreError> {
        let (head, now) = head(&self.pool, scope).await.map_err(map_db_error)?;
        if let Some(head) = head.as_ref().filter(|head| head.is_signed(scope, keys) == Some(false)) {
            return Ok(Chained::Forged(head.position));
        }
        let queue = queued(&self.pool, scope, max).await.map_err(map_db_error)?;
        let count = u32::try_from(queue.places.len()).unwrap_or(u32::MAX);
        if count == 0 {
            return Ok(Chained::Done(0));
        }
        let links = extend(scope, head.as_ref(), queue.entries, now, keys);
        match append(&self.pool, scope, head.as_ref(), &links, (&queue.places, &queue.ids)).await {
            Ok(true) => Ok(Chained::Done(count)),
            Ok(false) => Ok(Chained::Busy),
            // Another process finished after this statement started.
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(Chained::Busy),
            Err(error) => Err(map_db_error(error)),
        }
    }

    async fn read_chain(&self, scope: Scope, after: i64, max: u32) -> Result<Vec<ChainedEntry>, StoreError> {
        let rows = sqlx::query(READ)
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .bind(after)
            .bind(i64::from(max))
            .persistent(false)
            .fetch_all(&self.pool)
            .await
            .map_err(map_db_error)?;
        rows.iter().map(rows::chained_entry).collect::<Read<_>>().map_err(map_db_error)
    }

    async fn chain_head(&self, scope: Scope) -> Result<Option<Link>, StoreError> {
        Ok(head(&self.pool, scope).await.map_err(map_db_error)?.0)
    }

    async fn unchained(&self, scope: Scope) -> Result<Unchained, StoreError> {
        // A large log takes longer than a statement may on the pool.
        let mut connection = self.connect_alone().await?;
        let counted = async {
            let mut transaction = connection.begin().await?;
            sqlx::query("SET LOCAL enable_nestloop = off").execute(&mut *transaction).await?;
            let query = sqlx::query(UNCHAINED).bind(scope.organization.as_str()).bind(scope.mode.as_str());
            rows::unchained(&query.fetch_one(&mut *transaction).await?)
        };
        counted.await.map_err(map_db_error)
    }
}

/// Returns the last link, and the present.
async fn head(pool: &Pool, scope: Scope) -> Read<(Option<Link>, OffsetDateTime)> {
    let query = sqlx::query(
        "SELECT now() AS present, c.position, c.entry_id, c.entry_digest, c.entry_created_at, c.digest, c.key_id, c.signature, c.chained_at
         FROM (SELECT) one LEFT JOIN (
             SELECT * FROM audit_chain WHERE organization_id = $1 AND mode = $2 ORDER BY position DESC LIMIT 1
         ) c ON true",
    );
    let row = query.bind(scope.organization.as_str()).bind(scope.mode.as_str()).fetch_one(pool).await?;
    let is_there = row.try_get::<Option<i64>, _>("position")?.is_some();
    Ok((if is_there { Some(rows::link(&row)?) } else { None }, row.try_get("present")?))
}

/// What waits to be chained.
struct Queue {
    /// Where it is in the table, and the ids of the entries. A place may have another row meanwhile.
    places: Vec<String>,
    ids: Vec<String>,
    /// The entries; none for those of decoys.
    entries: Vec<StoredEntry>,
}

async fn queued(pool: &Pool, scope: Scope, max: u32) -> Read<Queue> {
    let rows = sqlx::query(QUEUED)
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(i64::from(max))
        .persistent(false)
        .fetch_all(pool)
        .await?;
    let column = |name: &'static str| rows.iter().map(|row| row.try_get(name)).collect::<Read<Vec<String>>>();
    let is_there = |row: &&PgRow| matches!(row.try_get::<Option<&str>, _>("id"), Ok(Some(_)));
    let entries = rows.iter().filter(is_there).map(rows::stored_entry).collect::<Read<_>>()?;
    Ok(Queue { places: column("place")?, ids: column("entry_id")?, entries })
}

/// Appends the links to the head, and removes their entries from the queue. False if there is another head, or another process does the
/// same now.
async fn append(
    pool: &Pool,
    scope: Scope,
    head: Option<&Link>,
    links: &[Link],
    (places, ids): (&[String], &[String]),
) -> Read<bool> {
    let texts = |field: fn(&Link) -> &str| links.iter().map(field).collect::<Vec<_>>();
    let bytes = |field: fn(&Link) -> &[u8]| links.iter().map(field).collect::<Vec<_>>();
    let query = sqlx::query_scalar(APPEND)
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(head.map(|head| head.position))
        .bind(links.iter().map(|link| link.position).collect::<Vec<_>>())
        .bind(texts(|link| &link.entry_id))
        .bind(bytes(|link| &link.entry_digest))
        .bind(links.iter().map(|link| link.entry_created_at).collect::<Vec<_>>())
        .bind(bytes(|link| &link.digest))
        .bind(texts(|link| &link.key_id))
        .bind(bytes(|link| &link.signature))
        .bind(links.first().map(|link| link.chained_at))
        .bind(places)
        .bind(ids)
        .persistent(false);
    query.fetch_one(pool).await
}

/// Deletes entries of a chain's beginning, at most `max`, and their links but for the last one, which becomes the checkpoint. A scope's
/// first link may be the checkpoint of the last purge, which has no entry. The arrays, and `OFFSET 0`, keep the look-ups by index.
pub(crate) async fn purge(pool: &Pool, age: Duration, max: u32) -> Read<u64> {
    let Purgeable { condition, .. } = Purgeable::for_kind(PurgeKind::Audit);
    let statement = format!(
        "WITH front AS MATERIALIZED (
            SELECT x.organization_id, x.mode, x.position, x.entry_id, x.is_old FROM {SCOPES} CROSS JOIN LATERAL (
                SELECT x.*, bool_and(x.created_at <= t.now - make_interval(secs => $1) AND {condition}) OVER (ORDER BY x.position) AS is_old
                FROM (
                    SELECT organization_id, mode, position, entry_id, entry_created_at AS created_at FROM audit_chain
                    WHERE organization_id = o.id AND mode = m.mode ORDER BY position LIMIT {max} + 1
                ) x
            ) x
        ), old AS MATERIALIZED (
            SELECT x.organization_id, x.mode, x.position, x.entry_id
            FROM front x CROSS JOIN LATERAL (SELECT FROM audit_entries WHERE id = x.entry_id OFFSET 0) a
            WHERE x.is_old ORDER BY x.organization_id, x.mode, x.position LIMIT {max}
        ), checkpoint AS (
            SELECT organization_id, mode, max(position) AS position FROM old GROUP BY 1, 2
        ), links AS (
            DELETE FROM audit_chain c USING checkpoint x
            WHERE c.organization_id = x.organization_id AND c.mode = x.mode AND c.position < x.position
                AND c.position = ANY (ARRAY(SELECT position FROM front))
        ), dependents AS (
            DELETE FROM audit_personal_data WHERE entry_id = ANY (ARRAY(SELECT entry_id FROM old))
        )
        DELETE FROM audit_entries WHERE id = ANY (ARRAY(SELECT entry_id FROM old))"
    );
    // Planned for its values, as the other purges are.
    let query = sqlx::query(AssertSqlSafe(statement)).bind(age.as_seconds_f64()).persistent(false);
    Ok(query.execute(pool).await?.rows_affected())
}

/// The statement that counts what [`purge`] would delete.
pub(crate) fn count_purgeable() -> String {
    let Purgeable { condition, .. } = Purgeable::for_kind(PurgeKind::Audit);
    format!(
        "SELECT count(*) FROM {SCOPES} CROSS JOIN LATERAL (
             SELECT x.*, bool_and(x.created_at <= t.now - make_interval(secs => $1) AND {condition}) OVER (ORDER BY x.position) AS is_old
             FROM (
                 SELECT organization_id, mode, position, entry_id, entry_created_at AS created_at FROM audit_chain
                 WHERE organization_id = o.id AND mode = m.mode
             ) x
         ) x WHERE x.is_old AND EXISTS (SELECT FROM audit_entries a WHERE a.id = x.entry_id)"
    )
}

/// The columns of an entry. Times that no program writes, such as infinity, become others that no program writes.
macro_rules! entry {
    () => {
        "a.id, a.organization_id, a.mode, a.resource_type, a.action, a.actor, a.application_id, a.attributes, a.personal_digest,
         a.occurrences, GREATEST(LEAST(a.created_at, '9999-12-31Z'), '0001-01-01Z') AS created_at"
    };
}

/// `OFFSET 0` keeps the look-up of each entry by its id, which the planner can't replace.
const READ: &str = concat!(
    "SELECT c.position, c.entry_id, c.entry_digest, c.entry_created_at, c.digest, c.key_id, c.signature, c.chained_at, ",
    entry!(),
    " FROM (
        SELECT * FROM audit_chain WHERE organization_id = $1 AND mode = $2 AND position > $3 ORDER BY position LIMIT $4
    ) c LEFT JOIN LATERAL (SELECT * FROM audit_entries WHERE id = c.entry_id OFFSET 0) a ON true
    ORDER BY c.position"
);

/// The scope is compared outside, so that the planner can't look entries up by an index of the scope.
const QUEUED: &str = concat!(
    "SELECT q.place::text AS place, q.entry_id, ",
    entry!(),
    " FROM (SELECT ctid AS place, entry_id FROM audit_queue WHERE organization_id = $1 AND mode = $2 LIMIT $3) q
    LEFT JOIN LATERAL (SELECT * FROM audit_entries WHERE id = q.entry_id OFFSET 0) a ON a.organization_id = $1 AND a.mode = $2"
);

/// The lock keeps others from doing the same work; that the chain never forks, the primary key does. `IS TRUE` keeps the planner from a
/// join, for which it may read the whole queue.
const APPEND: &str = "
    WITH permitted AS MATERIALIZED (
        SELECT ok FROM (SELECT pg_try_advisory_xact_lock(7320117, hashtext($1 || '/' || $2)) AS ok) lock
        WHERE ok AND $3 IS NOT DISTINCT FROM (
            SELECT position FROM audit_chain WHERE organization_id = $1 AND mode = $2 ORDER BY position DESC LIMIT 1)
    ), chained AS (
        INSERT INTO audit_chain (organization_id, mode, position, entry_id, entry_digest, entry_created_at, digest, key_id, signature,
            chained_at)
        SELECT $1, $2, new.*, $11 FROM permitted
        CROSS JOIN unnest($4::bigint[], $5::text[], $6::bytea[], $7::timestamptz[], $8::bytea[], $9::text[], $10::bytea[]) new
    ), dequeued AS (
        DELETE FROM audit_queue q USING permitted
        WHERE q.ctid = ANY (ARRAY(SELECT place::tid FROM unnest($12::text[]) place))
            AND (q.entry_id IN (SELECT id FROM unnest($13::text[]) id)) IS TRUE
    )
    SELECT EXISTS (SELECT FROM permitted)";

/// By hashes: nested loops, which the planner may choose without statistics, would compare all with all.
const UNCHAINED: &str = "
    WITH entry AS MATERIALIZED (
        SELECT id, created_at FROM audit_entries a WHERE organization_id = $1 AND mode = $2 AND NOT EXISTS (
            SELECT FROM audit_chain c WHERE c.organization_id = $1 AND c.mode = $2 AND c.entry_id = a.id)
    )
    SELECT now() AS present, min(created_at) AS oldest, count(*) FILTER (WHERE q.entry_id IS NOT NULL) AS waiting,
        count(*) FILTER (WHERE q.entry_id IS NULL) AS lost
    FROM entry LEFT JOIN (SELECT DISTINCT entry_id FROM audit_queue) q ON q.entry_id = entry.id";
