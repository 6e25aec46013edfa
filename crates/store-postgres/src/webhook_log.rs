//! What operators see of webhooks and of what they are sent. Each statement about callbacks reads a bounded number of rows, by an index.

use rekey_core::{
    error::StoreError,
    events::audit::AuditEntry,
    ids::{CallbackId, EventId, OrganizationId, WebhookId},
    organizations::Slug,
    scope::Scope,
    webhooks::replay::{CallbackState, Since},
};
use rekey_sql::rows::{self, Read};
use sqlx::{Row, postgres::PgRow};
use time::OffsetDateTime;

use crate::{
    PostgresStore,
    callback_replay::bind_since,
    error::map_db_error,
    events::{auditing, record_audit},
};

/// A webhook as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedWebhook {
    /// Its id.
    pub id: WebhookId,
    /// The scope of the data.
    pub scope: Scope,
    /// The organization's slug.
    pub organization: Slug,
    /// Its name.
    pub name: String,
    /// The events that it is sent.
    pub topic: String,
    /// Where it receives.
    pub callback_url: String,
    /// Failed attempts in a row.
    pub failures: u64,
    /// Since when its circuit is open.
    pub circuit_opened_at: Option<OffsetDateTime>,
    /// Since when it is disabled.
    pub disabled_at: Option<OffsetDateTime>,
    /// The database's time.
    pub read_at: OffsetDateTime,
}

/// An event that a webhook is sent, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedCallback {
    /// Its id.
    pub id: CallbackId,
    /// The webhook.
    pub webhook: WebhookId,
    /// The event.
    pub event: EventId,
    /// The event's topic.
    pub topic: String,
    /// Its state.
    pub state: CallbackState,
    /// How many attempts there were since it was last replayed, that under way included.
    pub attempts: u64,
    /// The status of the last answer.
    pub response_code: Option<String>,
    /// The beginning of the last answer, or why there was none.
    pub response_message: Option<String>,
    /// When it was added.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
    /// When the next attempt is due.
    pub due_at: Option<OffsetDateTime>,
}

/// Selects callbacks of a scope.
#[derive(Debug, Clone, Copy)]
pub struct CallbackFilter {
    /// Of this webhook.
    pub webhook: Option<WebhookId>,
    /// In this state, one of [`CallbackState::LISTED`]; others are looked for among all callbacks.
    pub state: Option<CallbackState>,
    /// From this time on.
    pub since: Since,
}

impl PostgresStore {
    /// Returns the webhooks of all organizations or of one, at most `limit`: those that are sent nothing first, then those that fail.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn logged_webhooks(
        &self,
        organization: Option<OrganizationId>,
        limit: u32,
    ) -> Result<Vec<LoggedWebhook>, StoreError> {
        let query = sqlx::query(WEBHOOKS).bind(None::<&str>).bind(organization.map(|id| id.to_string()));
        let rows = query.bind(i64::from(limit)).fetch_all(&self.pool).await.map_err(map_db_error)?;
        rows.iter().map(logged_webhook).collect::<Read<_>>().map_err(map_db_error)
    }

    /// Returns the webhook with that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn logged_webhook(&self, id: WebhookId) -> Result<Option<LoggedWebhook>, StoreError> {
        let query = sqlx::query(WEBHOOKS).bind(id.as_str()).bind(None::<String>).bind(1_i64);
        let row = query.fetch_optional(&self.pool).await.map_err(map_db_error)?;
        row.map(|row| logged_webhook(&row)).transpose().map_err(map_db_error)
    }

    /// Returns the callbacks that a filter selects, at most `limit`: newest first, or those that wait in the order in which they are due. Those of deleted
    /// webhooks are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn logged_callbacks(
        &self,
        scope: Scope,
        filter: &CallbackFilter,
        limit: u32,
    ) -> Result<Vec<LoggedCallback>, StoreError> {
        let is_waiting = filter.state == Some(CallbackState::Waiting);
        let query = sqlx::query(if is_waiting { NEXT_DUE } else { NEWEST })
            .bind(scope.organization.to_string())
            .bind(scope.mode.as_str())
            .bind(filter.webhook.as_ref().map(WebhookId::as_str))
            .bind(filter.state.map(CallbackState::as_str))
            .bind(i64::from(limit));
        // Planned for its values: those that failed have an index of their own.
        let query = bind_since(query, filter.since).persistent(false);
        let rows = query.fetch_all(&self.pool).await.map_err(map_db_error)?;
        rows.iter().map(logged_callback).collect::<Read<_>>().map_err(map_db_error)
    }

    /// Closes a webhook's circuit, with an audit entry: what waits is sent. False when there is no such webhook.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reset_circuit(
        &self,
        scope: Scope,
        id: WebhookId,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let query = auditing(RESET_CIRCUIT, Some(scope), audit).bind(id.as_str());
        Ok(query.fetch_optional(&self.pool).await.map_err(map_db_error)?.is_some())
    }
}

/// An organization has few webhooks.
const WEBHOOKS: &str = "
    SELECT w.id, w.organization_id, w.mode, o.slug, w.name, w.topic, w.callback_url, w.circuit_failure_count, w.circuit_opened_at,
        w.disabled_at, now() AS read_at
    FROM webhooks w JOIN organizations o ON o.id = w.organization_id
    WHERE ($1::text IS NULL OR w.id = $1) AND ($2::text IS NULL OR w.organization_id = $2)
    ORDER BY w.disabled_at IS NULL AND w.circuit_opened_at IS NULL, w.circuit_failure_count DESC, o.slug, w.mode, w.name, w.id LIMIT $3";

/// The first of each webhook, and of these the first. Each has a range of the index that has the order, which the planner expects to be small, also
/// without statistics: it reads no other index, and sorts nothing but what it returns.
macro_rules! callbacks {
    ($range:literal, $order:literal) => {
        concat!(
            "SELECT c.id, c.webhook_id, c.event_id, c.topic, c.state, c.attempts, c.response_code, c.response_message, c.created_at,
                c.updated_at, c.due_at
             FROM webhooks w CROSS JOIN LATERAL (
                SELECT c.id, c.webhook_id, c.event_id, c.topic, c.state, c.attempts, c.response_code, c.response_message, c.created_at,
                    c.updated_at, c.due_at
                FROM logged_callbacks c
                WHERE c.webhook_id = w.id AND ($4::text IS NULL OR c.state = $4) AND ",
            $range,
            " ORDER BY ",
            $order,
            " LIMIT $5
             ) c
             WHERE w.organization_id = $1 AND w.mode = $2 AND ($3::text IS NULL OR w.id = $3)
             ORDER BY ",
            $order,
            " LIMIT $5"
        )
    };
}

const NEWEST: &str = callbacks!(
    "c.created_at BETWEEN COALESCE($6, now() - make_interval(secs => $7)) AND 'infinity'",
    "c.created_at DESC, c.id DESC"
);
const NEXT_DUE: &str = callbacks!(
    "c.due_at BETWEEN '-infinity' AND 'infinity' AND c.created_at >= COALESCE($6, now() - make_interval(secs => $7))",
    "c.due_at, c.id"
);

const RESET_CIRCUIT: &str = concat!(
    "WITH fact AS (
        UPDATE webhooks SET circuit_opened_at = NULL, circuit_failure_count = 0, updated_at = now()
        WHERE id = $11 AND organization_id = $1 AND mode = $2 RETURNING id
    )",
    record_audit!("audit", "webhooks", "CAST(NULL AS text)", "FROM fact"),
    "SELECT id FROM fact"
);

fn logged_webhook(row: &PgRow) -> Read<LoggedWebhook> {
    Ok(LoggedWebhook {
        id: rows::parsed(row, "id")?,
        scope: rows::scope(row)?,
        organization: rows::parsed(row, "slug")?,
        name: row.try_get("name")?,
        topic: row.try_get("topic")?,
        callback_url: row.try_get("callback_url")?,
        failures: row.try_get::<i64, _>("circuit_failure_count")?.unsigned_abs(),
        circuit_opened_at: row.try_get("circuit_opened_at")?,
        disabled_at: row.try_get("disabled_at")?,
        read_at: row.try_get("read_at")?,
    })
}

fn logged_callback(row: &PgRow) -> Read<LoggedCallback> {
    Ok(LoggedCallback {
        id: rows::parsed(row, "id")?,
        webhook: rows::parsed(row, "webhook_id")?,
        event: rows::parsed(row, "event_id")?,
        topic: row.try_get("topic")?,
        state: rows::parsed(row, "state")?,
        attempts: row.try_get::<i64, _>("attempts")?.unsigned_abs(),
        response_code: row.try_get("response_code")?,
        response_message: row.try_get("response_message")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
        due_at: row.try_get("due_at")?,
    })
}
