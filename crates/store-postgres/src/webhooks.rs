use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    events::{EventName, audit::AuditEntry},
    ids::{CallbackId, CustomerId, EventId, WebhookId},
    resources::{WEBHOOKS, catalog::Catalog},
    scope::Scope,
    secrets::SealedSharedSecret,
    webhooks::{
        CallbackUrl, MAX_FAILURES, MAX_WEBHOOKS, NewWebhook, WebhookChange,
        queue::{AttemptResult, CallbackQueue, ClaimLimits, ClaimedCallback, Next, Settled},
        store::{
            CallbackStore, FORMER_SECRET_TTL, NewCallback, NewCallbacks, RecordedEvent, Subscription,
            WebhookStore, WriteWebhookError,
        },
    },
};
use rekey_sql::rows;
use sqlx::{Row, types::Json};
use time::Duration;

use crate::{
    PostgresStore,
    attributes::bind_common,
    error::{map_create_error, map_db_error},
    events::{auditing, record_audit},
};

#[async_trait]
impl WebhookStore for PostgresStore {
    async fn create_webhook(
        &self,
        scope: Scope,
        webhook: &NewWebhook,
        audit: &AuditEntry,
    ) -> Result<(), WriteWebhookError> {
        let common = &webhook.common;
        let created = auditing(CREATE, Some(scope), audit)
            .bind(webhook.id.as_str())
            .bind(webhook.name())
            .bind(webhook.topic.as_str())
            .bind(webhook.callback_url.as_str())
            .bind(&webhook.include_resources)
            .bind(webhook.secret.as_bytes())
            .bind(webhook.is_disabled)
            .bind(common.reference.value())
            .bind(common.reference_origin.value())
            .bind(common.metadata.as_ref().map(Json))
            .bind(i64::from(MAX_WEBHOOKS))
            .fetch_optional(&self.pool)
            .await
            .map_err(map_create_error)?;
        created.map(drop).ok_or(WriteWebhookError::TooMany)
    }

    async fn update_webhook(
        &self,
        scope: Scope,
        id: WebhookId,
        change: &WebhookChange,
        audit: &AuditEntry,
    ) -> Result<bool, WriteWebhookError> {
        if change.is_empty() {
            return Ok(self.find(scope, &WEBHOOKS, id.into()).await?.is_some());
        }
        let query = auditing(UPDATE, Some(scope), audit)
            .bind(id.as_str())
            .bind(change.name.as_deref())
            .bind(change.topic.map(EventName::as_str))
            .bind(change.callback_url.as_ref().map(CallbackUrl::as_str))
            .bind(change.include_resources.as_deref())
            .bind(change.secret.as_ref().map(SealedSharedSecret::as_bytes))
            .bind(FORMER_SECRET_TTL.as_seconds_f64())
            .bind(change.is_disabled)
            .bind(change.resets_circuit);
        let query = bind_common(query, &change.common);
        Ok(query.fetch_optional(&self.pool).await.map_err(map_create_error)?.is_some())
    }

    async fn delete_webhook(
        &self,
        scope: Scope,
        id: WebhookId,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let query = auditing(DELETE, Some(scope), audit).bind(id.as_str());
        Ok(query.fetch_optional(&self.pool).await.map_err(map_db_error)?.is_some())
    }
}

/// Simultaneous calls may create a few more than the limit.
const CREATE: &str = concat!(
    "WITH fact AS (
        INSERT INTO webhooks (id, organization_id, mode, name, topic, callback_url, include_resources, sealed_secret, disabled_at,
            reference, reference_origin, metadata)
        SELECT $11, $1, $2, $12, $13, $14, $15, $16, CASE WHEN $17 THEN now() END, $18, $19, COALESCE($20, '{}')
        WHERE (SELECT count(*) FROM webhooks WHERE organization_id = $1 AND mode = $2) < $21
        RETURNING id
    )",
    record_audit!("audit", "webhooks", "CAST(NULL AS text)", "FROM fact"),
    "SELECT id FROM fact"
);

const UPDATE: &str = concat!(
    "WITH fact AS (
        UPDATE webhooks SET updated_at = now(), name = COALESCE($12, name), topic = COALESCE($13, topic),
            callback_url = COALESCE($14, callback_url), include_resources = COALESCE($15, include_resources),
            sealed_secret = COALESCE($16, sealed_secret),
            former_secret = CASE WHEN $16 IS NULL OR former_secret_until > now() THEN former_secret ELSE sealed_secret END,
            former_secret_until = CASE WHEN $16 IS NULL OR former_secret_until > now() THEN former_secret_until
                ELSE now() + make_interval(secs => $17) END,
            disabled_at = CASE $18 WHEN true THEN COALESCE(disabled_at, now()) WHEN false THEN NULL ELSE disabled_at END,
            circuit_opened_at = CASE WHEN $19 THEN NULL ELSE circuit_opened_at END,
            circuit_failure_count = CASE WHEN $19 THEN 0 ELSE circuit_failure_count END,
            reference = CASE WHEN $20 THEN reference ELSE $21 END,
            reference_origin = CASE WHEN $22 THEN reference_origin ELSE $23 END,
            metadata = COALESCE($24, metadata)
        WHERE id = $11 AND organization_id = $1 AND mode = $2
        RETURNING id
    )",
    record_audit!("audit", "webhooks", "CAST(NULL AS text)", "FROM fact"),
    "SELECT id FROM fact"
);

const DELETE: &str = concat!(
    "WITH fact AS (
        DELETE FROM webhooks WHERE id = $11 AND organization_id = $1 AND mode = $2 RETURNING id
    )",
    record_audit!("audit", "webhooks", "CAST(NULL AS text)", "FROM fact"),
    "SELECT id FROM fact"
);

#[async_trait]
impl CallbackStore for PostgresStore {
    async fn find_event(&self, scope: Scope, id: EventId) -> Result<Option<RecordedEvent>, StoreError> {
        let row = sqlx::query(
            "SELECT id, name, resource_id FROM shown_events
             WHERE id = $1 AND (organization_id, mode) IS NOT DISTINCT FROM ($2, $3)",
        )
        .bind(id.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(map_db_error)?;
        row.map(|row| rows::recorded_event(&row)).transpose().map_err(map_db_error)
    }

    async fn subscriptions(&self, scope: Scope, topic: EventName) -> Result<Vec<Subscription>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, callback_url, include_resources FROM webhooks
             WHERE organization_id = $1 AND mode = $2 AND topic = $3 AND disabled_at IS NULL",
        )
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(topic.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(map_db_error)?;
        Ok(rows::readable(rows.iter().map(rows::subscription)))
    }

    async fn add_callbacks(&self, scope: Scope, new: &NewCallbacks<'_>) -> Result<u64, StoreError> {
        let column = |field: fn(&NewCallback) -> &str| new.callbacks.iter().map(field).collect::<Vec<_>>();
        let payloads: Vec<_> = new.callbacks.iter().map(|callback| callback.payload.as_bytes()).collect();
        let query = match new.trigger {
            Some(audit) => auditing(TRIGGER, Some(scope), audit),
            None => sqlx::query(ADD).bind(scope.organization.as_str()).bind(scope.mode.as_str()),
        };
        let added: i64 = query
            .bind(new.event.id.as_str())
            .bind(new.event.name.as_str())
            .bind(new.event.record.as_str())
            .bind(new.customer.as_ref().map(CustomerId::as_str))
            .bind(new.traceparent)
            .bind(column(|callback| callback.id.as_str()))
            .bind(column(|callback| callback.subscription.webhook.as_str()))
            .bind(column(|callback| callback.subscription.callback_url.as_str()))
            .bind(payloads)
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(map_db_error)?;
        Ok(added.unsigned_abs())
    }
}

/// Adds callbacks of the webhooks that are there and not disabled.
macro_rules! add_callbacks {
    ($event:literal, $trigger:literal, $topic:literal, $record:literal, $customer:literal, $traceparent:literal, $arrays:literal) => {
        concat!(
            "added AS (
                INSERT INTO event_callbacks (id, organization_id, mode, webhook_id, event_id, trigger_id, topic, resource_id, customer_id,
                    traceparent, callback_url, sealed_payload)
                SELECT n.id, $1, $2, w.id, ", $event, ", ", $trigger, ", ", $topic, ", ", $record, ", ", $customer, ", ", $traceparent, ",
                    n.callback_url, n.payload
                FROM unnest(", $arrays, ") n (id, webhook_id, callback_url, payload)
                JOIN webhooks w ON w.id = n.webhook_id AND w.disabled_at IS NULL
                ON CONFLICT (webhook_id, event_id, trigger_id) DO NOTHING
                RETURNING id
            )"
        )
    };
}

const ADD: &str = concat!(
    "WITH ",
    add_callbacks!("$3", "''", "$4", "$5", "$6", "$7", "$8::text[], $9::text[], $10::text[], $11::bytea[]"),
    " SELECT count(*) FROM added"
);

const TRIGGER: &str = concat!(
    "WITH fact AS (SELECT $11::text AS id), ",
    add_callbacks!(
        "$11",
        "$3",
        "$12",
        "$13",
        "$14",
        "$15",
        "$16::text[], $17::text[], $18::text[], $19::bytea[]"
    ),
    record_audit!("audit", "events", "CAST(NULL AS text)", "FROM fact"),
    " SELECT count(*) FROM added"
);

#[async_trait]
impl CallbackQueue for PostgresStore {
    async fn claim_callbacks(
        &self,
        lease: Duration,
        limits: ClaimLimits,
    ) -> Result<Vec<ClaimedCallback>, StoreError> {
        let rows = sqlx::query(CLAIM)
            .bind(lease.as_seconds_f64())
            .bind(i64::from(limits.total))
            .bind(i64::from(limits.per_webhook))
            .bind(i64::from(limits.per_organization))
            .fetch_all(&self.pool)
            .await
            .map_err(map_db_error)?;
        Ok(rows::readable(rows.iter().map(rows::claimed_callback)))
    }

    async fn settle_callback(
        &self,
        id: CallbackId,
        attempt: u32,
        result: &AttemptResult,
    ) -> Result<Settled, StoreError> {
        let retry = match result.next {
            Next::Retry(after) | Next::Postponed(after) => Some(after.as_seconds_f64()),
            Next::Delivered | Next::GivenUp | Next::Disable => None,
        };
        let row = sqlx::query(SETTLE)
            .bind(id.as_str())
            .bind(i64::from(attempt))
            .bind(result.response_code.map(|code| code.to_string()))
            .bind(&result.response_message)
            .bind(retry)
            .bind(result.next == Next::Delivered)
            .bind(result.next == Next::Disable)
            .bind(i64::from(MAX_FAILURES))
            .bind(i64::from(result.next.is_postponed()))
            .bind(result.cause())
            .fetch_one(&self.pool)
            .await
            .map_err(map_db_error)?;
        rows::settled(&row).map_err(map_db_error)
    }
}

/// Of each webhook and organization at most as many as may be under way at a time. Those with the fewest under way come first, so that slow ones
/// don't hold up others; of these, the longest due. Simultaneous calls may claim a few more than that together.
///
/// Only what is chosen is locked, and looked at again under the lock. A claimed callback stays due, so that later ones about the same record
/// wait for it; one that waits for another attempt is due later. `OFFSET 0` keeps the look-up of earlier ones from a join.
const CLAIM: &str = "
    WITH usable AS MATERIALIZED (
        SELECT w.id, w.organization_id, w.callback_url, w.sealed_secret,
            CASE WHEN w.former_secret_until > now() THEN w.former_secret END AS former_secret,
            (SELECT count(*) FROM event_callbacks l WHERE l.webhook_id = w.id AND l.lease_until > now()) AS claimed
        FROM webhooks w WHERE w.disabled_at IS NULL AND w.circuit_opened_at IS NULL
    ), busy AS (
        SELECT organization_id, sum(claimed) AS claimed FROM usable GROUP BY organization_id
    ), candidate AS (
        SELECT c.id, c.due_at, w.organization_id, w.callback_url, w.sealed_secret, w.former_secret,
            w.claimed + row_number() OVER (PARTITION BY w.id ORDER BY c.due_at, c.id) AS nth
        FROM usable w CROSS JOIN LATERAL (
            SELECT c.id, c.due_at FROM event_callbacks c
            WHERE c.webhook_id = w.id AND c.due_at <= now() AND (c.lease_until IS NULL OR c.lease_until <= now())
                AND NOT (SELECT EXISTS (
                    SELECT FROM event_callbacks e
                    WHERE e.webhook_id = c.webhook_id AND e.resource_id = c.resource_id AND e.due_at <= now()
                        AND (e.created_at, e.id) < (c.created_at, c.id) OFFSET 0
                ))
            ORDER BY c.due_at, c.id LIMIT least($2, greatest($3 - w.claimed, 0))
        ) c
    ), chosen AS MATERIALIZED (
        SELECT x.* FROM (
            SELECT c.*, b.claimed + row_number() OVER (PARTITION BY c.organization_id ORDER BY c.nth, c.due_at, c.id)
                AS nth_of_organization
            FROM candidate c JOIN busy b USING (organization_id)
        ) x WHERE x.nth_of_organization <= $4 ORDER BY x.nth_of_organization, x.due_at, x.id LIMIT $2
    ), locked AS MATERIALIZED (
        SELECT c.id FROM event_callbacks c
        WHERE c.id = ANY (ARRAY(SELECT id FROM chosen)) AND c.due_at <= now()
            AND (c.lease_until IS NULL OR c.lease_until <= now())
        FOR UPDATE SKIP LOCKED
    )
    UPDATE event_callbacks c SET lease_until = now() + make_interval(secs => $1), attempts = c.attempts + 1, updated_at = now()
    FROM locked JOIN chosen USING (id) WHERE c.id = locked.id
    RETURNING c.id, c.organization_id, c.mode, c.webhook_id, c.event_id, c.topic, c.attempts, c.sealed_payload, c.traceparent,
        (EXTRACT(EPOCH FROM now() - c.created_at) * 1000000)::bigint AS age,
        chosen.callback_url, chosen.sealed_secret, chosen.former_secret";

/// A success of a webhook without failures changes nothing there: its row is not written with each callback.
const SETTLE: &str = "
    WITH callback AS (
        UPDATE event_callbacks SET lease_until = NULL, due_at = now() + make_interval(secs => $5), response_code = $3,
            response_message = $4, attempts = attempts - CAST($9 AS bigint), updated_at = now()
        WHERE id = $1 AND attempts = $2 AND lease_until IS NOT NULL
        RETURNING webhook_id
    ), before AS MATERIALIZED (
        SELECT w.id, w.circuit_failure_count + 1 AS failures,
            NOT $6 AND w.circuit_opened_at IS NULL AND w.circuit_failure_count + 1 >= $8 AS opens
        FROM callback JOIN webhooks w ON w.id = callback.webhook_id
        WHERE $9 = 0 AND (NOT $6 OR w.circuit_failure_count > 0) FOR NO KEY UPDATE OF w
    ), webhook AS (
        UPDATE webhooks w SET circuit_failure_count = CASE WHEN $6 THEN 0 ELSE before.failures END,
            circuit_opened_at = CASE WHEN before.opens THEN now() ELSE w.circuit_opened_at END,
            circuit_cause = CASE WHEN before.opens THEN $10 ELSE w.circuit_cause END,
            circuit_mail_due_at = CASE WHEN before.opens THEN now() ELSE w.circuit_mail_due_at END,
            disabled_at = CASE WHEN $7 THEN COALESCE(w.disabled_at, now()) ELSE w.disabled_at END
        FROM before WHERE w.id = before.id
        RETURNING before.opens AS opened_circuit
    )
    SELECT EXISTS (SELECT FROM callback) AS was_recorded, COALESCE((SELECT opened_circuit FROM webhook), false) AS opened_circuit";

/// A webhook with its encrypted secrets.
#[derive(Debug)]
pub struct WebhookSecrets {
    /// The webhook.
    pub webhook: WebhookId,
    /// Its scope.
    pub scope: Scope,
    /// The secret.
    pub sealed: SealedSharedSecret,
    /// The one before it.
    pub former: Option<SealedSharedSecret>,
}

impl PostgresStore {
    /// Returns the secrets of all webhooks; former ones while they sign along.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn webhook_secrets(&self) -> Result<Vec<WebhookSecrets>, StoreError> {
        let query = sqlx::query(
            "SELECT id, organization_id, mode, sealed_secret, CASE WHEN former_secret_until > now() THEN former_secret END AS former_secret
             FROM webhooks ORDER BY id",
        );
        let rows = query.fetch_all(&self.pool).await.map_err(map_db_error)?;
        Ok(rows::readable(rows.iter().map(|row| {
            let id: String = row.try_get("id")?;
            let former: Option<Vec<u8>> = row.try_get("former_secret")?;
            Ok(WebhookSecrets {
                webhook: id.parse().map_err(|_| rows::corrupt("id"))?,
                scope: rows::scope(row)?,
                sealed: SealedSharedSecret::from_bytes(row.try_get("sealed_secret")?),
                former: former.map(SealedSharedSecret::from_bytes),
            })
        })))
    }

    /// Replaces the encrypted forms of a webhook's secrets, unless the secret was changed meanwhile. Returns whether they were replaced.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reseal_webhook(
        &self,
        before: &WebhookSecrets,
        sealed: &SealedSharedSecret,
        former: Option<&SealedSharedSecret>,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "UPDATE webhooks SET sealed_secret = $2, former_secret = COALESCE($3, former_secret)
             WHERE id = $1 AND sealed_secret = $4",
        );
        let replaced = query
            .bind(before.webhook.as_str())
            .bind(sealed.as_bytes())
            .bind(former.map(SealedSharedSecret::as_bytes))
            .bind(before.sealed.as_bytes())
            .execute(&self.pool)
            .await
            .map_err(map_db_error)?;
        Ok(replaced.rows_affected() == 1)
    }
}
