use rekey_core::{
    ids::ApplicationId,
    scope::Scope,
    secrets::RefreshTokenDigest,
    sessions::{EndSessionOutcome, Refresh, RefreshOutcome},
};
use rekey_sql::rows::{self, Read};
use sqlx::postgres::PgRow;

use crate::{
    events::{auditing, record_audit},
    pool::Pool,
};

/// Extends the session of the presented token, or ends the session if the token was used before.
pub(crate) async fn use_up(pool: &Pool, scope: Scope, refresh: &Refresh<'_>) -> Read<RefreshOutcome> {
    if let Some(row) = rotate(pool, scope, refresh).await? {
        return Ok(RefreshOutcome::Rotated(rows::live_session(&row)?));
    }
    // A separate statement: a call that waited for another use of the token sees that use here.
    let ended = end_reused(pool, scope, refresh).await?;
    let reused = ended.as_ref().map(|row| rows::parsed(row, "session_id")).transpose()?;
    Ok(reused.map_or(RefreshOutcome::Refused, RefreshOutcome::Reused))
}

/// Ends the session that a token, used or not, belongs to.
pub(crate) async fn end_session(
    pool: &Pool,
    scope: Scope,
    application: ApplicationId,
    token: &RefreshTokenDigest,
) -> Read<EndSessionOutcome> {
    let is_own = sqlx::query_scalar(
        "WITH named AS (
             SELECT s.id, s.organization_id = $2 AND s.mode = $3 AND s.application_id = $4 AS is_own
             FROM sessions s
             WHERE s.id IN (
                 SELECT id FROM sessions WHERE refresh_token_digest = $1
                 UNION ALL SELECT session_id FROM used_refresh_tokens WHERE digest = $1)
         ), ended AS (DELETE FROM sessions s USING named WHERE s.id = named.id AND named.is_own)
         SELECT is_own FROM named",
    )
    .bind(token.as_bytes().as_slice())
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(application.as_str())
    .fetch_optional(pool)
    .await?;
    Ok(match is_own {
        Some(true) => EndSessionOutcome::Ended,
        Some(false) => EndSessionOutcome::WrongClient,
        None => EndSessionOutcome::Unknown,
    })
}

/// Replaces the presented refresh token by the next one; returns no row when it can't be used. All but one of several simultaneous calls
/// wait for the row, and then find that it has another token.
async fn rotate(pool: &Pool, scope: Scope, refresh: &Refresh<'_>) -> Read<Option<PgRow>> {
    sqlx::query(
        "WITH session AS (
             UPDATE sessions s SET refresh_token_digest = $5,
                 expires_at = least(now() + make_interval(secs => $6), s.created_at + make_interval(secs => $7))
             FROM customer_passwords p
             WHERE s.refresh_token_digest = $1 AND s.organization_id = $2 AND s.mode = $3 AND s.application_id = $4
                 AND s.expires_at > now() AND s.created_at + make_interval(secs => $7) > now()
                 AND p.customer_id = s.customer_id AND p.generation = s.password_generation
             RETURNING s.id, s.customer_id, s.token_scope, s.expires_at
         ), used AS (
             INSERT INTO used_refresh_tokens (digest, session_id, expires_at) SELECT $1, id, expires_at FROM session
         ), forgotten AS (
             DELETE FROM used_refresh_tokens u USING session WHERE u.session_id = session.id AND u.expires_at <= now()
         )
         SELECT id, customer_id, token_scope, floor(extract(epoch FROM expires_at - now()))::bigint AS ttl FROM session",
    )
    .bind(refresh.presented.as_bytes().as_slice())
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(refresh.application.as_str())
    .bind(refresh.next.as_bytes().as_slice())
    .bind(refresh.ttl.as_seconds_f64())
    .bind(refresh.max_age.as_seconds_f64())
    .fetch_optional(pool)
    .await
}

/// Ends the session whose used token was presented. Returns its row, if there is one.
async fn end_reused(pool: &Pool, scope: Scope, refresh: &Refresh<'_>) -> Read<Option<PgRow>> {
    auditing(END_REUSED, Some(scope), refresh.reuse)
        .bind(refresh.presented.as_bytes().as_slice())
        .bind(refresh.application.as_str())
        .bind(refresh.leeway.as_seconds_f64())
        .fetch_optional(pool)
        .await
}

const END_REUSED: &str = concat!(
    "WITH fact AS (
        DELETE FROM sessions s USING used_refresh_tokens u
        WHERE u.digest = $11 AND u.used_at <= now() - make_interval(secs => $13) AND u.expires_at > now()
            AND s.id = u.session_id AND s.organization_id = $1 AND s.mode = $2 AND s.application_id = $12
        RETURNING s.customer_id AS id, s.id AS session_id
    )",
    record_audit!("audit", "customers", "id", "FROM fact"),
    "SELECT session_id FROM fact"
);
