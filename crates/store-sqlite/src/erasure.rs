//! What is left to erase of deleted and anonymized customers.

use rekey_core::{customers::anonymization::KEPT_EVENTS, events::EventName};
use rekey_sql::rows::Read;
use sqlx::{SqliteConnection, types::Json};

/// Deletes the suppressions of customers, by their addresses and by the deliveries that bounced, and their resets, erases what webhooks are sent
/// of them, and queues what is recorded about them to be erased.
pub(crate) async fn queue_erasure(
    connection: &mut SqliteConnection,
    customers: &[String],
    now: i64,
) -> Read<()> {
    for statement in [
        "DELETE FROM suppressions WHERE rowid IN (
             SELECT s.rowid FROM customers c JOIN suppressions s
                 ON s.organization_id = c.organization_id AND s.mode = c.mode AND s.email = c.email
             WHERE c.id IN (SELECT value FROM json_each(?1))
             UNION SELECT s.rowid FROM deliveries d JOIN suppressions s ON s.event_id = d.event_id
             WHERE d.customer_id IN (SELECT value FROM json_each(?1)))",
        "INSERT INTO erasures (customer_id, organization_id, mode, resource_ids, due_at, created_at)
         SELECT c.id, c.organization_id, c.mode, (
             SELECT json_group_array(id) FROM (
                 SELECT c.id AS id UNION SELECT r.id FROM password_resets r WHERE r.customer_id = c.id
                 UNION SELECT d.reset_id FROM deliveries d WHERE d.customer_id = c.id AND d.reset_id IS NOT NULL
             )
         ), ?2, ?2
         FROM customers c WHERE c.id IN (SELECT value FROM json_each(?1))
         ON CONFLICT (customer_id) DO UPDATE SET due_at = ?2, resource_ids = (
             SELECT json_group_array(value) FROM (
                 SELECT value FROM json_each(erasures.resource_ids) UNION SELECT value FROM json_each(excluded.resource_ids)
             )
         )",
        "DELETE FROM password_resets WHERE customer_id IN (SELECT value FROM json_each(?1))",
        "UPDATE event_callbacks SET sealed_payload = NULL, response_message = NULL, due_at = NULL, lease_until = NULL, updated_at = ?2
         WHERE customer_id IN (SELECT value FROM json_each(?1))",
    ] {
        sqlx::query(statement).bind(Json(customers)).bind(now).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The ids that the erasures of the customers ?1 name.
macro_rules! resource_ids {
    () => {
        "SELECT r.value FROM erasures e, json_each(e.resource_ids) r WHERE e.customer_id IN (SELECT value FROM json_each(?1))"
    };
}

/// The deliveries of the customers ?1.
macro_rules! mails {
    () => {
        concat!(
            "SELECT event_id FROM deliveries WHERE customer_id IN (SELECT value FROM json_each(?1))
             UNION SELECT event_id FROM deliveries WHERE reset_id IN (",
            resource_ids!(),
            ") AND (customer_id IS NULL OR customer_id IN (SELECT value FROM json_each(?1)))"
        )
    };
}

/// Only customers that are gone.
const DUE: &str = "
    SELECT customer_id FROM erasures WHERE due_at <= ?1 AND NOT EXISTS (
        SELECT 1 FROM customers c WHERE c.id = erasures.customer_id AND c.anonymization_completed_at IS NULL)
    ORDER BY due_at LIMIT ?2";

/// See [`Cleanup::erase`](rekey_core::cleanup::Cleanup::erase).
pub(crate) async fn erase(connection: &mut SqliteConnection, retry_at: i64, max: u32, now: i64) -> Read<u64> {
    let due: Vec<String> = sqlx::query_scalar(DUE).bind(now).bind(max).fetch_all(&mut *connection).await?;
    // ?1 is the customers, ?2 the names of the events that are kept, ?3 the time of the next look.
    for statement in [
        "DELETE FROM password_resets WHERE customer_id IN (SELECT value FROM json_each(?1))",
        "UPDATE event_callbacks SET sealed_payload = NULL, response_message = NULL, due_at = NULL, lease_until = NULL
         WHERE customer_id IN (SELECT value FROM json_each(?1)) AND topic <> 'customers.anonymization_completed'",
        "DELETE FROM email_changes WHERE customer_id IN (SELECT value FROM json_each(?1))",
        concat!("DELETE FROM suppressions WHERE event_id IN (", mails!(), ")"),
        "DELETE FROM sign_in_counts WHERE customer_id IN (SELECT value FROM json_each(?1))",
        concat!("DELETE FROM idempotency_keys WHERE record_id IN (", resource_ids!(), ")"),
        concat!(
            "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE resource_id IN (",
            resource_ids!(),
            ") UNION ",
            mails!(),
            ") AND name NOT IN (SELECT value FROM json_each(?2)) AND (published_at IS NOT NULL OR dead_at IS NOT NULL)
             AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = events.id AND d.status IN ('queued', 'deferred'))"
        ),
        concat!(
            "DELETE FROM deliveries WHERE status NOT IN ('queued', 'deferred') AND event_id IN (",
            mails!(),
            ")"
        ),
        concat!(
            "DELETE FROM audit_personal_data WHERE entry_id IN (
                 SELECT entry_id FROM audit_personal_data WHERE customer_id IN (SELECT value FROM json_each(?1))
                 UNION SELECT entry_id FROM audit_personal_data WHERE actor_customer_id IN (SELECT value FROM json_each(?1))
                 UNION SELECT p.entry_id FROM audit_personal_data p
                     JOIN audit_entries a ON a.id = p.entry_id AND a.resource_type = 'customer_password_resets'
                 WHERE (p.customer_id IS NULL OR p.customer_id IN (SELECT value FROM json_each(?1))) AND p.resource_id IN (",
            resource_ids!(),
            "))"
        ),
        // What is still there waits.
        "DELETE FROM erasures WHERE customer_id IN (SELECT value FROM json_each(?1))
             AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.customer_id = erasures.customer_id)
             AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.reset_id IN (SELECT value FROM json_each(erasures.resource_ids)))
             AND NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id IN (SELECT value FROM json_each(erasures.resource_ids))
                 AND e.name NOT IN (SELECT value FROM json_each(?2)))",
        "UPDATE erasures SET due_at = ?3 WHERE customer_id IN (SELECT value FROM json_each(?1))",
    ] {
        sqlx::query(statement)
            .bind(Json(&due))
            .bind(Json(KEPT_EVENTS.map(EventName::as_str)))
            .bind(retry_at)
            .execute(&mut *connection)
            .await?;
    }
    Ok(due.len() as u64)
}
