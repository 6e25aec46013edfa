use async_trait::async_trait;
use rekey_core::{
    clock::{from_unix_microseconds, to_unix_microseconds},
    error::StoreError,
    events::audit::AuditEntry,
    ids::{CallbackId, WebhookId},
    resources::{EVENT_CALLBACKS, ORGANIZATIONS, WEBHOOKS},
    scope::Scope,
    webhooks::replay::{CallbackReplay, Replay, ReplayError, Replayed, Since},
};
use rekey_sql::rows;
use sqlx::{SqliteConnection, types::Json};

use crate::{SqliteStore, after, error::map_db_error, webhooks::record_audit};

#[async_trait]
impl CallbackReplay for SqliteStore {
    async fn replay_callback(
        &self,
        scope: Scope,
        id: CallbackId,
        audit: &AuditEntry,
    ) -> Result<(), ReplayError> {
        let (mut transaction, now) = self.write().await?;
        let row = sqlx::query(FIND)
            .bind(id.as_str())
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(map_db_error)?;
        let row = row.ok_or(ReplayError::Unknown(id))?;
        rows::replayed(&row, id).map_err(map_db_error)??;
        make_due(&mut transaction, &[id.to_string()], now).await?;
        record_audit(&mut transaction, scope, EVENT_CALLBACKS.name, id.as_str(), audit, now).await?;
        Ok(transaction.commit().await.map_err(map_db_error)?)
    }

    async fn replay_callbacks(
        &self,
        scope: Scope,
        replay: &Replay,
        audit: &AuditEntry,
    ) -> Result<Replayed, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let since = match replay.since {
            Since::At(at) => to_unix_microseconds(at),
            Since::Ago(ago) => after(now, -ago),
        };
        let mut chosen: Vec<(String, i64)> = sqlx::query_as(CHOOSE)
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .bind(replay.webhook.as_ref().map(WebhookId::as_str))
            .bind(since)
            .bind(replay.with_delivered)
            .bind(i64::from(replay.max) + 1)
            .fetch_all(&mut *transaction)
            .await
            .map_err(map_db_error)?;
        let max = usize::try_from(replay.max).unwrap_or(usize::MAX);
        let next = chosen.get(max).and_then(|(_, created_at)| from_unix_microseconds(*created_at));
        chosen.truncate(max);
        let ids: Vec<_> = chosen.into_iter().map(|(id, _)| id).collect();
        if !replay.is_dry_run && !ids.is_empty() {
            make_due(&mut transaction, &ids, now).await?;
            let (resource, subject) = match &replay.webhook {
                Some(webhook) => (&WEBHOOKS, webhook.as_str()),
                None => (&ORGANIZATIONS, scope.organization.as_str()),
            };
            record_audit(&mut transaction, scope, resource.name, subject, audit, now).await?;
        }
        transaction.commit().await.map_err(map_db_error)?;
        Ok(Replayed { count: ids.len().try_into().unwrap_or(u64::MAX), next })
    }
}

const FIND: &str = "
    SELECT c.state, EXISTS (SELECT 1 FROM webhooks w WHERE w.id = c.webhook_id) AS has_webhook,
        c.state IN ('failed', 'delivered') AND EXISTS (SELECT 1 FROM webhooks w WHERE w.id = c.webhook_id) AS is_replayed
    FROM logged_callbacks c WHERE c.id = ?1 AND c.organization_id = ?2 AND c.mode = ?3";

const CHOOSE: &str = "
    SELECT c.id, c.created_at FROM logged_callbacks c JOIN webhooks w ON w.id = c.webhook_id
    WHERE c.organization_id = ?1 AND c.mode = ?2 AND (?3 IS NULL OR c.webhook_id = ?3) AND c.created_at >= ?4
        AND (c.state = 'failed' OR ?5 AND c.state = 'delivered')
    ORDER BY c.created_at, c.id LIMIT ?6";

async fn make_due(connection: &mut SqliteConnection, ids: &[String], now: i64) -> Result<(), StoreError> {
    let query = sqlx::query(
        "UPDATE event_callbacks SET due_at = ?2, attempts = 0, updated_at = ?2 WHERE id IN (SELECT value FROM json_each(?1))",
    );
    query.bind(Json(ids)).bind(now).execute(connection).await.map_err(map_db_error)?;
    Ok(())
}
