use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use rekey_core::{
    caller::Actor,
    customers::{
        NewCustomer,
        import::{ImportKey, ImportRecord, Importer, Outcome, SourceDigest, StartedImport},
    },
    error::StoreError,
    events::audit::{Action, AuditEntry},
    ids::CustomerId,
    locale::Locale,
    passwords::PasswordHash,
    resources::{CUSTOMERS, customers::PASSWORD},
    scope::Scope,
};
use rekey_sql::rows::{Read, corrupt, optional, parsed};
use serde_json::json;
use sqlx::{Row, SqliteConnection, SqliteExecutor, sqlite::SqliteRow, types::Json};

use crate::{
    SqliteStore,
    error::map_db_error,
    events::{Entry, LOG, write_entries},
    resets::supersede_customer,
};

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
        updates_passwords: bool,
    ) -> Result<Vec<Outcome>, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let created = write_customers(&mut transaction, scope, records, now).await?;
        let is_created = |record: &&ImportRecord| created.contains(record.customer.id.as_str());
        let (done, rest): (Vec<_>, Vec<_>) = records.iter().partition(is_created);
        let existing = if rest.is_empty() {
            HashMap::new()
        } else {
            examine(&mut *transaction, scope, &rest, updates_passwords, now).await?
        };
        let create = done.into_iter().map(|record| Write {
            record,
            customer: record.customer.id,
            action: Action::Create,
            attributes: record.attributes.clone(),
        });
        let update = rest.into_iter().filter_map(|record| {
            let customer = existing.get(record.customer.id.as_str())?.replaced?;
            Some(Write { record, customer, action: Action::Update, attributes: vec![PASSWORD.name] })
        });
        let writes: Vec<_> = create.chain(update).collect();
        write_passwords(&mut transaction, scope, &writes, now).await?;
        for customer in existing.values().filter_map(|existing| existing.replaced) {
            supersede_customer(&mut transaction, customer, now).await.map_err(map_db_error)?;
        }
        write_audit(&mut transaction, scope, &writes, now).await?;
        transaction.commit().await.map_err(map_db_error)?;
        let outcome = |record: &ImportRecord| existing.get(record.customer.id.as_str());
        Ok(records
            .iter()
            .map(|record| outcome(record).map_or(Outcome::Created, |existing| existing.outcome))
            .collect())
    }

    async fn preview_import(
        &self,
        scope: Scope,
        records: &[ImportRecord],
        updates_passwords: bool,
    ) -> Result<Vec<Outcome>, StoreError> {
        let records: Vec<_> = records.iter().collect();
        let existing = examine(&self.readers, scope, &records, updates_passwords, self.present()).await?;
        let outcome = |record: &&ImportRecord| existing.get(record.customer.id.as_str());
        let outcomes: Option<_> =
            records.iter().map(|record| outcome(record).map(|existing| existing.outcome)).collect();
        outcomes.ok_or_else(|| map_db_error(corrupt("id")))
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

/// A record to write to a customer, new or existing.
struct Write<'a> {
    record: &'a ImportRecord,
    customer: CustomerId,
    action: Action,
    attributes: Vec<&'static str>,
}

impl Write<'_> {
    fn audit(&self) -> AuditEntry {
        AuditEntry {
            id: self.record.audit,
            actor: Actor::Operator(None),
            session: None,
            address: None,
            action: self.action,
            attributes: self.attributes.clone(),
        }
    }
}

/// What is done with a record.
struct Examined {
    outcome: Outcome,
    /// The customer whose password it replaces.
    replaced: Option<CustomerId>,
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
    scope: Scope,
    writes: &[Write<'_>],
    now: i64,
) -> Result<(), StoreError> {
    let row = |write: &Write<'_>| {
        let (hash, scheme) = write.record.hash(scope)?;
        Some(json!([write.customer.as_str(), hash.as_str(), scheme]))
    };
    sqlx::query(
        "INSERT INTO customer_passwords (customer_id, hash, scheme, updated_at)
         SELECT value ->> 0, value ->> 1, value ->> 2, ?2 FROM json_each(?1) WHERE true
         ON CONFLICT (customer_id) DO UPDATE
             SET hash = excluded.hash, scheme = excluded.scheme, generation = generation + 1, updated_at = ?2",
    )
    .bind(Json(writes.iter().filter_map(row).collect::<Vec<_>>()))
    .bind(now)
    .execute(connection)
    .await
    .map_err(map_db_error)?;
    Ok(())
}

async fn write_audit(
    connection: &mut SqliteConnection,
    scope: Scope,
    writes: &[Write<'_>],
    now: i64,
) -> Result<(), StoreError> {
    let audits: Vec<_> = writes.iter().map(Write::audit).collect();
    let entries: Vec<_> = writes
        .iter()
        .zip(&audits)
        .map(|(write, audit)| {
            let customer = write.customer.as_str();
            Entry { customer: Some(customer), ..Entry::new(audit, scope, CUSTOMERS.name, customer, now) }
        })
        .collect();
    write_entries(connection, LOG, &entries).await.map_err(map_db_error)
}

/// Returns, by the records' ids, what is done with those that were written before or whose address a customer has, and what would be
/// done with the others. An existing customer gets the imported password if nobody has logged in with another one, and none was ended.
async fn examine(
    executor: impl SqliteExecutor<'_>,
    scope: Scope,
    records: &[&ImportRecord],
    updates_passwords: bool,
    now: i64,
) -> Result<HashMap<String, Examined>, StoreError> {
    let row = |record: &&ImportRecord| {
        let NewCustomer { id, email, password, .. } = &record.customer;
        let hash = password.as_ref().map(PasswordHash::as_str);
        json!([id.as_str(), record.audit.as_str(), email.as_str(), hash])
    };
    let rows = sqlx::query(
        "SELECT id, outcome, CASE WHEN outcome = 'updated' AND written IS NULL THEN customer_id END AS replaced FROM (
             SELECT input.value ->> 0 AS id, a.id AS written, c.id AS customer_id, CASE
                 WHEN a.id IS NOT NULL THEN a.action || 'd'
                 WHEN EXISTS (SELECT 1 FROM customers o WHERE o.id = input.value ->> 0) THEN 'duplicate'
                 WHEN c.id IS NULL AND NOT EXISTS (
                     SELECT 1 FROM email_changes e WHERE e.organization_id = ?2 AND e.mode = ?3 AND e.email = input.value ->> 2
                         AND e.undone_at IS NULL AND e.cancelled_at IS NULL AND e.expires_at > ?5
                 ) THEN 'created'
                 WHEN c.id IS NULL THEN 'taken'
                 WHEN ?4 AND input.value ->> 3 IS NOT NULL AND p.hash IS NOT input.value ->> 3
                     AND (p.customer_id IS NULL OR p.hash IS NOT NULL AND p.scheme LIKE '%/imported/%') THEN 'updated'
                 ELSE 'taken'
             END AS outcome
             FROM json_each(?1) AS input
             LEFT JOIN audit_entries a ON a.id = input.value ->> 1
             LEFT JOIN customers c ON c.organization_id = ?2 AND c.mode = ?3 AND c.email = input.value ->> 2
             LEFT JOIN customer_passwords p ON p.customer_id = c.id)",
    )
    .bind(Json(records.iter().map(row).collect::<Vec<_>>()))
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(updates_passwords)
    .bind(now)
    .fetch_all(executor)
    .await
    .map_err(map_db_error)?;
    let examined = |row: &SqliteRow| {
        let examined = Examined { outcome: parsed(row, "outcome")?, replaced: optional(row, "replaced")? };
        Ok((row.try_get("id")?, examined))
    };
    rows.iter().map(examined).collect::<Read<_>>().map_err(map_db_error)
}
