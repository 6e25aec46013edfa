use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use rekey_core::{
    customers::{
        NewCustomer,
        import::{ImportKey, ImportRecord, Importer, Outcome, SourceDigest, StartedImport},
    },
    email::EmailAddress,
    error::StoreError,
    locale::Locale,
    passwords::PasswordHash,
    scope::Scope,
};
use rekey_sql::rows::corrupt;
use serde_json::json;
use sqlx::{Row, SqliteConnection, types::Json};

use crate::{SqliteStore, error::map_db_error};

#[async_trait]
impl Importer for SqliteStore {
    async fn begin_import(
        &self,
        scope: Scope,
        source: &SourceDigest,
        key: &ImportKey,
    ) -> Result<StartedImport, StoreError> {
        // An update that changes nothing, as a conflict that does nothing returns no row.
        let kept: Vec<u8> = sqlx::query_scalar(
            "INSERT INTO imports (organization_id, mode, source_digest, key, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (organization_id, mode, source_digest) DO UPDATE SET key = imports.key
             RETURNING key",
        )
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(source.as_bytes().as_slice())
        .bind(key.as_bytes().as_slice())
        .bind(self.present())
        .fetch_one(&self.writer)
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
        let (mut transaction, now) = self.write().await?;
        let created = write_customers(&mut transaction, scope, records, now).await?;
        let (done, rest): (Vec<_>, Vec<_>) =
            records.iter().partition(|record| created.contains(record.customer.id.as_str()));
        write_passwords(&mut transaction, &done, now).await?;
        write_audit(&mut transaction, scope, &done, now).await?;
        let others = if rest.is_empty() { HashMap::new() } else { explain(&mut transaction, &rest).await? };
        transaction.commit().await.map_err(map_db_error)?;
        let outcome = |record: &ImportRecord| others.get(record.customer.id.as_str()).copied();
        Ok(records.iter().map(|record| outcome(record).unwrap_or(Outcome::Created)).collect())
    }

    async fn are_taken(&self, scope: Scope, emails: &[&EmailAddress]) -> Result<Vec<bool>, StoreError> {
        let emails: Vec<_> = emails.iter().map(|email| email.as_str()).collect();
        sqlx::query_scalar(
            "SELECT EXISTS (
                 SELECT 1 FROM customers c WHERE c.organization_id = ?1 AND c.mode = ?2 AND c.email = input.value
             ) OR EXISTS (
                 SELECT 1 FROM email_changes e WHERE e.organization_id = ?1 AND e.mode = ?2 AND e.email = input.value
                     AND e.undone_at IS NULL AND e.cancelled_at IS NULL AND e.expires_at > ?4
             )
             FROM json_each(?3) AS input ORDER BY input.key",
        )
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(Json(emails))
        .bind(self.present())
        .fetch_all(&self.readers)
        .await
        .map_err(map_db_error)
    }

    async fn finish_import(&self, scope: Scope, source: &SourceDigest) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM imports WHERE organization_id = ?1 AND mode = ?2 AND source_digest = ?3")
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .bind(source.as_bytes().as_slice())
            .execute(&self.writer)
            .await
            .map_err(map_db_error)?;
        Ok(())
    }
}

/// Writes the customers that can be written. Returns their ids.
async fn write_customers(
    connection: &mut SqliteConnection,
    scope: Scope,
    records: &[ImportRecord],
    now: i64,
) -> Result<HashSet<String>, StoreError> {
    let row = |record: &ImportRecord| {
        let NewCustomer { id, email, attributes, .. } = &record.customer;
        let common = &attributes.common;
        json!([
            id.as_str(),
            email.as_str(),
            record.audit.as_str(),
            attributes.locale.value().map(Locale::as_str),
            common.reference.value(),
            common.reference_origin.value(),
            common.metadata,
        ])
    };
    let created: Vec<String> = sqlx::query_scalar(
        "INSERT INTO customers (id, email, organization_id, mode, created_at, updated_at, locale, reference, reference_origin,
             metadata)
         SELECT value ->> 0, value ->> 1, ?2, ?3, ?4, ?4, value ->> 3, value ->> 4, value ->> 5, COALESCE(value ->> 6, '{}')
         FROM json_each(?1) AS input
         WHERE NOT EXISTS (SELECT 1 FROM audit_entries a WHERE a.id = input.value ->> 2)
             AND NOT EXISTS (
                 SELECT 1 FROM email_changes e WHERE e.organization_id = ?2 AND e.mode = ?3 AND e.email = input.value ->> 1
                     AND e.undone_at IS NULL AND e.cancelled_at IS NULL AND e.expires_at > ?4
             )
         ON CONFLICT DO NOTHING
         RETURNING id",
    )
        .bind(Json(records.iter().map(row).collect::<Vec<_>>()))
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(now)
        .fetch_all(connection)
        .await
        .map_err(map_db_error)?;
    Ok(created.into_iter().collect())
}

async fn write_passwords(
    connection: &mut SqliteConnection,
    records: &[&ImportRecord],
    now: i64,
) -> Result<(), StoreError> {
    let row = |record: &&ImportRecord| {
        let hash = record.customer.password.as_ref().map(PasswordHash::as_str)?;
        Some(json!([record.customer.id.as_str(), hash]))
    };
    sqlx::query(
        "INSERT INTO customer_passwords (customer_id, hash, updated_at)
         SELECT value ->> 0, value ->> 1, ?2 FROM json_each(?1)",
    )
    .bind(Json(records.iter().filter_map(row).collect::<Vec<_>>()))
    .bind(now)
    .execute(connection)
    .await
    .map_err(map_db_error)?;
    Ok(())
}

async fn write_audit(
    connection: &mut SqliteConnection,
    scope: Scope,
    records: &[&ImportRecord],
    now: i64,
) -> Result<(), StoreError> {
    let row = |record: &&ImportRecord| {
        let attributes = json!(record.attributes).to_string();
        json!([record.audit.as_str(), record.customer.id.as_str(), attributes])
    };
    sqlx::query(
        "INSERT INTO audit_entries (id, resource_id, attributes, resource_type, action, actor, organization_id, mode, created_at)
         SELECT value ->> 0, value ->> 1, value ->> 2, 'customers', 'create', 'operator', ?2, ?3, ?4 FROM json_each(?1)",
    )
    .bind(Json(records.iter().map(row).collect::<Vec<_>>()))
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(now)
    .execute(connection)
    .await
    .map_err(map_db_error)?;
    Ok(())
}

/// Returns, by id, why these were not created: they were written before, or the address is an earlier line's or another customer's.
async fn explain(
    connection: &mut SqliteConnection,
    records: &[&ImportRecord],
) -> Result<HashMap<String, Outcome>, StoreError> {
    let row = |record: &&ImportRecord| json!([record.customer.id.as_str(), record.audit.as_str()]);
    let rows = sqlx::query(
        "SELECT value ->> 0 AS id, EXISTS (SELECT 1 FROM audit_entries a WHERE a.id = input.value ->> 1) AS written,
             EXISTS (SELECT 1 FROM customers c WHERE c.id = input.value ->> 0) AS known
         FROM json_each(?1) AS input",
    )
    .bind(Json(records.iter().map(row).collect::<Vec<_>>()))
    .fetch_all(connection)
    .await
    .map_err(map_db_error)?;
    let outcome = |row: &sqlx::sqlite::SqliteRow| {
        let outcome = match (row.try_get("written")?, row.try_get("known")?) {
            (true, _) => Outcome::Created,
            (false, true) => Outcome::Duplicate,
            (false, false) => Outcome::Taken,
        };
        Ok((row.try_get("id")?, outcome))
    };
    rows.iter().map(outcome).collect::<Result<_, sqlx::Error>>().map_err(map_db_error)
}
