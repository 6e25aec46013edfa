use async_trait::async_trait;
use rekey_core::{
    customers::{CustomerChange, NewCustomer, store::CustomerStore},
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
    error::{map_create_error, map_db_error},
    events::{record_change, recording},
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
        event: Option<&NewEvent>,
        audit: &AuditEntry,
    ) -> Result<bool, CreateError> {
        if change.is_empty() {
            return Ok(self.find(scope, &CUSTOMERS, id.into()).await?.is_some());
        }
        let attributes = &change.attributes;
        let query = recording(UPDATE, scope, event, audit)
            .bind(id.as_str())
            .bind(change.email.as_ref().map(EmailAddress::as_str))
            .bind(change.password.as_ref().map(PasswordHash::as_str))
            .bind(attributes.locale.is_keep())
            .bind(attributes.locale.value().map(Locale::as_str));
        let query = bind_common(query, &attributes.common).bind(own_scheme(scope, change.password.as_ref()));
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
    record_change!("customers", "NULL, id"),
    "SELECT id FROM fact"
);

/// The next generation of a password ends every session of the one before.
const UPDATE: &str = concat!(
    "WITH fact AS (
        UPDATE customers SET updated_at = now(), email = COALESCE($17, email),
            locale = CASE WHEN $19 THEN locale ELSE $20 END,
            reference = CASE WHEN $21 THEN reference ELSE $22 END,
            reference_origin = CASE WHEN $23 THEN reference_origin ELSE $24 END,
            metadata = COALESCE($25, metadata)
        WHERE id = $16 AND (organization_id, mode) IS NOT DISTINCT FROM ($1, $2)
        RETURNING id
    ), password AS (
        INSERT INTO customer_passwords (customer_id, hash, scheme) SELECT id, $18, $26 FROM fact WHERE $18 IS NOT NULL
        ON CONFLICT (customer_id) DO UPDATE
            SET hash = excluded.hash, scheme = excluded.scheme, generation = customer_passwords.generation + 1, updated_at = now()
    ), superseded AS (
        UPDATE password_resets r SET superseded_at = now(), updated_at = now() FROM fact
        WHERE r.customer_id = fact.id AND r.reset_password_at IS NULL AND r.superseded_at IS NULL
            AND ($17 IS NOT NULL OR $18 IS NOT NULL)
    )",
    record_change!("customers", "NULL, id"),
    "SELECT id FROM fact"
);

/// The password and the sessions go with their customer by their foreign keys; suppressions, of all addresses that it had.
const DELETE: &str = concat!(
    "WITH fact AS (
        DELETE FROM customers WHERE id = $16 AND (organization_id, mode) IS NOT DISTINCT FROM ($1, $2)
        RETURNING id, email
    ), resets AS (
        DELETE FROM password_resets r USING fact WHERE r.customer_id = fact.id
    ), suppression AS (
        DELETE FROM suppressions s USING fact
        WHERE s.organization_id = $1 AND s.mode = $2 AND (s.email = fact.email OR s.event_id = ANY (ARRAY(
            SELECT d.event_id FROM deliveries d WHERE d.customer_id = (SELECT id FROM fact)
        )))
    )",
    record_change!("customers", "NULL, id"),
    "SELECT id FROM fact"
);

/// The value of the unique index `customers_address`: see migration 0012.
pub(crate) fn customer_address(scope: Scope, email: &EmailAddress) -> String {
    format!("{}/{}/{email}", scope.organization, scope.mode.as_str())
}
