use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    events::{EventName, audit::AuditEntry},
    ids::{CallbackId, CustomerId, EventId, WebhookId},
    resources::{EVENTS, WEBHOOKS, catalog::Catalog},
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
use rekey_sql::rows::{self, Read};
use serde_json::json;
use sqlx::{SqliteConnection, types::Json};
use time::Duration;

use crate::{
    SqliteStore, after,
    attributes::bind_common,
    error::{map_create_error, map_db_error},
    events::{Entry, LOG, write_entries},
};

#[async_trait]
impl WebhookStore for SqliteStore {
    async fn create_webhook(
        &self,
        scope: Scope,
        webhook: &NewWebhook,
        audit: &AuditEntry,
    ) -> Result<(), WriteWebhookError> {
        let common = &webhook.common;
        let (mut transaction, now) = self.write().await?;
        let created = sqlx::query(CREATE)
            .bind(webhook.id.as_str())
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .bind(now)
            .bind(webhook.name())
            .bind(webhook.topic.as_str())
            .bind(webhook.callback_url.as_str())
            .bind(Json(&webhook.include_resources))
            .bind(webhook.secret.as_bytes())
            .bind(webhook.is_disabled)
            .bind(common.reference.value())
            .bind(common.reference_origin.value())
            .bind(common.metadata.as_ref().map(Json))
            .bind(i64::from(MAX_WEBHOOKS))
            .execute(&mut *transaction)
            .await
            .map_err(map_create_error)?;
        if created.rows_affected() == 0 {
            return Err(WriteWebhookError::TooMany);
        }
        record_audit(&mut transaction, scope, WEBHOOKS.name, webhook.id.as_str(), audit, now).await?;
        Ok(transaction.commit().await.map_err(map_db_error)?)
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
        let (mut transaction, now) = self.write().await?;
        let query = sqlx::query(UPDATE)
            .bind(id.as_str())
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .bind(now)
            .bind(change.name.as_deref())
            .bind(change.topic.map(EventName::as_str))
            .bind(change.callback_url.as_ref().map(CallbackUrl::as_str))
            .bind(change.include_resources.as_ref().map(Json))
            .bind(change.secret.as_ref().map(SealedSharedSecret::as_bytes))
            .bind(after(now, FORMER_SECRET_TTL))
            .bind(change.is_disabled)
            .bind(change.resets_circuit);
        let query = bind_common(query, &change.common);
        if query.execute(&mut *transaction).await.map_err(map_create_error)?.rows_affected() == 0 {
            return Ok(false);
        }
        record_audit(&mut transaction, scope, WEBHOOKS.name, id.as_str(), audit, now).await?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(true)
    }

    async fn delete_webhook(
        &self,
        scope: Scope,
        id: WebhookId,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let deleted =
            sqlx::query("DELETE FROM webhooks WHERE id = ?1 AND organization_id = ?2 AND mode = ?3")
                .bind(id.as_str())
                .bind(scope.organization.as_str())
                .bind(scope.mode.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(map_db_error)?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        record_audit(&mut transaction, scope, WEBHOOKS.name, id.as_str(), audit, now).await?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(true)
    }
}

const CREATE: &str = "
    INSERT INTO webhooks (id, organization_id, mode, created_at, updated_at, name, topic, callback_url, include_resources,
        sealed_secret, disabled_at, reference, reference_origin, metadata)
    SELECT ?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, CASE WHEN ?10 THEN ?4 END, ?11, ?12, COALESCE(?13, '{}')
    WHERE (SELECT count(*) FROM webhooks WHERE organization_id = ?2 AND mode = ?3) < ?14";

const UPDATE: &str = "
    UPDATE webhooks SET updated_at = ?4, name = COALESCE(?5, name), topic = COALESCE(?6, topic),
        callback_url = COALESCE(?7, callback_url), include_resources = COALESCE(?8, include_resources),
        sealed_secret = COALESCE(?9, sealed_secret),
        former_secret = CASE WHEN ?9 IS NULL OR former_secret_until > ?4 THEN former_secret ELSE sealed_secret END,
        former_secret_until = CASE WHEN ?9 IS NULL OR former_secret_until > ?4 THEN former_secret_until ELSE ?10 END,
        disabled_at = CASE ?11 WHEN true THEN COALESCE(disabled_at, ?4) WHEN false THEN NULL ELSE disabled_at END,
        circuit_opened_at = CASE WHEN ?12 THEN NULL ELSE circuit_opened_at END,
        circuit_failure_count = CASE WHEN ?12 THEN 0 ELSE circuit_failure_count END,
        reference = CASE WHEN ?13 THEN reference ELSE ?14 END,
        reference_origin = CASE WHEN ?15 THEN reference_origin ELSE ?16 END,
        metadata = COALESCE(?17, metadata)
    WHERE id = ?1 AND organization_id = ?2 AND mode = ?3";

#[async_trait]
impl CallbackStore for SqliteStore {
    async fn find_event(&self, scope: Scope, id: EventId) -> Result<Option<RecordedEvent>, StoreError> {
        let row = sqlx::query(
            "SELECT id, name, resource_id FROM shown_events WHERE id = ?1 AND organization_id = ?2 AND mode = ?3",
        )
        .bind(id.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .fetch_optional(&self.readers)
        .await
        .map_err(map_db_error)?;
        row.map(|row| rows::recorded_event(&row)).transpose().map_err(map_db_error)
    }

    async fn subscriptions(&self, scope: Scope, topic: EventName) -> Result<Vec<Subscription>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, callback_url, include_resources FROM webhooks
             WHERE organization_id = ?1 AND mode = ?2 AND topic = ?3 AND disabled_at IS NULL",
        )
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(topic.as_str())
        .fetch_all(&self.readers)
        .await
        .map_err(map_db_error)?;
        Ok(rows::readable(rows.iter().map(rows::subscription)))
    }

    async fn add_callbacks(&self, scope: Scope, new: &NewCallbacks<'_>) -> Result<u64, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let row = |NewCallback { id, subscription, payload }: &NewCallback| {
            json!({
                "id": id.as_str(), "webhook": subscription.webhook.as_str(), "url": subscription.callback_url.as_str(),
                "payload": hex::encode(payload.as_bytes()),
            })
        };
        let callbacks: Vec<_> = new.callbacks.iter().map(row).collect();
        let added = sqlx::query(ADD)
            .bind(Json(&callbacks))
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .bind(now)
            .bind(new.event.id.as_str())
            .bind(new.trigger_id().map(|id| id.to_string()).unwrap_or_default())
            .bind(new.event.name.as_str())
            .bind(new.event.record.as_str())
            .bind(new.customer.as_ref().map(CustomerId::as_str))
            .bind(new.traceparent)
            .execute(&mut *transaction)
            .await
            .map_err(map_db_error)?
            .rows_affected();
        if let Some(audit) = new.trigger {
            record_audit(&mut transaction, scope, EVENTS.name, new.event.id.as_str(), audit, now).await?;
        }
        transaction.commit().await.map_err(map_db_error)?;
        Ok(added)
    }
}

const ADD: &str = "
    INSERT INTO event_callbacks (id, organization_id, mode, created_at, updated_at, due_at, webhook_id, event_id, trigger_id, topic,
        resource_id, customer_id, traceparent, callback_url, sealed_payload)
    SELECT value ->> 'id', ?2, ?3, ?4, ?4, ?4, w.id, ?5, ?6, ?7, ?8, ?9, ?10, value ->> 'url', unhex(value ->> 'payload')
    FROM json_each(?1) JOIN webhooks w ON w.id = value ->> 'webhook' AND w.disabled_at IS NULL
    WHERE true
    ON CONFLICT (webhook_id, event_id, trigger_id) DO NOTHING";

#[async_trait]
impl CallbackQueue for SqliteStore {
    async fn claim_callbacks(
        &self,
        lease: Duration,
        limits: ClaimLimits,
    ) -> Result<Vec<ClaimedCallback>, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let rows = sqlx::query(CLAIM)
            .bind(now)
            .bind(i64::from(limits.per_webhook))
            .bind(i64::from(limits.per_organization))
            .bind(i64::from(limits.total))
            .fetch_all(&mut *transaction)
            .await
            .map_err(map_db_error)?;
        let claimed = rows::readable(rows.iter().map(rows::claimed_callback));
        let ids: Vec<_> = claimed.iter().map(|callback| callback.id.to_string()).collect();
        sqlx::query(
            "UPDATE event_callbacks SET lease_until = ?2, attempts = attempts + 1, updated_at = ?3
             WHERE id IN (SELECT value FROM json_each(?1))",
        )
        .bind(Json(&ids))
        .bind(after(now, lease))
        .bind(now)
        .execute(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(claimed)
    }

    async fn settle_callback(
        &self,
        id: CallbackId,
        attempt: u32,
        result: &AttemptResult,
    ) -> Result<Settled, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let due_at = match result.next {
            Next::Retry(wait) | Next::Postponed(wait) => Some(after(now, wait)),
            Next::Delivered | Next::GivenUp | Next::Disable => None,
        };
        let webhook: Option<String> = sqlx::query_scalar(
            "UPDATE event_callbacks SET lease_until = NULL, due_at = ?3, response_code = ?4, response_message = ?5, updated_at = ?6,
                 attempts = attempts - ?7
             WHERE id = ?1 AND attempts = ?2 AND lease_until IS NOT NULL RETURNING webhook_id",
        )
        .bind(id.as_str())
        .bind(attempt)
        .bind(due_at)
        .bind(result.response_code.map(|code| code.to_string()))
        .bind(&result.response_message)
        .bind(now)
        .bind(i64::from(result.next.is_postponed()))
        .fetch_optional(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        let Some(webhook) = webhook else {
            return Ok(Settled { was_recorded: false, opened_circuit: false });
        };
        let opened_circuit = !result.next.is_postponed()
            && count_attempt(&mut transaction, &webhook, result, now).await.map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(Settled { was_recorded: true, opened_circuit })
    }
}

/// Of each webhook and organization at most as many as may be under way at a time. Those with the fewest under way come first, of these the
/// longest due.
const CLAIM: &str = "
    WITH claimed AS (
        SELECT webhook_id, count(*) AS count FROM event_callbacks WHERE due_at IS NOT NULL AND lease_until > ?1 GROUP BY webhook_id
    ), candidate AS (
        SELECT c.*, w.callback_url AS current_url, w.sealed_secret,
            CASE WHEN w.former_secret_until > ?1 THEN w.former_secret END AS former_secret,
            COALESCE(k.count, 0) + row_number() OVER (PARTITION BY w.id ORDER BY c.due_at, c.id) AS nth,
            (SELECT COALESCE(sum(k.count), 0) FROM claimed k JOIN webhooks o ON o.id = k.webhook_id
             WHERE o.organization_id = w.organization_id) AS of_organization
        FROM webhooks w
        JOIN event_callbacks c ON c.webhook_id = w.id AND c.due_at <= ?1 AND (c.lease_until IS NULL OR c.lease_until <= ?1)
        LEFT JOIN claimed k ON k.webhook_id = w.id
        WHERE w.disabled_at IS NULL AND w.circuit_opened_at IS NULL AND NOT EXISTS (
            SELECT 1 FROM event_callbacks e
            WHERE e.webhook_id = c.webhook_id AND e.resource_id = c.resource_id AND e.due_at <= ?1
                AND (e.created_at, e.id) < (c.created_at, c.id)
        )
    ), allowed AS (
        SELECT *, of_organization + row_number() OVER (PARTITION BY organization_id ORDER BY nth, due_at, id) AS nth_of_organization
        FROM candidate WHERE nth <= ?2
    )
    SELECT id, organization_id, mode, webhook_id, event_id, topic, attempts + 1 AS attempts, sealed_payload, traceparent,
        ?1 - created_at AS age, current_url AS callback_url, sealed_secret, former_secret
    FROM allowed WHERE nth_of_organization <= ?3 ORDER BY nth_of_organization, due_at, id LIMIT ?4";

/// Counts an attempt of a webhook. Returns whether it opened the circuit.
async fn count_attempt(
    connection: &mut SqliteConnection,
    webhook: &str,
    result: &AttemptResult,
    now: i64,
) -> Read<bool> {
    let opened: Option<bool> = sqlx::query_scalar(
        "UPDATE webhooks SET circuit_failure_count = CASE WHEN ?2 THEN 0 ELSE circuit_failure_count + 1 END,
             circuit_opened_at = CASE WHEN opens THEN ?5 ELSE circuit_opened_at END,
             circuit_cause = CASE WHEN opens THEN ?6 ELSE circuit_cause END,
             circuit_mail_due_at = CASE WHEN opens THEN ?5 ELSE circuit_mail_due_at END,
             disabled_at = CASE WHEN ?3 THEN COALESCE(disabled_at, ?5) ELSE disabled_at END
         FROM (
             SELECT NOT ?2 AND circuit_opened_at IS NULL AND circuit_failure_count + 1 >= ?4 AS opens FROM webhooks WHERE id = ?1
         )
         WHERE id = ?1 RETURNING circuit_opened_at IS NOT NULL AND circuit_failure_count = ?4",
    )
    .bind(webhook)
    .bind(result.next == Next::Delivered)
    .bind(result.next == Next::Disable)
    .bind(i64::from(MAX_FAILURES))
    .bind(now)
    .bind(result.cause())
    .fetch_optional(connection)
    .await?;
    Ok(opened.unwrap_or(false))
}

pub(crate) async fn record_audit(
    connection: &mut SqliteConnection,
    scope: Scope,
    resource_type: &str,
    id: &str,
    audit: &AuditEntry,
    now: i64,
) -> Result<(), StoreError> {
    let entry = Entry::new(audit, scope, resource_type, id, now);
    write_entries(connection, LOG, &[entry]).await.map_err(map_db_error)
}
