use async_trait::async_trait;
use rekey_core::{
    customers::{
        CustomerChange, NewCustomer,
        store::{ChangeEvents, CustomerStore},
    },
    deliveries::{NOTICE_BUDGET, NOTICE_WINDOW, UNCONFIRMED_NOTICE_BUDGET, UNCONFIRMED_NOTICE_WINDOW},
    email::EmailAddress,
    error::{CreateError, StoreError},
    events::{audit::AuditEntry, outbox::NewEvent},
    ids::CustomerId,
    locale::Locale,
    passwords::{PasswordHash, SchemeName},
    resources::{CUSTOMERS, catalog::Catalog},
    scope::Scope,
};
use sqlx::types::Json;

use crate::{
    PostgresStore,
    attributes::bind_common,
    erasure::queue_erasure,
    error::{map_create_error, map_db_error},
    events::{bind_event, record_audit, record_change, record_event, record_main_event, recording},
};

#[async_trait]
impl CustomerStore for PostgresStore {
    async fn create_customer(
        &self,
        scope: Scope,
        customer: &NewCustomer,
        event: &NewEvent,
        audit: &AuditEntry,
    ) -> Result<(), CreateError> {
        let (attributes, common) = (&customer.attributes, &customer.attributes.common);
        recording(CREATE, scope, Some(event), audit)
            .bind(customer.id.as_str())
            .bind(customer.email.as_str())
            .bind(customer.password.as_ref().map(PasswordHash::as_str))
            .bind(attributes.locale.value().map(Locale::as_str))
            .bind(common.reference.value())
            .bind(common.reference_origin.value())
            .bind(common.metadata.as_ref().map(Json))
            .bind(own_scheme(scope, customer.password.as_ref()))
            .execute(&self.pool)
            .await
            .map_err(map_create_error)?;
        Ok(())
    }

    async fn update_customer(
        &self,
        scope: Scope,
        id: CustomerId,
        change: &CustomerChange,
        events: ChangeEvents<'_>,
        audit: &AuditEntry,
    ) -> Result<bool, CreateError> {
        if change.is_empty() {
            return Ok(self.find(scope, &CUSTOMERS, id.into()).await?.is_some());
        }
        let (attributes, email) = (&change.attributes, change.email.as_ref());
        let query = recording(UPDATE, scope, events.password, audit)
            .bind(id.as_str())
            .bind(email.map(|email| email.new.as_str()))
            .bind(change.password.as_ref().map(PasswordHash::as_str))
            .bind(attributes.locale.is_keep())
            .bind(attributes.locale.value().map(Locale::as_str));
        let query = bind_common(query, &attributes.common)
            .bind(email.map(|email| email.old.as_str()))
            .bind(email.map(|email| email.id.to_string()))
            .bind(email.map(|email| email.undo_token.as_bytes().as_slice()))
            .bind(email.map(|email| email.undo_ttl.as_seconds_f64()));
        let (account, has_account) = (events.account, events.account.is_some());
        let query = bind_event(query, events.email)
            .bind(account.map(|account| account.as_bytes().as_slice()))
            .bind(has_account.then_some(i64::from(NOTICE_BUDGET)))
            .bind(has_account.then_some(i64::from(UNCONFIRMED_NOTICE_BUDGET)))
            .bind(has_account.then_some(NOTICE_WINDOW.as_seconds_f64()))
            .bind(has_account.then_some(UNCONFIRMED_NOTICE_WINDOW.as_seconds_f64()))
            .bind(own_scheme(scope, change.password.as_ref()))
            .bind(change.anonymization.map(|asked| asked.status().as_str()));
        let query = bind_event(query, events.anonymization);
        Ok(query.fetch_optional(&self.pool).await.map_err(map_create_error)?.is_some())
    }

    async fn delete_customer(
        &self,
        scope: Scope,
        id: CustomerId,
        event: &NewEvent,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let query = recording(DELETE, scope, Some(event), audit).bind(id.as_str());
        Ok(query.fetch_optional(&self.pool).await.map_err(map_db_error)?.is_some())
    }
}

/// Returns the key of a hash that this service made.
pub(crate) fn own_scheme(scope: Scope, hash: Option<&PasswordHash>) -> Option<String> {
    hash.map(|hash| SchemeName::own(hash).key(scope.organization))
}

const CREATE: &str = concat!(
    "WITH fact AS (
        INSERT INTO customers (id, organization_id, mode, email, locale, reference, reference_origin, metadata)
        VALUES ($16, $1, $2, $17, $19, $20, $21, COALESCE($22, '{}'))
        RETURNING id
    ), password AS (
        INSERT INTO customer_passwords (customer_id, hash, scheme) SELECT id, $18, $23 FROM fact WHERE $18 IS NOT NULL
    )",
    record_change!("customers", "NULL", "id"),
    "SELECT id FROM fact"
);

/// The quota of the notices, by whether the address before the change was confirmed.
macro_rules! notice_quota {
    () => {
        "$35, CASE WHEN is_confirmed THEN $36 ELSE $37 END, CASE WHEN is_confirmed THEN $38 ELSE $39 END"
    };
}

/// Whether a request for anonymization is not one that waits already.
macro_rules! is_new_request {
    () => {
        "$41 = 'requested' AND anonymization_status IS DISTINCT FROM 'requested'"
    };
}

/// The next generation of a password ends every session of the one before.
const UPDATE: &str = concat!(
    "WITH before AS (
        SELECT email_confirmed_at IS NOT NULL AS is_confirmed FROM customers WHERE id = $16
    ), fact AS (
        UPDATE customers SET updated_at = now(), email = COALESCE($17, email),
            locale = CASE WHEN $19 THEN locale ELSE $20 END,
            reference = CASE WHEN $21 THEN reference ELSE $22 END,
            reference_origin = CASE WHEN $23 THEN reference_origin ELSE $24 END,
            metadata = COALESCE($25, metadata),
            email_confirmed_at = CASE WHEN $26 IS NULL THEN email_confirmed_at END,
            anonymization_status = COALESCE($41, anonymization_status),
            anonymization_requested_at = CASE WHEN ",
    is_new_request!(),
    "           THEN now() ELSE anonymization_requested_at END,
            anonymization_requester_id = CASE WHEN ",
    is_new_request!(),
    "           THEN $6 ELSE anonymization_requester_id END,
            anonymization_cancelled_at = CASE WHEN $41 = 'cancelled' THEN now()
                WHEN $41 IS NULL THEN anonymization_cancelled_at END,
            anonymization_canceller_id = CASE WHEN $41 = 'cancelled' THEN $6
                WHEN $41 IS NULL THEN anonymization_canceller_id END
        WHERE id = $16 AND (organization_id, mode) IS NOT DISTINCT FROM ($1, $2) AND ($26 IS NULL OR email = $26)
            AND CASE $41 WHEN 'requested' THEN anonymization_status IS DISTINCT FROM 'completed'
                WHEN 'cancelled' THEN anonymization_status = 'requested' ELSE true END
        RETURNING id, (SELECT is_confirmed FROM before) AS is_confirmed
    ), email_change AS (
        INSERT INTO email_changes (id, organization_id, mode, customer_id, email, token_digest, expires_at)
        SELECT $27, $1, $2, id, $26, $28, now() + make_interval(secs => $29) FROM fact WHERE $26 IS NOT NULL
    ), password AS (
        INSERT INTO customer_passwords (customer_id, hash, scheme) SELECT id, $18, $40 FROM fact WHERE $18 IS NOT NULL
        ON CONFLICT (customer_id) DO UPDATE
            SET hash = excluded.hash, scheme = excluded.scheme, generation = customer_passwords.generation + 1, updated_at = now()
    ), superseded AS (
        UPDATE password_resets r SET superseded_at = now(), updated_at = now() FROM fact
        WHERE r.customer_id = fact.id AND COALESCE(r.reset_password_at, r.superseded_at) IS NULL
            AND ($17 IS NOT NULL OR $18 IS NOT NULL)
    )",
    record_main_event!("customers", "NULL", "id", notice_quota!()),
    // The entry of a request for anonymization is kept when the customer's are erased.
    record_audit!("audit", "customers", "CASE WHEN $41 IS NULL THEN id END", "FROM fact"),
    record_event!("email_event", "fact", "customers", "NULL", "id", notice_quota!(), "$30", "$31", "$32", "$33", "$34"),
    record_event!(
        "anonymization_event",
        "fact",
        "customers",
        "NULL",
        "id",
        "NULL, NULL, NULL",
        "$42",
        "$43",
        "$44",
        "$45",
        "$46"
    ),
    "SELECT id FROM fact"
);

/// The password and the sessions go with their customer by their foreign keys; suppressions, of all addresses that it had.
const DELETE: &str = concat!(
    "WITH fact AS (
        DELETE FROM customers WHERE id = $16 AND (organization_id, mode) IS NOT DISTINCT FROM ($1, $2)
        RETURNING id, organization_id, mode, email AS old_email
    )",
    queue_erasure!(),
    record_change!("customers", "NULL", "NULL"),
    "SELECT id FROM fact"
);

/// The value of the unique index `customers_address`: see migration 0012.
pub(crate) fn customer_address(scope: Scope, email: &EmailAddress) -> String {
    format!("{}/{}/{email}", scope.organization, scope.mode.as_str())
}
