use async_trait::async_trait;
use rekey_core::{
    customers::anonymization::{Anonymization, AnonymizationStore, DueAnonymization},
    error::StoreError,
    resources::CUSTOMERS,
};
use rekey_sql::rows::{self, Read};
use serde_json::{Value, json};
use sqlx::{SqliteConnection, types::Json};
use time::Duration;

use crate::{
    SqliteStore, after,
    erasure::queue_erasure,
    error::map_db_error,
    events::{Entry, LOG, write_entries},
};

#[async_trait]
impl AnonymizationStore for SqliteStore {
    async fn due_anonymizations(&self, age: Duration, max: u32) -> Result<Vec<DueAnonymization>, StoreError> {
        let rows = sqlx::query(
            "SELECT id AS customer_id, organization_id, mode, anonymization_requester_id AS requester_id FROM customers
             WHERE anonymization_status = 'requested' AND anonymization_requested_at <= ?1
             ORDER BY anonymization_requested_at LIMIT ?2",
        )
        .bind(after(self.present(), -age))
        .bind(max)
        .fetch_all(&self.readers)
        .await
        .map_err(map_db_error)?;
        Ok(rows.iter().map(rows::due_anonymization).collect::<Result<_, _>>().map_err(map_db_error)?)
    }

    async fn anonymize(&self, age: Duration, customers: &[Anonymization]) -> Result<u64, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let done =
            anonymize(&mut transaction, customers, after(now, -age), now).await.map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(done)
    }
}

async fn anonymize(
    connection: &mut SqliteConnection,
    customers: &[Anonymization],
    requested_until: i64,
    now: i64,
) -> Read<u64> {
    let input: Value = customers
        .iter()
        .map(|one| json!({ "id": one.customer.to_string(), "email": one.email.as_str() }))
        .collect();
    let due: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM customers WHERE id IN (SELECT value ->> 'id' FROM json_each(?1))
             AND anonymization_status = 'requested' AND anonymization_requested_at <= ?2",
    )
    .bind(Json(&input))
    .bind(requested_until)
    .fetch_all(&mut *connection)
    .await?;
    queue_erasure(connection, &due, now).await?;
    // ?1 is the customers, ?2 their new addresses, ?3 the present.
    for statement in [
        "UPDATE customers SET email = (SELECT value ->> 'email' FROM json_each(?2) WHERE value ->> 'id' = customers.id),
             locale = NULL, reference = NULL, reference_origin = NULL, metadata = '{}', email_confirmed_at = NULL,
             anonymization_status = 'completed', anonymization_completed_at = ?3, updated_at = ?3
         WHERE id IN (SELECT value FROM json_each(?1))",
        "UPDATE customer_passwords SET hash = NULL, scheme = NULL, generation = generation + 1, updated_at = ?3
         WHERE customer_id IN (SELECT value FROM json_each(?1))",
        "DELETE FROM sessions WHERE customer_id IN (SELECT value FROM json_each(?1))",
        "DELETE FROM email_changes WHERE customer_id IN (SELECT value FROM json_each(?1))",
        "DELETE FROM email_change_tries WHERE customer_id IN (SELECT value FROM json_each(?1))",
    ] {
        sqlx::query(statement).bind(Json(&due)).bind(Json(&input)).bind(now).execute(&mut *connection).await?;
    }
    record(connection, customers, &due, now).await?;
    Ok(due.len() as u64)
}

/// Writes the events and the audit entries of those that are due.
async fn record(
    connection: &mut SqliteConnection,
    customers: &[Anonymization],
    due: &[String],
    now: i64,
) -> Read<()> {
    let events = Anonymization::events(customers).map(|(customer, event)| {
        let (id, name, payload) = (event.id.to_string(), event.name.as_str(), hex::encode(&event.payload));
        json!({ "customer": customer.to_string(), "id": id, "name": name, "payload": payload })
    });
    sqlx::query(
        "INSERT INTO events (id, organization_id, mode, name, resource_type, resource_id, payload, created_at, available_at)
         SELECT value ->> 'id', c.organization_id, c.mode, value ->> 'name', 'customers', c.id, unhex(value ->> 'payload'), ?2, ?2
         FROM json_each(?1) JOIN customers c ON c.id = value ->> 'customer'
         WHERE c.id IN (SELECT value FROM json_each(?3))",
    )
    .bind(Json(events.collect::<Value>()))
    .bind(now)
    .bind(Json(due))
    .execute(&mut *connection)
    .await?;
    let entries: Vec<_> = customers
        .iter()
        .filter(|one| due.iter().any(|due| *due == one.customer.as_str()))
        .map(|one| Entry::new(&one.audit, one.scope, CUSTOMERS.name, one.customer.as_str(), now))
        .collect();
    write_entries(connection, LOG, &entries).await
}
