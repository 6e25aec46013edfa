//! What is left to erase of deleted and anonymized customers.

use rekey_core::{customers::anonymization::KEPT_EVENTS, error::StoreError, events::EventName};
use time::Duration;

use crate::{error::map_db_error, pool::Pool};

/// The common table expressions that delete the suppressions of the customers that `fact` returns, by their addresses and by the deliveries
/// that bounced, and their resets, that erase what webhooks are sent of them, and that queue what is recorded about them for [`ERASE`].
macro_rules! queue_erasure {
    () => {
        ", suppressed AS (
            SELECT organization_id, mode, old_email AS email FROM fact
            UNION SELECT s.organization_id, s.mode, s.email
            FROM fact JOIN deliveries d ON d.customer_id = fact.id JOIN suppressions s ON s.event_id = d.event_id
        ), suppression AS (
            DELETE FROM suppressions s USING suppressed x
            WHERE s.organization_id = x.organization_id AND s.mode = x.mode AND s.email = x.email
        ), resets AS (
            DELETE FROM password_resets r USING fact WHERE r.customer_id = fact.id RETURNING r.id, r.customer_id
        ), callback AS (
            UPDATE event_callbacks c SET sealed_payload = NULL, response_message = NULL, due_at = NULL, lease_until = NULL, updated_at = now()
            FROM fact WHERE c.customer_id = fact.id
        ), erasure AS (
            INSERT INTO erasures AS e (customer_id, organization_id, mode, resource_ids)
            SELECT id, organization_id, mode, ARRAY(
                SELECT fact.id UNION SELECT r.id FROM resets r WHERE r.customer_id = fact.id
                UNION SELECT d.reset_id FROM deliveries d WHERE d.customer_id = fact.id AND d.reset_id IS NOT NULL
            ) FROM fact
            ON CONFLICT (customer_id) DO UPDATE SET due_at = now(), resource_ids = e.resource_ids || excluded.resource_ids
        )"
    };
}

pub(crate) use queue_erasure;

/// See [`Cleanup::erase`](rekey_core::cleanup::Cleanup::erase).
pub(crate) async fn erase(pool: &Pool, retry_after: Duration, max: u32) -> Result<u64, StoreError> {
    let count: i64 = sqlx::query_scalar(ERASE)
        .bind(i64::from(max))
        .bind(retry_after.as_seconds_f64())
        .bind(KEPT_EVENTS.map(EventName::as_str).as_slice())
        .bind(MAX_ROWS)
        .fetch_one(pool)
        .await
        .map_err(map_db_error)?;
    Ok(count.unsigned_abs())
}

/// How many events, deliveries and audit entries are erased in one statement, of each.
const MAX_ROWS: i64 = 5_000;

/// The API can queue customers, so only those that are gone are erased, and no record of another customer. What was written at the same
/// time as the customer was deleted or anonymized (a reset, a change of its address, a suppression) is deleted here. When there are more records than one statement
/// erases, their customers stay due.
const ERASE: &str = "
    WITH due AS MATERIALIZED (
        SELECT customer_id, resource_ids FROM erasures e WHERE due_at <= now() AND NOT EXISTS (
            SELECT FROM customers c WHERE c.id = e.customer_id AND c.anonymization_completed_at IS NULL
        )
        ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
    ), mail AS MATERIALIZED (
        SELECT due.customer_id, d.event_id, d.status NOT IN ('queued', 'deferred') AS is_done
        FROM due CROSS JOIN LATERAL (
            SELECT event_id, status FROM deliveries WHERE customer_id = due.customer_id
            UNION SELECT event_id, status FROM deliveries
            WHERE reset_id = ANY (due.resource_ids) AND COALESCE(customer_id, due.customer_id) = due.customer_id
        ) d
    ), event AS MATERIALIZED (
        SELECT due.customer_id, e.id, (e.published_at IS NOT NULL OR e.dead_at IS NOT NULL) AND NOT EXISTS (
            SELECT FROM deliveries d WHERE d.event_id = e.id AND d.status IN ('queued', 'deferred')
        ) AS is_done
        FROM due CROSS JOIN LATERAL (
            SELECT id FROM events WHERE resource_id = ANY (due.resource_ids)
            UNION SELECT event_id FROM mail WHERE mail.customer_id = due.customer_id
        ) named JOIN events e USING (id)
        WHERE e.name <> ALL ($3)
    ), entry AS MATERIALIZED (
        SELECT p.entry_id FROM due JOIN audit_personal_data p ON p.customer_id = due.customer_id
        UNION SELECT p.entry_id FROM due JOIN audit_personal_data p ON p.actor_customer_id = due.customer_id
        UNION SELECT p.entry_id FROM due JOIN audit_personal_data p
            ON p.resource_id = ANY (due.resource_ids) AND COALESCE(p.customer_id, due.customer_id) = due.customer_id
            JOIN audit_entries a ON a.id = p.entry_id AND a.resource_type = 'customer_password_resets'
    ), checked AS (
        SELECT due.customer_id, EXISTS (
            SELECT FROM mail WHERE mail.customer_id = due.customer_id AND NOT is_done
            UNION ALL SELECT FROM event WHERE event.customer_id = due.customer_id AND NOT is_done
        ) AS waits
        FROM due
        WHERE (SELECT count(*) FROM mail WHERE is_done) <= $4 AND (SELECT count(*) FROM event WHERE is_done) <= $4
            AND (SELECT count(*) FROM entry) <= $4
    ), gone_reset AS (
        DELETE FROM password_resets r USING due WHERE r.customer_id = due.customer_id
    ), gone_email_change AS (
        DELETE FROM email_changes c USING due WHERE c.customer_id = due.customer_id
    ), gone_suppression AS (
        DELETE FROM suppressions s USING mail WHERE s.event_id = mail.event_id AND mail.is_done
    ), gone_payload AS (
        UPDATE event_callbacks c SET sealed_payload = NULL, response_message = NULL, due_at = NULL, lease_until = NULL, updated_at = now()
        FROM due WHERE c.customer_id = due.customer_id AND c.topic <> 'customers.anonymization_completed'
    ), gone_answer AS (
        DELETE FROM idempotency_keys k USING due WHERE k.record_id = ANY (due.resource_ids)
    ), gone_count AS (
        DELETE FROM sign_in_counts s USING due WHERE s.customer_id = due.customer_id
    ), gone_mail AS (
        DELETE FROM deliveries WHERE event_id IN (SELECT event_id FROM mail WHERE is_done LIMIT $4)
    ), gone_event AS (
        DELETE FROM events WHERE id IN (SELECT id FROM event WHERE is_done LIMIT $4)
    ), gone_entry AS (
        DELETE FROM audit_personal_data WHERE entry_id IN (SELECT entry_id FROM entry LIMIT $4)
    ), finished AS (
        DELETE FROM erasures e USING checked WHERE e.customer_id = checked.customer_id AND NOT waits
    ), delayed AS (
        UPDATE erasures e SET due_at = now() + make_interval(secs => $2) FROM checked
        WHERE e.customer_id = checked.customer_id AND waits
    )
    SELECT count(*) FROM due";
