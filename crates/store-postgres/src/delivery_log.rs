use async_trait::async_trait;
use rekey_core::{
    deliveries::{
        Status,
        log::{DeliveryFilter, DeliveryLife, DeliveryLog, LoggedDelivery},
    },
    email::EmailAddress,
    error::StoreError,
    events::{audit::AuditEntry, outbox::REPUBLISH_AFTER},
    ids::EventId,
    scope::{Mode, Scope},
};
use rekey_sql::rows::{self, Read};
use sqlx::{Row, postgres::PgRow};
use time::{Duration, OffsetDateTime};

use crate::{
    PostgresStore,
    error::map_db_error,
    events::{auditing, record_audit},
};

/// Selects deliveries `d` with their events from `$from`. `$1` is the time after which an event is published again for the first time.
macro_rules! select_deliveries {
    ($from:literal, $rest:literal) => {
        concat!(
            "SELECT d.event_id AS id, d.organization_id, d.mode, o.slug, d.mail, d.customer_id, d.reset_id, d.status, d.attempts,
                 d.in_doubt, d.smtp_code, d.smtp_enhanced_code, d.detail, d.relay, d.created_at, d.updated_at, d.sent_at,
                 d.next_attempt_at, d.claimed_at, d.lease_until, now() AS read_at,
                 CASE
                     WHEN d.mail <> 'reset_requested' THEN NULL
                     WHEN r.id IS NULL THEN 'deleted'
                     WHEN r.reset_password_at IS NOT NULL THEN 'used'
                     WHEN r.superseded_at IS NOT NULL THEN 'superseded'
                     WHEN r.expires_at <= now() THEN 'expired'
                     ELSE 'pending'
                 END AS link,
                 e.payload IS NOT NULL AS has_payload, e.id IS NOT NULL AS has_event, e.published_at, e.dead_reason,
                 COALESCE(e.republish_after > make_interval(secs => $1), false) AS is_repeated
             FROM ", $from, "
             JOIN organizations o ON o.id = d.organization_id
             LEFT JOIN events e ON e.id = d.event_id
             LEFT JOIN password_resets r ON r.id = d.reset_id ",
            $rest
        )
    };
}

#[async_trait]
impl DeliveryLog for PostgresStore {
    async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        limit: u32,
    ) -> Result<Vec<LoggedDelivery>, StoreError> {
        let rows = sqlx::query(LIST)
            .bind(REPUBLISH_AFTER.as_seconds_f64())
            .bind(i64::from(limit))
            .bind(filter.organization.map(|id| id.to_string()))
            .bind(filter.mode.map(Mode::as_str))
            .bind(filter.address.as_ref().map(EmailAddress::as_str))
            .bind(filter.reset.map(|id| id.to_string()))
            .bind(filter.status.map(Status::as_str))
            .bind(filter.min_age.map(Duration::as_seconds_f64))
            .bind(filter.max_age.map(Duration::as_seconds_f64))
            // Planned for its values: each filter has an index of its own.
            .persistent(false)
            .fetch_all(&self.pool)
            .await
            .map_err(map_db_error)?;
        rows.iter().map(rows::logged_delivery).collect::<Result<_, _>>().map_err(map_db_error)
    }

    async fn delivery_life(&self, id: EventId) -> Result<Option<DeliveryLife>, StoreError> {
        let row = sqlx::query(select_deliveries!("deliveries d", "WHERE d.event_id = $2"))
            .bind(REPUBLISH_AFTER.as_seconds_f64())
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(map_db_error)?;
        let Some(row) = row else { return Ok(None) };
        let attempts = sqlx::query(
            "SELECT claim, started_at, ended_at, outcome, relay, smtp_code, smtp_enhanced_code, detail FROM delivery_attempts
             WHERE event_id = $1 ORDER BY claim",
        )
        .bind(id.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(map_db_error)?;
        let reports = sqlx::query(
            "SELECT kind, reporter, smtp_code, smtp_enhanced_code, detail, received_at FROM delivery_reports
             WHERE event_id = $1 ORDER BY received_at, kind",
        )
        .bind(id.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(map_db_error)?;
        let actions = sqlx::query(
            "SELECT a.created_at, concat_ws(' by ', a.action, NULLIF(split_part(a.actor, ':', 2), '')) AS action
             FROM audit_personal_data p JOIN audit_entries a ON a.id = p.entry_id
             WHERE p.resource_id = $1 AND a.resource_type IN ('deliveries', 'events') ORDER BY a.created_at, a.id",
        )
        .bind(id.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(map_db_error)?;
        let life = DeliveryLife {
            delivery: rows::logged_delivery(&row).map_err(map_db_error)?,
            attempts: attempts.iter().map(rows::attempt).collect::<Read<_>>().map_err(map_db_error)?,
            reports: reports.iter().map(rows::logged_report).collect::<Read<_>>().map_err(map_db_error)?,
            actions: actions.iter().map(action).collect::<Read<_>>().map_err(map_db_error)?,
        };
        Ok(Some(life))
    }

    async fn waiting_deliveries(&self, age: Duration, limit: u32) -> Result<Vec<LoggedDelivery>, StoreError> {
        let rows = sqlx::query(select_deliveries!(
            "deliveries d",
            "WHERE d.status IN ('queued', 'deferred') AND d.created_at <= now() - make_interval(secs => $3)
             ORDER BY d.created_at LIMIT $2"
        ))
        .bind(REPUBLISH_AFTER.as_seconds_f64())
        .bind(i64::from(limit))
        .bind(age.as_seconds_f64())
        .fetch_all(&self.pool)
        .await
        .map_err(map_db_error)?;
        rows.iter().map(rows::logged_delivery).collect::<Result<_, _>>().map_err(map_db_error)
    }

    async fn revive_delivery(
        &self,
        scope: Scope,
        id: EventId,
        publish: bool,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let query = auditing(REVIVE, Some(scope), audit)
            .bind(id.as_str())
            .bind(publish)
            .bind(REPUBLISH_AFTER.as_seconds_f64());
        Ok(query.fetch_optional(&self.pool).await.map_err(map_db_error)?.is_some())
    }

    async fn is_event(&self, id: EventId, payload: &[u8]) -> Result<Option<bool>, StoreError> {
        let query =
            sqlx::query_scalar("SELECT payload = $2 FROM events WHERE id = $1 AND payload IS NOT NULL");
        query.bind(id.as_str()).bind(payload).fetch_optional(&self.pool).await.map_err(map_db_error)
    }

    async fn record_dead_letter(&self, id: EventId, audit: &AuditEntry) -> Result<bool, StoreError> {
        let query = auditing(RECORD_DEAD_LETTER, None, audit).bind(id.as_str());
        Ok(query.fetch_optional(&self.pool).await.map_err(map_db_error)?.is_some())
    }
}

/// The newest of each scope by the scope's index, and of these the newest.
const LIST: &str = select_deliveries!(
    "(
        SELECT d.* FROM organizations o CROSS JOIN (VALUES ('test'), ('live')) m (mode) CROSS JOIN LATERAL (
            SELECT d.* FROM deliveries d
            WHERE d.organization_id = o.id AND d.mode = m.mode
                AND ($5::text IS NULL OR d.customer_id = (
                    SELECT c.id FROM customers c WHERE c.organization_id = o.id AND c.mode = m.mode AND c.email = $5))
                AND ($6::text IS NULL OR d.reset_id = $6)
                AND ($7::text IS NULL OR d.status = $7)
                AND ($8::float8 IS NULL OR d.created_at <= now() - make_interval(secs => $8))
                AND ($9::float8 IS NULL OR d.created_at >= now() - make_interval(secs => $9))
            ORDER BY d.created_at DESC, d.event_id DESC LIMIT $2
        ) d
        WHERE ($3::text IS NULL OR o.id = $3) AND ($4::text IS NULL OR m.mode = $4)
        ORDER BY d.created_at DESC, d.event_id DESC LIMIT $2
    ) d",
    "ORDER BY d.created_at DESC, d.event_id DESC"
);

/// If the message that follows gets lost, the event is published again like that of any other overdue mail. A decoy has no entry that clients see.
const REVIVE: &str = concat!(
    "WITH fact AS (
        UPDATE deliveries d SET status = CASE d.status WHEN 'failed' THEN 'deferred' ELSE d.status END, next_attempt_at = now(),
            updated_at = now()
        WHERE d.event_id = $11 AND (d.organization_id, d.mode) IS NOT DISTINCT FROM ($1, $2) AND d.status IN ('queued', 'deferred', 'failed')
            AND (d.lease_until IS NULL OR d.lease_until <= now())
            AND (NOT $12 OR EXISTS (SELECT FROM events e WHERE e.id = d.event_id AND e.payload IS NOT NULL))
        RETURNING d.event_id AS id, d.customer_id
    ), outbox AS (
        UPDATE events e SET republish_after = COALESCE(e.republish_after, make_interval(secs => $13)),
            published_at = CASE WHEN NOT $12 THEN e.published_at END, dead_at = CASE WHEN NOT $12 THEN e.dead_at END,
            dead_reason = CASE WHEN NOT $12 THEN e.dead_reason END, available_at = now()
        FROM fact WHERE e.id = fact.id
    )",
    record_audit!("audit", "deliveries", "customer_id", "FROM fact WHERE customer_id IS NOT NULL"),
    "SELECT id FROM fact"
);

/// The entry is about the customer of the event, so that it is erased with what is recorded about them.
const RECORD_DEAD_LETTER: &str = concat!(
    "WITH fact AS (
        SELECT e.id, e.organization_id, e.mode, d.event_id IS NOT NULL AND d.customer_id IS NULL AS is_decoy,
            COALESCE(d.customer_id, CASE e.resource_type WHEN 'customers' THEN e.resource_id END) AS customer_id
        FROM events e LEFT JOIN deliveries d ON d.event_id = e.id WHERE e.id = $11
    )",
    record_audit!(
        "audit",
        "events",
        "customer_id",
        "FROM fact WHERE NOT is_decoy",
        "$3",
        "$4",
        "$10",
        "scope.organization_id, scope.mode",
        " CROSS JOIN (SELECT organization_id, mode FROM fact) scope"
    ),
    "SELECT id FROM fact"
);

fn action(row: &PgRow) -> Read<(OffsetDateTime, String)> {
    Ok((row.try_get("created_at")?, row.try_get("action")?))
}
