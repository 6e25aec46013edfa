use async_trait::async_trait;
use rekey_core::{
    customers::anonymization::{Anonymization, AnonymizationStore, DueAnonymization},
    error::StoreError,
    ids::ApplicationId,
};
use rekey_sql::rows;
use time::Duration;

use crate::{PostgresStore, erasure::queue_erasure, error::map_db_error, events::personal_digest};

#[async_trait]
impl AnonymizationStore for PostgresStore {
    async fn due_anonymizations(&self, age: Duration, max: u32) -> Result<Vec<DueAnonymization>, StoreError> {
        let rows = sqlx::query(
            "SELECT id AS customer_id, organization_id, mode, anonymization_requester_id AS requester_id FROM customers
             WHERE anonymization_status = 'requested' AND anonymization_requested_at <= now() - make_interval(secs => $1)
             ORDER BY anonymization_requested_at LIMIT $2",
        )
        .bind(age.as_seconds_f64())
        .bind(i64::from(max))
        .fetch_all(&self.pool)
        .await
        .map_err(map_db_error)?;
        Ok(rows.iter().map(rows::due_anonymization).collect::<Result<_, _>>().map_err(map_db_error)?)
    }

    async fn anonymize(&self, age: Duration, customers: &[Anonymization]) -> Result<u64, StoreError> {
        let texts = |text: fn(&Anonymization) -> String| customers.iter().map(text).collect::<Vec<_>>();
        let events = || Anonymization::events(customers);
        let first = customers.first().map(|one| &one.audit);
        let done: i64 = sqlx::query_scalar(ANONYMIZE)
            .bind(age.as_seconds_f64())
            .bind(texts(|one| one.customer.to_string()))
            .bind(texts(|one| one.email.to_string()))
            .bind(texts(|one| one.audit.id.to_string()))
            .bind(texts(|one| {
                one.audit.actor.application().map(ApplicationId::to_string).unwrap_or_default()
            }))
            .bind(first.map(|audit| audit.action.as_str()))
            .bind(first.map(|audit| audit.attributes.clone()))
            .bind(events().map(|(customer, _)| customer.to_string()).collect::<Vec<_>>())
            .bind(events().map(|(_, event)| event.id.to_string()).collect::<Vec<_>>())
            .bind(events().map(|(_, event)| event.name.as_str()).collect::<Vec<_>>())
            .bind(events().map(|(_, event)| event.payload.as_slice()).collect::<Vec<_>>())
            .fetch_one(&self.pool)
            .await
            .map_err(map_db_error)?;
        Ok(done.unsigned_abs())
    }
}

/// The next generation of a password ends every session of the one before, also one that this statement can't see.
const ANONYMIZE: &str = concat!(
    "WITH input AS (
        SELECT * FROM UNNEST($2::text[], $3::text[], $4::text[], $5::text[]) AS input (id, email, audit_id, requester_id)
    ), before AS (
        SELECT c.id, c.email FROM customers c JOIN input USING (id)
        WHERE c.anonymization_status = 'requested' AND c.anonymization_requested_at <= now() - make_interval(secs => $1)
        ORDER BY c.id FOR NO KEY UPDATE OF c
    ), fact AS (
        UPDATE customers c SET email = input.email, locale = NULL, reference = NULL, reference_origin = NULL, metadata = '{}',
            email_confirmed_at = NULL, anonymization_status = 'completed', anonymization_completed_at = now(), updated_at = now()
        FROM before JOIN input USING (id) WHERE c.id = before.id
        RETURNING c.id, c.organization_id, c.mode, before.email AS old_email
    ), password AS (
        UPDATE customer_passwords p SET hash = NULL, scheme = NULL, generation = p.generation + 1, updated_at = now() FROM fact
        WHERE p.customer_id = fact.id
    ), session AS (
        DELETE FROM sessions s USING fact WHERE s.customer_id = fact.id
    ), email_change AS (
        DELETE FROM email_changes e USING fact WHERE e.customer_id = fact.id
    ), email_change_try AS (
        DELETE FROM email_change_tries t USING fact WHERE t.customer_id = fact.id
    )",
    queue_erasure!(),
    ", event AS (
        INSERT INTO events (id, organization_id, mode, name, resource_type, resource_id, payload)
        SELECT e.id, fact.organization_id, fact.mode, e.name, 'customers', fact.id, e.payload
        FROM UNNEST($8::text[], $9::text[], $10::text[], $11::bytea[]) AS e (customer_id, id, name, payload)
        JOIN fact ON fact.id = e.customer_id
    ), personal AS (
        INSERT INTO audit_personal_data (entry_id, resource_id, salt)
        SELECT audit_id, id, uuid_send(gen_random_uuid()) FROM fact JOIN input USING (id)
        RETURNING *
    ), audit AS (
        INSERT INTO audit_entries (id, organization_id, mode, resource_type, action, actor, application_id, attributes,
            personal_digest)
        SELECT entry_id, fact.organization_id, fact.mode, 'customers', $6, 'client', requester_id, $7, ",
    personal_digest!(),
    "   FROM personal JOIN input ON input.audit_id = entry_id JOIN fact ON fact.id = input.id
    )
    SELECT count(*) FROM fact"
);
