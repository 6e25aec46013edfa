use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use rekey_core::{
    customers::import::{ImportKey, ImportRecord, Importer, Outcome, SourceDigest, StartedImport},
    email::EmailAddress,
    error::StoreError,
    locale::Locale,
    passwords::PasswordHash,
    scope::Scope,
};
use rekey_sql::rows::corrupt;
use serde_json::json;
use sqlx::Row;

use crate::{PostgresStore, customers::customer_address, error::map_db_error, pool::Pool};

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
    ) -> Result<Vec<Outcome>, StoreError> {
        let texts = |text: fn(&ImportRecord) -> String| records.iter().map(text).collect::<Vec<_>>();
        let optional = |text: fn(&ImportRecord) -> Option<&str>| records.iter().map(text).collect::<Vec<_>>();
        let metadata = |record: &ImportRecord| {
            record.customer.attributes.common.metadata.as_ref().map(|metadata| json!(metadata).to_string())
        };
        let created: Vec<String> = sqlx::query_scalar(IMPORT)
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .bind(texts(|record| record.customer.id.to_string()))
            .bind(texts(|record| record.customer.email.to_string()))
            .bind(optional(|record| record.customer.password.as_ref().map(PasswordHash::as_str)))
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
        let created: HashSet<_> = created.iter().map(String::as_str).collect();
        let rest: Vec<_> =
            records.iter().filter(|record| !created.contains(record.customer.id.as_str())).collect();
        let others = if rest.is_empty() { HashMap::new() } else { explain(&self.pool, &rest).await? };
        let outcome = |record: &ImportRecord| others.get(record.customer.id.as_str()).copied();
        Ok(records.iter().map(|record| outcome(record).unwrap_or(Outcome::Created)).collect())
    }

    async fn are_taken(&self, scope: Scope, emails: &[&EmailAddress]) -> Result<Vec<bool>, StoreError> {
        let addresses: Vec<_> = emails.iter().map(|email| customer_address(scope, email)).collect();
        sqlx::query_scalar(
            "SELECT EXISTS (
                 SELECT FROM customers c
                 WHERE (c.organization_id || '/' || c.mode || '/' || c.email) COLLATE \"C\" = input.address
             ) OR EXISTS (
                 SELECT FROM email_changes e WHERE e.organization_id = $3 AND e.mode = $4 AND e.email = input.email
                     AND e.undone_at IS NULL AND e.cancelled_at IS NULL AND e.expires_at > now()
             )
             FROM UNNEST($1::text[], $2::text[]) WITH ORDINALITY AS input (address, email, place) ORDER BY place",
        )
        .bind(addresses)
        .bind(emails.iter().map(|email| email.as_str()).collect::<Vec<_>>())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(map_db_error)
    }

    async fn refresh_statistics(&self) -> Result<(), StoreError> {
        // Autovacuum may analyze the new rows only minutes later. A large shop takes longer than a statement may on the pool.
        let mut connection = self.connect_alone().await?;
        sqlx::query("ANALYZE customers, customer_passwords, audit_entries")
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

/// Writes a whole batch in one statement: each column is an array.
const IMPORT: &str = "
    WITH input AS (
        SELECT * FROM UNNEST($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
            $11::text[]) AS input (id, email, hash, audit_id, attributes, locale, reference, reference_origin, metadata)
    ), fact AS (
        INSERT INTO customers (id, organization_id, mode, email, locale, reference, reference_origin, metadata)
        SELECT id, $1, $2, email, locale, reference, reference_origin, CAST(COALESCE(metadata, '{}') AS jsonb) FROM input
        WHERE NOT EXISTS (SELECT FROM audit_entries a WHERE a.id = input.audit_id)
            AND NOT EXISTS (
                SELECT FROM email_changes e WHERE e.organization_id = $1 AND e.mode = $2 AND e.email = input.email
                    AND e.undone_at IS NULL AND e.cancelled_at IS NULL AND e.expires_at > now()
            )
        -- In one order, so that imports at the same time wait for each other, and not in a circle.
        ORDER BY email
        ON CONFLICT DO NOTHING
        RETURNING id
    ), password AS (
        INSERT INTO customer_passwords (customer_id, hash)
        SELECT id, hash FROM input JOIN fact USING (id) WHERE hash IS NOT NULL
    ), audit AS (
        INSERT INTO audit_entries (id, organization_id, mode, resource_type, resource_id, action, actor, attributes)
        SELECT audit_id, $1, $2, 'customers', id, 'create', 'operator', string_to_array(attributes, ',')
        FROM input JOIN fact USING (id)
    )
    SELECT id FROM fact";

/// Returns, by id, why these were not created: they were written before, or the address is an earlier line's or another customer's.
async fn explain(pool: &Pool, records: &[&ImportRecord]) -> Result<HashMap<String, Outcome>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, EXISTS (SELECT FROM audit_entries a WHERE a.id = input.audit_id) AS written,
             EXISTS (SELECT FROM customers c WHERE c.id = input.id) AS known
         FROM UNNEST($1::text[], $2::text[]) AS input (id, audit_id)",
    )
    .bind(records.iter().map(|record| record.customer.id.to_string()).collect::<Vec<_>>())
    .bind(records.iter().map(|record| record.audit.to_string()).collect::<Vec<_>>())
    .fetch_all(pool)
    .await
    .map_err(map_db_error)?;
    let outcome = |row: &sqlx::postgres::PgRow| {
        let outcome = match (row.try_get("written")?, row.try_get("known")?) {
            (true, _) => Outcome::Created,
            (false, true) => Outcome::Duplicate,
            (false, false) => Outcome::Taken,
        };
        Ok((row.try_get("id")?, outcome))
    };
    rows.iter().map(outcome).collect::<Result<_, sqlx::Error>>().map_err(map_db_error)
}
