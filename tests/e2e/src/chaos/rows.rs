//! What the database says after a run.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::stack::Stack;

const RESETS: &str = "SELECT row_to_json(found)::text FROM (
    SELECT r.id, c.email AS address, r.reference, r.superseded_at IS NOT NULL AS is_superseded,
        EXISTS (
            SELECT 1 FROM password_resets other WHERE other.customer_id = r.customer_id AND other.id <> r.id
                AND (other.reference IS NULL AND other.created_at >= r.created_at OR other.reset_password_at >= r.created_at)
        ) AS has_successor, r.reset_password_at IS NOT NULL AS is_completed, d.event_id AS event, d.status, d.attempts, d.in_doubt, d.detail,
        e.published_at IS NOT NULL AS is_published, w.attempts AS callback_attempts
    FROM password_resets r
    LEFT JOIN customers c ON c.id = r.customer_id
    LEFT JOIN deliveries d ON d.reset_id = r.id AND d.mail = 'reset_requested'
    LEFT JOIN events e ON e.id = d.event_id
    LEFT JOIN event_callbacks w ON w.event_id = d.event_id
) found";

const DELIVERIES: &str = "SELECT row_to_json(found)::text FROM (
    SELECT d.event_id AS event, d.mail, d.reset_id AS reset, c.email AS address, d.status, d.attempts, d.in_doubt,
        d.lease_until IS NOT NULL AS is_claimed, d.detail
    FROM deliveries d LEFT JOIN customers c ON c.id = d.customer_id
) found";

/// Selects what is not finished, each as a sentence with its id as the second word.
pub const UNFINISHED: &str = "SELECT 'event ' || id || ' is not published: attempts ' || attempts FROM events WHERE published_at IS NULL
    UNION ALL
    SELECT 'delivery ' || event_id || ' is ' || status || ': attempts ' || attempts || ', ' || COALESCE(detail, 'no detail')
    FROM deliveries WHERE status IN ('queued', 'deferred')
    UNION ALL
    SELECT 'event ' || e.id || ' keeps its payload: its mail is ' || d.status FROM events e JOIN deliveries d ON d.event_id = e.id
    WHERE e.payload IS NOT NULL AND d.status NOT IN ('queued', 'deferred', 'failed')
    UNION ALL
    SELECT 'callback ' || id || ' is due: attempts ' || attempts || ', ' || COALESCE(response_message, 'no answer')
    FROM event_callbacks WHERE due_at IS NOT NULL";

/// The resets, by their ids.
pub type Resets = BTreeMap<String, StoredReset>;
/// The mails of the ledger, by their events.
pub type Deliveries = BTreeMap<String, Delivery>;

/// A reset with the state of its mail.
pub struct StoredReset {
    pub address: Option<String>,
    pub reference: Option<String>,
    pub is_superseded: bool,
    /// Whether another reset of the customer may have superseded it: a later one of a visitor, or one that set a new password meanwhile. Resets of
    /// integrations have a reference.
    pub has_successor: bool,
    /// Whether it set a new password.
    pub is_completed: bool,
    pub event: String,
    /// Of its mail.
    pub status: String,
    /// How often its webhook was called, or may have been.
    pub callback_attempts: usize,
    /// The row, for a report.
    pub row: Value,
}

/// A mail in the ledger.
pub struct Delivery {
    /// The name of the mail.
    pub mail: String,
    pub reset: String,
    pub address: Option<String>,
    pub status: String,
    /// How many of its claims ran out, so that each may have sent it.
    pub in_doubt: usize,
    /// Whether a claim has neither been settled nor taken over.
    pub is_claimed: bool,
    /// The row, for a report.
    pub row: Value,
}

/// Returns all resets.
pub async fn resets(stack: &Stack) -> Resets {
    stack
        .texts(RESETS)
        .await
        .iter()
        .map(|row| StoredReset::from_row(serde_json::from_str(row).unwrap()))
        .collect()
}

/// Returns all mails.
pub async fn deliveries(stack: &Stack) -> Deliveries {
    stack
        .texts(DELIVERIES)
        .await
        .iter()
        .map(|row| Delivery::from_row(serde_json::from_str(row).unwrap()))
        .collect()
}

impl StoredReset {
    /// Reads a row, and returns it with the reset's id.
    pub(super) fn from_row(row: Value) -> (String, Self) {
        let reset = Self {
            address: optional(&row, "address"),
            reference: optional(&row, "reference"),
            is_superseded: row["is_superseded"] == true,
            has_successor: row["has_successor"] == true,
            is_completed: row["is_completed"] == true,
            event: text(&row, "event"),
            status: text(&row, "status"),
            callback_attempts: count(&row, "callback_attempts"),
            row,
        };
        (text(&reset.row, "id"), reset)
    }
}

impl Delivery {
    /// Reads a row, and returns it with the event's id.
    pub(super) fn from_row(row: Value) -> (String, Self) {
        let delivery = Self {
            mail: text(&row, "mail"),
            reset: text(&row, "reset"),
            address: optional(&row, "address"),
            status: text(&row, "status"),
            in_doubt: count(&row, "in_doubt"),
            is_claimed: row["is_claimed"] == true,
            row,
        };
        (text(&delivery.row, "event"), delivery)
    }
}

fn optional(row: &Value, key: &str) -> Option<String> {
    row[key].as_str().map(str::to_owned)
}

fn text(row: &Value, key: &str) -> String {
    optional(row, key).unwrap_or_default()
}

fn count(row: &Value, key: &str) -> usize {
    row[key].as_u64().unwrap_or_default().try_into().unwrap()
}
