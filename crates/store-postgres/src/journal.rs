//! The audit entry, the event and the delivery that a change leaves behind, as parts of the statement that makes it.

use rekey_core::{
    caller::Actor,
    deliveries::MailName,
    events::{audit::AuditEntry, outbox::OutboxMessage},
    resources::{CUSTOMER_PASSWORD_RESETS, Resource},
};
use rekey_sql::{Bind, Statement};

/// Appends, to a statement whose common table expression `fact` changes at most one record of the resource and has its
/// `id`, `organization_id` and `mode`, that record's audit entry, its event if any, and the delivery of the mail that the event
/// leads to; a reset that is mailed about has its `customer_id` there, too.
pub(crate) fn push_journal(
    statement: &mut Statement,
    resource: &Resource,
    event: Option<&OutboxMessage>,
    audit: &AuditEntry,
) {
    if let Some(event) = event {
        push_event(statement, resource, event);
        if let Some(mail) = MailName::for_event(event.name) {
            push_delivery(statement, resource, event, mail);
        }
    }
    push_audit(statement, resource, audit);
}

fn push_event(statement: &mut Statement, resource: &Resource, event: &OutboxMessage) {
    statement
        .push(
            ", event AS (
                INSERT INTO events (id, name, payload, organization_id, mode, resource_type, resource_id)
                SELECT ",
        )
        .bind_text(event.id.as_str())
        .push(", ")
        .bind_text(event.name.as_str())
        .push(", ")
        .bind(Bind::Bytes(Some(event.payload.clone())))
        .push(&format!(", organization_id, mode, '{}', id FROM fact)", resource.name));
}

/// The same for a decoy, whose `customer_id` is null.
fn push_delivery(statement: &mut Statement, resource: &Resource, event: &OutboxMessage, mail: MailName) {
    let of_reset = *resource == CUSTOMER_PASSWORD_RESETS;
    statement
        .push(
            ", delivery AS (
                INSERT INTO deliveries (event_id, mail, organization_id, mode, reset_id, customer_id)
                SELECT ",
        )
        .bind_text(event.id.as_str())
        .push(", ")
        .bind_text(mail.as_str())
        .push(", organization_id, mode, ")
        .push(if of_reset { "id, customer_id" } else { "NULL, id" })
        .push(" FROM fact)");
}

fn push_audit(statement: &mut Statement, resource: &Resource, entry: &AuditEntry) {
    let (actor, application, customer, session) = match entry.actor {
        Actor::Client(application) => ("client", Some(application), None, None),
        Actor::Customer(application, customer, session) => {
            ("customer", Some(application), Some(customer), Some(session))
        }
        Actor::TokenHolder => ("token_holder", None, None, None),
        Actor::Operator => ("operator", None, None, None),
    };
    statement
        .push(
            ", audit AS (
                INSERT INTO audit_entries (id, action, actor, application_id, customer_id, session_id, address, attributes,
                    organization_id, mode, resource_type, resource_id)
                SELECT ",
        )
        .bind_text(entry.id.as_str())
        .push(", ")
        .bind_text(entry.action.as_str())
        .push(", ")
        .bind_text(actor)
        .push(", ")
        .bind(Bind::Text(application.map(|id| id.to_string())))
        .push(", ")
        .bind(Bind::Text(customer.map(|id| id.to_string())))
        .push(", ")
        .bind(Bind::Text(session.map(|id| id.to_string())))
        .push(", CAST(")
        .bind(Bind::Text(entry.address.map(|address| address.to_string())))
        .push("::text AS inet), ")
        .bind(Bind::Texts(entry.attributes.clone()))
        .push(&format!(", organization_id, mode, '{}', id FROM fact)", resource.name));
}
