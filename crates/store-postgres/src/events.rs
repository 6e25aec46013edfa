//! The event, the delivery and the audit entry that a change leaves behind, as parts of the statement that makes it.

use rekey_core::{
    deliveries::MailName,
    events::{audit::AuditEntry, outbox::NewEvent},
    ids::ApplicationId,
    scope::Scope,
};
use sqlx::{Postgres, postgres::PgArguments, query::Query};

/// The common table expressions that record a change of one record, after `fact`, which returns the record's `id`. `$links` are
/// the delivery's reset and customer, by the columns of `fact`, and `$quota` its account, budget and window, if it has a quota. [`recording`] binds $1 to $15; $1 and $2 are the scope.
macro_rules! record_change {
    ($resource:literal, $links:literal) => {
        $crate::events::record_change!($resource, $links, "NULL, NULL, NULL")
    };
    ($resource:literal, $links:literal, $quota:expr) => {
        concat!(
            $crate::events::record_event!("event", "fact", $resource, $links, $quota, "$11", "$12", "$13", "$14", "$15"),
            ", audit AS (
                INSERT INTO audit_entries (id, organization_id, mode, resource_type, resource_id, action, actor, application_id,
                    customer_id, session_id, address, attributes)
                SELECT $3, $1, $2, '", $resource, "', id, $4, $5, $6, $7, $8, CAST($9 AS inet), $10 FROM fact
            )"
        )
    };
}

/// The common table expressions that write an event, and the delivery that it leads to, about the record that `$from` returns.
macro_rules! record_event {
    ($name:literal, $from:literal, $resource:literal, $links:literal, $quota:expr, $id:literal, $topic:literal, $payload:literal, $mail:literal, $lease:literal) => {
        concat!(
            ", ", $name, " AS (
                INSERT INTO events (id, organization_id, mode, name, resource_type, resource_id, payload, available_at,
                    attempts)
                SELECT ", $id, ", $1, $2, ", $topic, ", '", $resource, "', id, ", $payload, ",
                    clock_timestamp() + make_interval(secs => ", $lease, "), CAST(", $lease, " > 0 AS integer)
                FROM ", $from, " WHERE ", $id, " IS NOT NULL
            ), ", $name, "_delivery AS (
                INSERT INTO deliveries (event_id, organization_id, mode, mail, reset_id, customer_id, account_digest, mail_budget,
                    mail_window_seconds)
                SELECT ", $id, ", $1, $2, ", $mail, ", ", $links, ", ", $quota, " FROM ", $from, " WHERE ", $mail, " IS NOT NULL
            )"
        )
    };
}

pub(crate) use {record_change, record_event};

/// A query by a statement with [`record_change`] in it. Its own parameters begin at $16.
pub(crate) fn recording<'q>(
    statement: &'static str,
    scope: Scope,
    event: Option<&'q NewEvent>,
    audit: &'q AuditEntry,
) -> Query<'q, Postgres, PgArguments> {
    let session = audit.actor.session();
    let query = sqlx::query(statement)
        .bind(scope.organization.to_string())
        .bind(scope.mode.as_str())
        .bind(audit.id.as_str())
        .bind(audit.action.as_str())
        .bind(audit.actor.as_str())
        .bind(audit.actor.application().map(ApplicationId::as_str))
        .bind(session.map(|(customer, _)| customer.as_str()))
        .bind(session.map(|(_, session)| session.as_str()))
        .bind(audit.address.map(|address| address.to_string()))
        .bind(&audit.attributes);
    bind_event(query, event)
}

/// Binds the five parameters of [`record_event`].
pub(crate) fn bind_event<'q>(
    query: Query<'q, Postgres, PgArguments>,
    event: Option<&'q NewEvent>,
) -> Query<'q, Postgres, PgArguments> {
    let message = event.map(|event| &event.message);
    query
        .bind(message.map(|message| message.id.as_str()))
        .bind(message.map(|message| message.name.as_str()))
        .bind(message.map(|message| message.payload.as_slice()))
        .bind(message.and_then(|message| MailName::for_event(message.name)).map(MailName::as_str))
        .bind(event.map_or(0.0, |event| event.lease.as_seconds_f64()))
}
