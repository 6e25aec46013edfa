//! The audit entry and the event that a change leaves behind, as parts of the statement that makes it.

use rekey_core::{access::Actor, audit::AuditEntry, outbox::OutboxMessage};
use sqlx::{Postgres, postgres::PgArguments, query::Query};

pub(crate) type Statement = Query<'static, Postgres, PgArguments>;

/// A statement whose common table expression `fact (id, organization_id, mode)` changes at most one record of the named
/// resource, with that record's audit entry, and its event if any.
///
/// [`bind_audit`] gives `$1` to `$8`, and with an event [`bind_event`] `$9` to `$11`; the statement's own values follow.
macro_rules! journalled {
    (audit of $resource:literal: $fact:literal; $($rest:literal),+) => {
        concat!(
            "WITH ", $fact, ", audit AS (
                INSERT INTO audit_entries (id, action, actor, application_id, customer_id, session_id, address, attributes,
                    organization_id, mode, resource_type, resource_id)
                SELECT $1, $2, $3, $4, $5, $6, CAST($7::text AS inet), $8, organization_id, mode, '", $resource, "', id
                FROM fact
            )", $($rest),+
        )
    };
    (audit and event of $resource:literal: $fact:literal; $($rest:literal),+) => {
        $crate::journal::journalled!(audit of $resource: $fact; ", event AS (
                INSERT INTO events (id, name, payload, organization_id, mode, resource_type, resource_id)
                SELECT $9, $10, $11, organization_id, mode, '", $resource, "', id FROM fact
            )", $($rest),+)
    };
}

pub(crate) use journalled;

pub(crate) fn bind_audit(statement: Statement, entry: &AuditEntry) -> Statement {
    let (actor, application, customer, session) = match entry.actor {
        Actor::Client(application) => ("client", Some(application), None, None),
        Actor::Customer(application, customer, session) => {
            ("customer", Some(application), Some(customer), Some(session))
        }
        Actor::TokenHolder => ("token_holder", None, None, None),
        Actor::Operator => ("operator", None, None, None),
    };
    statement
        .bind(entry.id.to_string())
        .bind(entry.action.as_str())
        .bind(actor)
        .bind(application.map(|id| id.to_string()))
        .bind(customer.map(|id| id.to_string()))
        .bind(session.map(|id| id.to_string()))
        .bind(entry.address.map(|address| address.to_string()))
        .bind(entry.attributes.clone())
}

pub(crate) fn bind_event(statement: Statement, event: &OutboxMessage) -> Statement {
    statement.bind(event.id.to_string()).bind(event.name.as_str()).bind(event.payload.clone())
}
