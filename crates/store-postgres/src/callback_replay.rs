use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    events::audit::AuditEntry,
    ids::{CallbackId, WebhookId},
    scope::Scope,
    webhooks::replay::{CallbackReplay, Replay, ReplayError, Replayed, Since},
};
use rekey_sql::rows::{self, Read};
use sqlx::{
    Row,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use time::Duration;

use crate::{
    PostgresStore,
    error::map_db_error,
    events::{auditing, record_audit},
};

#[async_trait]
impl CallbackReplay for PostgresStore {
    async fn replay_callback(
        &self,
        scope: Scope,
        id: CallbackId,
        audit: &AuditEntry,
    ) -> Result<(), ReplayError> {
        let query = auditing(REPLAY_ONE, Some(scope), audit).bind(id.as_str());
        let row = query.fetch_optional(&self.pool).await.map_err(map_db_error)?;
        let row = row.ok_or(ReplayError::Unknown(id))?;
        rows::replayed(&row, id).map_err(map_db_error)?
    }

    async fn replay_callbacks(
        &self,
        scope: Scope,
        replay: &Replay,
        audit: &AuditEntry,
    ) -> Result<Replayed, StoreError> {
        let statement = if replay.webhook.is_some() { REPLAY_OF_WEBHOOK } else { REPLAY_ALL };
        let query = auditing(statement, Some(scope), audit)
            .bind(replay.webhook.as_ref().map(WebhookId::as_str))
            .bind(replay.with_delivered)
            .bind(i64::from(replay.max))
            .bind(replay.is_dry_run);
        // Planned for its values: those that failed have an index of their own.
        let query = bind_since(query, replay.since).persistent(false);
        let row = query.fetch_one(&self.pool).await.map_err(map_db_error)?;
        read(&row).map_err(map_db_error)
    }
}

/// Binds a time and an age, for `COALESCE(time, now() - make_interval(secs => age))`.
pub(crate) fn bind_since(
    query: Query<'_, sqlx::Postgres, PgArguments>,
    since: Since,
) -> Query<'_, sqlx::Postgres, PgArguments> {
    let (at, ago) = match since {
        Since::At(at) => (Some(at), Duration::ZERO),
        Since::Ago(ago) => (None, ago),
    };
    query.bind(at).bind(ago.as_seconds_f64())
}

fn read(row: &PgRow) -> Read<Replayed> {
    Ok(Replayed { count: row.try_get::<i64, _>("count")?.unsigned_abs(), next: row.try_get("next")? })
}

const REPLAY_ONE: &str = concat!(
    "WITH callback AS (
        SELECT c.id, c.state, EXISTS (SELECT FROM webhooks w WHERE w.id = c.webhook_id) AS has_webhook
        FROM logged_callbacks c WHERE c.id = $11 AND c.organization_id = $1 AND c.mode = $2
    ), fact AS (
        UPDATE logged_callbacks c SET due_at = now(), attempts = 0, updated_at = now()
        FROM callback WHERE c.id = callback.id AND callback.has_webhook AND c.state IN ('failed', 'delivered')
        RETURNING c.id
    )",
    record_audit!("audit", "event_callbacks", "CAST(NULL AS text)", "FROM fact"),
    "SELECT state, has_webhook, EXISTS (SELECT FROM fact) AS is_replayed FROM callback"
);

/// By the index of what failed, or of all: see `callbacks!` in `webhook_log.rs`. What is chosen is locked, and looked at again under the lock; what another statement has is left out.
macro_rules! replay_many {
    ($resource:literal, $subject:literal) => {
        concat!(
            "WITH chosen AS MATERIALIZED (
                SELECT c.id, c.created_at FROM webhooks w CROSS JOIN LATERAL (
                    SELECT c.id, c.created_at FROM logged_callbacks c
                    WHERE c.webhook_id = w.id AND c.created_at BETWEEN COALESCE($15, now() - make_interval(secs => $16)) AND 'infinity'
                        AND (c.state = 'failed' OR $12 AND c.state = 'delivered')
                    ORDER BY c.created_at, c.id LIMIT $13 + 1
                ) c
                WHERE w.organization_id = $1 AND w.mode = $2 AND ($11::text IS NULL OR w.id = $11)
                ORDER BY c.created_at, c.id LIMIT $13 + 1
            ), locked AS MATERIALIZED (
                SELECT c.id FROM logged_callbacks c
                WHERE NOT $14 AND c.id = ANY (ARRAY(SELECT id FROM chosen ORDER BY created_at, id LIMIT $13))
                    AND c.state IN ('failed', 'delivered')
                FOR UPDATE SKIP LOCKED
            ), replayed AS (
                UPDATE logged_callbacks c SET due_at = now(), attempts = 0, updated_at = now()
                FROM locked WHERE c.id = locked.id RETURNING c.id
            ), fact AS (SELECT ",
            $subject,
            "::text AS id WHERE EXISTS (SELECT FROM replayed))",
            record_audit!("audit", $resource, "CAST(NULL AS text)", "FROM fact"),
            "SELECT CASE WHEN $14 THEN (SELECT least(count(*), $13) FROM chosen) ELSE (SELECT count(*) FROM replayed) END AS count,
                (SELECT created_at FROM chosen ORDER BY created_at, id OFFSET $13) AS next"
        )
    };
}

const REPLAY_OF_WEBHOOK: &str = replay_many!("webhooks", "$11");
const REPLAY_ALL: &str = replay_many!("organizations", "$1");
