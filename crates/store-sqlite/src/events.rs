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
    resources::{CUSTOMER_PASSWORD_RESETS, CUSTOMERS, Resource},
    scope::Scope,
};
use rekey_sql::rows::Read;
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
async fn record_audit(
    connection: &mut SqliteConnection,
    subject: Subject<'_>,
    audit: &AuditEntry,
    now: i64,
) -> Read<()> {
    let Subject { scope, resource, resource_id } = subject;
    let customer = find_customer(connection, subject, audit).await?;
    let is_decoy = *resource == CUSTOMER_PASSWORD_RESETS && customer.is_none();
    let tables = if is_decoy { "decoy_audit" } else { "audit" };
    let session = audit.session.as_ref();
    let address = audit.address.map(|address| address.to_string());
    let personal = PersonalData {
        resource_id,
        customer: customer.as_deref(),
        actor_customer: session.map(|(customer, _)| customer.as_str()),
        session: session.map(|(_, session)| session.as_str()),
        address: address.as_deref(),
    };
    let statement = format!(
        "INSERT INTO {tables}_personal_data (entry_id, resource_id, customer_id, actor_customer_id, session_id, address, salt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, randomblob(16)) RETURNING salt"
    );
    let salt: Vec<u8> = sqlx::query_scalar(AssertSqlSafe(statement))
        .bind(audit.id.as_str())
        .bind(personal.resource_id)
        .bind(personal.customer)
        .bind(personal.actor_customer)
        .bind(personal.session)
        .bind(personal.address)
        .fetch_one(&mut *connection)
        .await?;
    let statement = format!(
        "INSERT INTO {tables}_entries (id, organization_id, mode, resource_type, action, actor, application_id, attributes,
             personal_digest, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
    );
    sqlx::query(AssertSqlSafe(statement))
        .bind(audit.id.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(resource.name)
        .bind(audit.action.as_str())
        .bind(audit.actor.as_str())
        .bind(audit.actor.application().map(ApplicationId::as_str))
        .bind(Json(&audit.attributes))
        .bind(personal.digest(&salt).as_slice())
        .bind(now)
        .execute(connection)
        .await?;
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
