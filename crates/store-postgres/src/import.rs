use std::collections::HashMap;

use async_trait::async_trait;
use rekey_core::{
    customers::import::{ImportKey, ImportRecord, Importer, Outcome, SourceDigest, StartedImport},
    error::StoreError,
    locale::Locale,
    scope::Scope,
};
use rekey_sql::rows::{Read, corrupt, parsed};
use serde_json::json;
use sqlx::{
    Postgres,
    postgres::{PgArguments, PgRow},
    query::Query,
};

use crate::{PostgresStore, error::map_db_error, events::personal_digest, pool::Pool};

#[async_trait]
impl Importer for PostgresStore {
    async fn begin_import(
        &self,
        scope: Scope,
        source: &SourceDigest,
        key: &ImportKey,
    ) -> Result<StartedImport, StoreError> {
        // An update that changes nothing, as a conflict that does nothing returns no row.
        let kept: Vec<u8> = sqlx::query_scalar(
            "INSERT INTO imports (organization_id, mode, source_digest, key) VALUES ($1, $2, $3, $4)
             ON CONFLICT (organization_id, mode, source_digest) DO UPDATE SET key = imports.key
             RETURNING key",
        )
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(source.as_bytes().as_slice())
        .bind(key.as_bytes().as_slice())
        .fetch_one(&self.pool)
        .await
        .map_err(map_db_error)?;
        let is_resumed = kept != key.as_bytes();
        let key = ImportKey::from_bytes(&kept).ok_or_else(|| map_db_error(corrupt("key")))?;
        Ok(StartedImport { key, is_resumed })
    }

    async fn import_customers(
        &self,
        scope: Scope,
        records: &[ImportRecord],
        updates_passwords: bool,
    ) -> Result<Vec<Outcome>, StoreError> {
        let texts = |text: fn(&ImportRecord) -> String| records.iter().map(text).collect::<Vec<_>>();
        let optional = |text: fn(&ImportRecord) -> Option<&str>| records.iter().map(text).collect::<Vec<_>>();
        let metadata = |record: &ImportRecord| {
            record.customer.attributes.common.metadata.as_ref().map(|metadata| json!(metadata).to_string())
        };
        let rows = bind_input(sqlx::query(IMPORT), scope, records, updates_passwords)
            .bind(texts(|record| record.customer.id.to_string()))
            .bind(texts(|record| record.audit.to_string()))
            .bind(texts(|record| record.attributes.join(",")))
            .bind(optional(|record| record.customer.attributes.locale.value().map(Locale::as_str)))
            .bind(optional(|record| record.customer.attributes.common.reference.value().map(String::as_str)))
            .bind(optional(|record| {
                record.customer.attributes.common.reference_origin.value().map(String::as_str)
            }))
            .bind(records.iter().map(metadata).collect::<Vec<_>>())
            .fetch_all(&self.pool)
            .await
            .map_err(map_db_error)?;
        let mut outcomes = outcomes(&rows).map_err(map_db_error)?;
        let rest: Vec<_> =
            records.iter().filter(|record| !outcomes.contains_key(record.customer.id.as_str())).collect();
        if !rest.is_empty() {
            outcomes.extend(explain(&self.pool, &rest).await?);
        }
        let outcome = |record: &ImportRecord| outcomes.get(record.customer.id.as_str()).copied();
        Ok(records.iter().map(|record| outcome(record).unwrap_or(Outcome::Created)).collect())
    }

    async fn preview_import(
        &self,
        scope: Scope,
        records: &[ImportRecord],
        updates_passwords: bool,
    ) -> Result<Vec<Outcome>, StoreError> {
        let rows = bind_input(sqlx::query(PREVIEW), scope, records, updates_passwords)
            .fetch_all(&self.pool)
            .await
            .map_err(map_db_error)?;
        rows.iter().map(|row| parsed(row, "outcome")).collect::<Read<_>>().map_err(map_db_error)
    }

    async fn refresh_statistics(&self) -> Result<(), StoreError> {
        // Autovacuum may analyze the new rows only minutes later. A large shop takes longer than a statement may on the pool.
        let mut connection = self.connect_alone().await?;
        sqlx::query("ANALYZE customers, customer_passwords, audit_entries, audit_personal_data")
            .execute(&mut connection)
            .await
            .map_err(map_db_error)?;
        Ok(())
    }

    async fn finish_import(&self, scope: Scope, source: &SourceDigest) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM imports WHERE organization_id = $1 AND mode = $2 AND source_digest = $3")
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .bind(source.as_bytes().as_slice())
            .execute(&self.pool)
            .await
            .map_err(map_db_error)?;
        Ok(())
    }
}

/// The records' scope, and what decides whether they replace an existing password.
fn bind_input<'q>(
    query: Query<'q, Postgres, PgArguments>,
    scope: Scope,
    records: &[ImportRecord],
    updates_passwords: bool,
) -> Query<'q, Postgres, PgArguments> {
    let hashes = records.iter().map(|record| record.hash(scope).unzip());
    let (hashes, schemes): (Vec<_>, Vec<_>) = hashes.unzip();
    query
        .bind(scope.organization.to_string())
        .bind(scope.mode.as_str())
        .bind(records.iter().map(|record| record.customer.email.to_string()).collect::<Vec<_>>())
        .bind(hashes.into_iter().map(|hash| hash.map(|hash| hash.as_str().to_owned())).collect::<Vec<_>>())
        .bind(schemes)
        .bind(updates_passwords)
}

/// Joins the existing customers and their passwords to `input`.
macro_rules! existing {
    () => {
        "customers c ON (c.organization_id || '/' || c.mode || '/' || c.email) COLLATE \"C\"
             = $1 || '/' || $2 || '/' || input.email
         LEFT JOIN customer_passwords p ON p.customer_id = c.id"
    };
}

/// Whether a customer may take the address back.
macro_rules! is_reserved {
    () => {
        "EXISTS (
            SELECT FROM email_changes e WHERE e.organization_id = $1 AND e.mode = $2 AND e.email = input.email
                AND e.undone_at IS NULL AND e.cancelled_at IS NULL AND e.expires_at > now()
        )"
    };
}

/// Whether an existing customer gets the imported password: nobody has logged in with another one, and none was ended.
macro_rules! is_replaced {
    () => {
        "$6 AND input.hash IS NOT NULL AND p.hash IS DISTINCT FROM input.hash
         AND (p.customer_id IS NULL OR p.hash IS NOT NULL AND p.scheme LIKE '%/imported/%')"
    };
}

const PREVIEW: &str = concat!(
    "SELECT CASE WHEN c.id IS NULL AND NOT ",
    is_reserved!(),
    " THEN 'created' WHEN c.id IS NOT NULL AND ",
    is_replaced!(),
    " THEN 'updated' ELSE 'taken' END AS outcome
     FROM UNNEST($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS input (email, hash, scheme, place)
     LEFT JOIN ",
    existing!(),
    " ORDER BY place"
);

/// Writes a whole batch in one statement: each column is an array. The lock of a customer whose password is replaced comes before the
/// locks of its password and resets, as in all statements that write these.
const IMPORT: &str = concat!(
    "WITH input AS (
        SELECT * FROM UNNEST($3::text[], $4::text[], $5::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
            $12::text[], $13::text[])
            AS input (email, hash, scheme, id, audit_id, attributes, locale, reference, reference_origin, metadata)
    ), fact AS (
        INSERT INTO customers (id, organization_id, mode, email, locale, reference, reference_origin, metadata)
        SELECT id, $1, $2, email, locale, reference, reference_origin, CAST(COALESCE(metadata, '{}') AS jsonb) FROM input
        WHERE NOT EXISTS (SELECT FROM audit_entries a WHERE a.id = input.audit_id)
            AND NOT ",
    is_reserved!(),
    "
        -- In one order, so that imports at the same time wait for each other, and not in a circle.
        ORDER BY email
        ON CONFLICT DO NOTHING
        RETURNING id
    ), replaced AS (
        SELECT c.id, input.id AS record_id, input.audit_id, input.hash, input.scheme
        FROM input JOIN ",
    existing!(),
    "   WHERE c.id <> input.id AND ",
    is_replaced!(),
    "       AND NOT EXISTS (SELECT FROM audit_entries a WHERE a.id = input.audit_id)
        ORDER BY c.id
        FOR NO KEY UPDATE OF c
    ), password AS (
        INSERT INTO customer_passwords (customer_id, hash, scheme)
        SELECT id, hash, scheme FROM input JOIN fact USING (id) WHERE hash IS NOT NULL
        UNION ALL SELECT id, hash, scheme FROM replaced
        ORDER BY id
        ON CONFLICT (customer_id) DO UPDATE
            SET hash = excluded.hash, scheme = excluded.scheme, generation = customer_passwords.generation + 1,
                updated_at = now()
            WHERE customer_passwords.hash IS NOT NULL AND customer_passwords.scheme LIKE '%/imported/%'
        RETURNING customer_id AS id
    ), superseded AS (
        UPDATE password_resets SET superseded_at = now(), updated_at = now()
        WHERE customer_id = ANY (ARRAY(SELECT id FROM replaced JOIN password USING (id)))
            AND COALESCE(reset_password_at, superseded_at) IS NULL
    ), done AS (
        SELECT id AS record_id, id, audit_id, attributes, 'create' AS action, 'created' AS outcome
        FROM input JOIN fact USING (id)
        UNION ALL SELECT record_id, id, audit_id, 'password', 'update', 'updated' FROM replaced JOIN password USING (id)
    ), personal AS (
        INSERT INTO audit_personal_data (entry_id, resource_id, customer_id, salt)
        SELECT audit_id, id, id, uuid_send(gen_random_uuid()) FROM done
        RETURNING *
    ), audit AS (
        INSERT INTO audit_entries (id, organization_id, mode, resource_type, action, actor, attributes, personal_digest)
        SELECT entry_id, $1, $2, 'customers', action, 'operator', string_to_array(attributes, ','), ",
    personal_digest!(),
    "   FROM personal JOIN done ON done.audit_id = personal.entry_id
    )
    SELECT record_id AS id, outcome FROM done"
);

/// Returns, by id, why these were not written: they were before, or the address is an earlier line's or another customer's.
async fn explain(pool: &Pool, records: &[&ImportRecord]) -> Result<HashMap<String, Outcome>, StoreError> {
    let rows = sqlx::query(
        "SELECT input.id, CASE
                 WHEN a.action IS NOT NULL THEN a.action || 'd'
                 WHEN EXISTS (SELECT FROM customers c WHERE c.id = input.id) THEN 'duplicate'
                 ELSE 'taken'
             END AS outcome
         FROM UNNEST($1::text[], $2::text[]) AS input (id, audit_id)
         LEFT JOIN audit_entries a ON a.id = input.audit_id",
    )
    .bind(records.iter().map(|record| record.customer.id.to_string()).collect::<Vec<_>>())
    .bind(records.iter().map(|record| record.audit.to_string()).collect::<Vec<_>>())
    .fetch_all(pool)
    .await
    .map_err(map_db_error)?;
    outcomes(&rows).map_err(map_db_error)
}

/// Reads outcomes by the records' ids.
fn outcomes(rows: &[PgRow]) -> Read<HashMap<String, Outcome>> {
    let outcome = |row: &PgRow| Ok((parsed(row, "id")?, parsed(row, "outcome")?));
    rows.iter().map(outcome).collect()
}
