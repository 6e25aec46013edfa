//! The event, the delivery and the audit entry that a change leaves behind, written in its transaction.

use rekey_core::{
    deliveries::{
        MailName, NOTICE_BUDGET, NOTICE_WINDOW, UNCONFIRMED_NOTICE_BUDGET, UNCONFIRMED_NOTICE_WINDOW,
    },
    error::StoreError,
    events::{
        audit::{AuditEntry, PersonalData},
        outbox::NewEvent,
    },
    ids::{ApplicationId, EventId},
    random::{OsRandom, RandomSource},
    resources::{CUSTOMER_PASSWORD_RESETS, CUSTOMERS, Resource},
    scope::Scope,
};
use rekey_sql::rows::Read;
use serde_json::json;
use sqlx::{AssertSqlSafe, SqliteConnection, types::Json};
use time::Duration;

use crate::{after, error::map_db_error};

/// The record that was changed.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub scope: Scope,
    pub resource: &'static Resource,
    pub resource_id: &'a str,
}

/// Writes them, as of `now`.
pub(crate) async fn record_change(
    connection: &mut SqliteConnection,
    subject: Subject<'_>,
    event: Option<&NewEvent>,
    audit: &AuditEntry,
    now: i64,
) -> Result<(), StoreError> {
    if let Some(event) = event {
        write_event(connection, subject, event, now).await?;
    }
    record_audit(connection, subject, audit, now).await.map_err(map_db_error)?;
    Ok(())
}

/// Writes the audit entry, a decoy's to tables of its own.
pub(crate) async fn record_audit(
    connection: &mut SqliteConnection,
    subject: Subject<'_>,
    audit: &AuditEntry,
    now: i64,
) -> Read<()> {
    let Subject { scope, resource, resource_id } = subject;
    let customer = find_customer(connection, subject, audit).await?;
    let is_decoy = *resource == CUSTOMER_PASSWORD_RESETS && customer.is_none();
    let log = if is_decoy { DECOY_LOG } else { LOG };
    let entry = Entry::new(audit, scope, resource.name, resource_id, now);
    write_entries(connection, log, &[Entry { customer: customer.as_deref(), ..entry }]).await
}

/// An audit entry to write, with its personal fields.
pub(crate) struct Entry<'a> {
    pub audit: &'a AuditEntry,
    pub scope: Scope,
    pub resource_type: &'a str,
    pub resource_id: &'a str,
    /// The customer that it is about.
    pub customer: Option<&'a str>,
    /// How often it was done.
    pub occurrences: i64,
    pub created_at: i64,
}

impl<'a> Entry<'a> {
    /// An entry about a record that belongs to no customer.
    pub fn new(
        audit: &'a AuditEntry,
        scope: Scope,
        resource_type: &'a str,
        resource_id: &'a str,
        now: i64,
    ) -> Self {
        Self { audit, scope, resource_type, resource_id, customer: None, occurrences: 1, created_at: now }
    }
}

/// The prefix of the tables of the audit log.
pub(crate) const LOG: &str = "audit";
/// The prefix of the tables of decoys.
pub(crate) const DECOY_LOG: &str = "decoy_audit";

/// Writes audit entries to the tables of that prefix.
pub(crate) async fn write_entries(
    connection: &mut SqliteConnection,
    log: &str,
    entries: &[Entry<'_>],
) -> Read<()> {
    let row = |entry: &Entry<'_>| {
        let mut salt = [0; 16];
        OsRandom.fill(&mut salt);
        let address = entry.audit.address.map(|address| address.to_string());
        let session = entry.audit.session.as_ref();
        let personal = PersonalData {
            resource_id: entry.resource_id,
            customer: entry.customer,
            actor_customer: session.map(|(customer, _)| customer.as_str()),
            session: session.map(|(_, session)| session.as_str()),
            address: address.as_deref(),
        };
        json!({
            "id": entry.audit.id.as_str(), "organization": entry.scope.organization.as_str(), "mode": entry.scope.mode.as_str(),
            "type": entry.resource_type, "action": entry.audit.action.as_str(), "actor": entry.audit.actor.stored(),
            "application": entry.audit.actor.application().map(ApplicationId::as_str),
            "attributes": json!(entry.audit.attributes).to_string(), "occurrences": entry.occurrences, "at": entry.created_at,
            "resource": personal.resource_id, "customer": personal.customer, "actor_customer": personal.actor_customer,
            "session": personal.session, "address": personal.address, "salt": hex::encode(salt),
            "digest": hex::encode(personal.digest(&salt)),
        })
    };
    let rows = Json(entries.iter().map(row).collect::<Vec<_>>());
    for statement in [
        format!(
            "INSERT INTO {log}_personal_data (entry_id, resource_id, customer_id, actor_customer_id, session_id, address, salt)
             SELECT value ->> 'id', value ->> 'resource', value ->> 'customer', value ->> 'actor_customer', value ->> 'session',
                 value ->> 'address', unhex(value ->> 'salt')
             FROM json_each(?1)"
        ),
        format!(
            "INSERT INTO {log}_entries (id, organization_id, mode, resource_type, action, actor, application_id, attributes,
                 occurrences, created_at, personal_digest)
             SELECT value ->> 'id', value ->> 'organization', value ->> 'mode', value ->> 'type', value ->> 'action',
                 value ->> 'actor', value ->> 'application', value ->> 'attributes', value ->> 'occurrences', value ->> 'at',
                 unhex(value ->> 'digest')
             FROM json_each(?1)"
        ),
    ] {
        sqlx::query(AssertSqlSafe(statement)).bind(&rows).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Returns the customer that the entry is about; none for a decoy, and in entries that explain an erasure.
async fn find_customer(
    connection: &mut SqliteConnection,
    subject: Subject<'_>,
    audit: &AuditEntry,
) -> Read<Option<String>> {
    if *subject.resource == CUSTOMERS {
        return Ok((!audit.explains_erasure()).then(|| subject.resource_id.to_owned()));
    }
    let statement = if *subject.resource == CUSTOMER_PASSWORD_RESETS {
        "SELECT customer_id FROM password_resets WHERE id = ?1"
    } else {
        "SELECT customer_id FROM deliveries WHERE event_id = ?1"
    };
    let query = sqlx::query_scalar(statement).bind(subject.resource_id);
    Ok(query.fetch_optional(connection).await?.flatten())
}

/// Gives a notice's mail its quota, by whether its address is confirmed.
pub(crate) async fn set_notice_quota(
    connection: &mut SqliteConnection,
    event: EventId,
    account: &[u8],
    is_confirmed: bool,
) -> Read<()> {
    let (budget, window) = if is_confirmed {
        (NOTICE_BUDGET, NOTICE_WINDOW)
    } else {
        (UNCONFIRMED_NOTICE_BUDGET, UNCONFIRMED_NOTICE_WINDOW)
    };
    set_quota(connection, event, account, budget, window).await
}

/// Gives an event's mail the quota of that account.
pub(crate) async fn set_quota(
    connection: &mut SqliteConnection,
    event: EventId,
    account: &[u8],
    budget: u32,
    window: Duration,
) -> Read<()> {
    sqlx::query(
        "UPDATE deliveries SET account_digest = ?2, mail_budget = ?3, mail_window_seconds = ?4 WHERE event_id = ?1",
    )
    .bind(event.as_str())
    .bind(account)
    .bind(budget)
    .bind(window.as_seconds_f64())
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes the event, and the delivery of the mail that it leads to, if any; a decoy's has no customer.
pub(crate) async fn write_event(
    connection: &mut SqliteConnection,
    subject: Subject<'_>,
    event: &NewEvent,
    now: i64,
) -> Result<(), StoreError> {
    let message = &event.message;
    sqlx::query(
        "INSERT INTO events (id, organization_id, mode, name, resource_type, resource_id, payload, created_at, available_at,
             attempts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9 > ?8)",
    )
    .bind(message.id.as_str())
    .bind(subject.scope.organization.as_str())
    .bind(subject.scope.mode.as_str())
    .bind(message.name.as_str())
    .bind(subject.resource.name)
    .bind(subject.resource_id)
    .bind(&message.payload)
    .bind(now)
    .bind(after(now, event.lease))
    .execute(&mut *connection)
    .await
    .map_err(map_db_error)?;
    let Some(mail) = MailName::for_event(message.name) else { return Ok(()) };
    let is_reset = *subject.resource == CUSTOMER_PASSWORD_RESETS;
    sqlx::query(
        "INSERT INTO deliveries (event_id, organization_id, mode, mail, reset_id, customer_id, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, COALESCE(?6, (SELECT customer_id FROM password_resets WHERE id = ?5)), ?7, ?7)",
    )
    .bind(message.id.as_str())
    .bind(subject.scope.organization.as_str())
    .bind(subject.scope.mode.as_str())
    .bind(mail.as_str())
    .bind(is_reset.then_some(subject.resource_id))
    .bind((!is_reset).then_some(subject.resource_id))
    .bind(now)
    .execute(connection)
    .await
    .map_err(map_db_error)?;
    Ok(())
}
