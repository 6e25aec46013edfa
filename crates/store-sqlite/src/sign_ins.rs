use rekey_core::{
    caller::Actor,
    events::audit::AuditEntry,
    ids::AuditId,
    scope::Scope,
    sessions::{MAX_SIGN_IN_ENTRIES, SignInRecord},
};
use rekey_sql::rows::{self, Read};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use time::Duration;

use crate::{
    after,
    events::{DECOY_LOG, Entry, LOG, write_entries},
};

/// Counts a log-in, and writes its audit entry if it is among the first of its hour. The record of a decoy's entry is the entry itself.
pub(crate) async fn record(
    connection: &mut SqliteConnection,
    scope: Scope,
    record: &SignInRecord<'_>,
    now: i64,
) -> Read<()> {
    let hour = after(0, Duration::HOUR);
    let (customer, count): (String, i64) = sqlx::query_as(
        "INSERT INTO sign_in_counts AS s (hour_started_at, account_digest, action, customer_id, organization_id, mode, sign_in_count)
         SELECT ?4 - ?4 % ?5, ?6, ?7, COALESCE(c.id, ''), ?1, ?2, 1
         FROM (SELECT 1) one LEFT JOIN customers c ON c.organization_id = ?1 AND c.mode = ?2 AND c.email = ?3 WHERE true
         ON CONFLICT (hour_started_at, account_digest, action, customer_id) DO UPDATE SET sign_in_count = s.sign_in_count + 1
         RETURNING customer_id, sign_in_count",
    )
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(record.email.as_str())
    .bind(now)
    .bind(hour)
    .bind(record.account.as_bytes().as_slice())
    .bind(record.audit.action.as_str())
    .fetch_one(&mut *connection)
    .await?;
    if count > i64::from(MAX_SIGN_IN_ENTRIES) {
        return Ok(());
    }
    let known = Some(customer.as_str()).filter(|customer| !customer.is_empty());
    let log = if known.is_some() { LOG } else { DECOY_LOG };
    let entry =
        Entry::new(record.audit, scope, "customers", known.unwrap_or_else(|| record.audit.id.as_str()), now);
    write_entries(connection, log, &[Entry { customer: known, ..entry }]).await
}

/// Ends counts of hours that began until `began_by`; returns how many. See the statement of PostgreSQL.
pub(crate) async fn end_counts(
    connection: &mut SqliteConnection,
    began_by: i64,
    ids: &[AuditId],
) -> Read<u64> {
    let ended = sqlx::query(
        "DELETE FROM sign_in_counts WHERE rowid IN (
             SELECT rowid FROM sign_in_counts WHERE hour_started_at <= ?1 ORDER BY hour_started_at LIMIT ?2)
         RETURNING organization_id, mode, action, sign_in_count - ?3 AS occurrences, hour_started_at,
             (SELECT id FROM customers c WHERE c.id = customer_id) AS customer_id",
    )
    .bind(began_by)
    .bind(i64::try_from(ids.len()).unwrap_or(i64::MAX))
    .bind(MAX_SIGN_IN_ENTRIES)
    .fetch_all(&mut *connection)
    .await?;
    let others = ended.iter().zip(ids).map(|(row, id)| others(row, *id)).collect::<Read<Vec<_>>>()?;
    let entries: Vec<_> = others.iter().flatten().map(UncountedSignIns::entry).collect();
    write_entries(connection, LOG, &entries).await?;
    Ok(ended.len() as u64)
}

/// The log-ins of an hour beyond those that have an entry of their own.
struct UncountedSignIns {
    audit: AuditEntry,
    scope: Scope,
    customer: String,
    occurrences: i64,
    ended_at: i64,
}

impl UncountedSignIns {
    fn entry(&self) -> Entry<'_> {
        Entry {
            customer: Some(&self.customer),
            occurrences: self.occurrences,
            ..Entry::new(&self.audit, self.scope, "customers", &self.customer, self.ended_at)
        }
    }
}

fn others(row: &SqliteRow, id: AuditId) -> Read<Option<UncountedSignIns>> {
    let occurrences: i64 = row.try_get("occurrences")?;
    let Some(customer) = row.try_get("customer_id")? else { return Ok(None) };
    if occurrences <= 0 {
        return Ok(None);
    }
    let audit = AuditEntry {
        id,
        actor: Actor::Clients,
        session: None,
        address: None,
        action: rows::parsed(row, "action")?,
        attributes: Vec::new(),
    };
    let scope =
        Scope { organization: rows::parsed(row, "organization_id")?, mode: rows::parsed(row, "mode")? };
    let ended_at = after(row.try_get("hour_started_at")?, Duration::HOUR);
    Ok(Some(UncountedSignIns { audit, scope, customer, occurrences, ended_at }))
}
