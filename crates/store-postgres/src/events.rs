//! The event, the delivery and the audit entry that a change leaves behind, as parts of the statement that makes it.

use rekey_core::{
    deliveries::MailName,
    events::{audit::AuditEntry, outbox::NewEvent},
    ids::ApplicationId,
    scope::Scope,
};
use sqlx::{Postgres, postgres::PgArguments, query::Query};

/// The common table expressions that record a change of one record, after `fact`, which returns the record's `id`. `$reset` and `$customer`
/// are those that it is about, by the columns of `fact`, and `$quota` the delivery's account, budget and window, if it has a quota.
/// [`recording`] binds $1 to $15; $1 and $2 are the scope.
macro_rules! record_change {
    ($resource:literal, $reset:literal, $customer:literal) => {
        $crate::events::record_change!($resource, $reset, $customer, "NULL, NULL, NULL")
    };
    ($resource:literal, $reset:literal, $customer:literal, $quota:expr) => {
        concat!(
            $crate::events::record_main_event!($resource, $reset, $customer, $quota),
            $crate::events::record_audit!("audit", $resource, $customer, "FROM fact")
        )
    };
}

/// The common table expressions that write the event that [`recording`] binds.
macro_rules! record_main_event {
    ($resource:literal, $reset:literal, $customer:literal, $quota:expr) => {
        $crate::events::record_event!(
            "event", "fact", $resource, $reset, $customer, $quota, "$11", "$12", "$13", "$14", "$15"
        )
    };
}

/// The common table expressions that write the audit entry that [`recording`] binds to the tables of that prefix, `audit` or
/// `decoy_audit`, about the record of `$from`. Several entries have their ids in a column of `$from`, and their scopes, `$scope`, come from
/// a join on `entry_id`.
macro_rules! record_audit {
    ($tables:literal, $resource:literal, $customer:literal, $from:literal) => {
        $crate::events::record_audit!($tables, $resource, $customer, $from, "$3", "$4", "$10")
    };
    ($tables:literal, $resource:literal, $customer:literal, $from:literal, $id:literal, $action:literal, $attributes:literal) => {
        $crate::events::record_audit!(
            $tables,
            $resource,
            $customer,
            $from,
            $id,
            $action,
            $attributes,
            "$1, $2",
            ""
        )
    };
    ($tables:literal, $resource:literal, $customer:literal, $from:literal, $id:literal, $action:literal, $attributes:literal, $scope:literal, $join:literal) => {
        concat!(
            ", ",
            $tables,
            "_",
            $resource,
            " AS (
                INSERT INTO ",
            $tables,
            "_personal_data (entry_id, resource_id, customer_id, actor_customer_id, session_id, address,
                    salt)
                SELECT ",
            $id,
            ", id, ",
            $customer,
            ", $7, $8, CAST($9 AS inet), uuid_send(gen_random_uuid()) ",
            $from,
            "
                RETURNING *
            ), ",
            $tables,
            "_entry_",
            $resource,
            " AS (
                INSERT INTO ",
            $tables,
            "_entries (id, organization_id, mode, resource_type, action, actor, application_id,
                    attributes, personal_digest)
                SELECT entry_id, ",
            $scope,
            ", '",
            $resource,
            "', ",
            $action,
            ", $5, $6, ",
            $attributes,
            ",
                    ",
            $crate::events::personal_digest!(),
            "
                FROM ",
            $tables,
            "_",
            $resource,
            $join,
            "
            )"
        )
    };
}

/// The digest of the personal fields of an audit entry: see `rekey_core::events::audit::PersonalData`.
macro_rules! personal_digest {
    () => {
        "sha256(salt || convert_to(concat_ws('/', resource_id, COALESCE(customer_id, ''), COALESCE(actor_customer_id, ''),
                        COALESCE(session_id, ''), COALESCE(host(address), '')), 'UTF8'))"
    };
}

/// The common table expressions that write an event, and the delivery that it leads to, about the record that `$from` returns.
macro_rules! record_event {
    ($name:literal, $from:literal, $resource:literal, $reset:literal, $customer:literal, $quota:expr, $id:literal, $topic:literal, $payload:literal, $mail:literal, $lease:literal) => {
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
                SELECT ", $id, ", $1, $2, ", $mail, ", ", $reset, ", ", $customer, ", ", $quota, " FROM ", $from, " WHERE ", $mail, " IS NOT NULL
            )"
        )
    };
}

pub(crate) use {personal_digest, record_audit, record_change, record_event, record_main_event};

/// A query by a statement with [`record_change`] in it. Its own parameters begin at $16.
pub(crate) fn recording<'q>(
    statement: &'static str,
    scope: Scope,
    event: Option<&'q NewEvent>,
    audit: &'q AuditEntry,
) -> Query<'q, Postgres, PgArguments> {
    bind_event(auditing(statement, Some(scope), audit), event)
}

/// A query by a statement with [`record_audit`] and no event in it. Its own parameters begin at $11.
pub(crate) fn auditing<'q>(
    statement: &'static str,
    scope: Option<Scope>,
    audit: &'q AuditEntry,
) -> Query<'q, Postgres, PgArguments> {
    let session = audit.session.as_ref();
    sqlx::query(statement)
        .bind(scope.map(|scope| scope.organization.to_string()))
        .bind(scope.map(|scope| scope.mode.as_str()))
        .bind(audit.id.as_str())
        .bind(audit.action.as_str())
        .bind(audit.actor.stored())
        .bind(audit.actor.application().map(ApplicationId::as_str))
        .bind(session.map(|(customer, _)| customer.as_str()))
        .bind(session.map(|(_, session)| session.as_str()))
        .bind(audit.address.map(|address| address.to_string()))
        .bind(&audit.attributes)
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
