use rekey_core::{
    ids::{ApplicationId, CustomerId, SessionId},
    scope::Scope,
    secrets::RefreshTokenDigest,
    sessions::{EndSessionOutcome, Refresh, RefreshOutcome},
};
use rekey_sql::rows::{self, Read};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use crate::{after, customers::subject, events::record_audit};

/// Extends the session of the presented token, or ends the session if the token was used before.
pub(crate) async fn use_up(
    connection: &mut SqliteConnection,
    scope: Scope,
    refresh: &Refresh<'_>,
    now: i64,
) -> Read<RefreshOutcome> {
    if let Some(row) = rotate(connection, scope, refresh, now).await? {
        let session = rows::live_session(&row)?;
        remember(connection, session.id, refresh, now).await?;
        return Ok(RefreshOutcome::Rotated(session));
    }
    let ended = end_reused(connection, scope, refresh, now).await?;
    let Some(row) = ended else { return Ok(RefreshOutcome::Refused) };
    let customer: CustomerId = rows::parsed(&row, "customer_id")?;
    record_audit(connection, subject(scope, &customer), refresh.reuse, now).await?;
    Ok(RefreshOutcome::Reused(rows::parsed(&row, "id")?))
}

/// Ends the session that a token, used or not, belongs to.
pub(crate) async fn end_session(
    connection: &mut SqliteConnection,
    scope: Scope,
    application: ApplicationId,
    token: &RefreshTokenDigest,
) -> Read<EndSessionOutcome> {
    let named: Option<(String, bool)> = sqlx::query_as(
        "SELECT id, organization_id = ?2 AND mode = ?3 AND application_id = ?4 FROM sessions
         WHERE id IN (
             SELECT id FROM sessions WHERE refresh_token_digest = ?1
             UNION ALL SELECT session_id FROM used_refresh_tokens WHERE digest = ?1)",
    )
    .bind(token.as_bytes().as_slice())
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(application.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    match named {
        None => Ok(EndSessionOutcome::Unknown),
        Some((_, false)) => Ok(EndSessionOutcome::WrongClient),
        Some((id, true)) => {
            sqlx::query("DELETE FROM sessions WHERE id = ?1").bind(id).execute(connection).await?;
            Ok(EndSessionOutcome::Ended)
        }
    }
}

/// Replaces the presented refresh token by the next one; returns no row when it can't be used.
async fn rotate(
    connection: &mut SqliteConnection,
    scope: Scope,
    refresh: &Refresh<'_>,
    now: i64,
) -> Read<Option<SqliteRow>> {
    sqlx::query(
        "UPDATE sessions SET refresh_token_digest = ?5, expires_at = min(?6, created_at + ?8)
         WHERE refresh_token_digest = ?1 AND organization_id = ?2 AND mode = ?3 AND application_id = ?4
             AND expires_at > ?7 AND created_at + ?8 > ?7
             AND EXISTS (
                 SELECT 1 FROM customer_passwords p
                 WHERE p.customer_id = sessions.customer_id AND p.generation = sessions.password_generation)
         RETURNING id, customer_id, token_scope, (expires_at - ?7) / 1000000 AS ttl",
    )
    .bind(refresh.presented.as_bytes().as_slice())
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(refresh.application.as_str())
    .bind(refresh.next.as_bytes().as_slice())
    .bind(after(now, refresh.ttl))
    .bind(now)
    .bind(after(0, refresh.max_age))
    .fetch_optional(connection)
    .await
}

/// Stores the used token until it would have expired, and deletes those that have.
async fn remember(
    connection: &mut SqliteConnection,
    session: SessionId,
    refresh: &Refresh<'_>,
    now: i64,
) -> Read<()> {
    sqlx::query("DELETE FROM used_refresh_tokens WHERE session_id = ?1 AND expires_at <= ?2")
        .bind(session.as_str())
        .bind(now)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO used_refresh_tokens (digest, session_id, used_at, expires_at)
         SELECT ?1, id, ?3, expires_at FROM sessions WHERE id = ?2",
    )
    .bind(refresh.presented.as_bytes().as_slice())
    .bind(session.as_str())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends the session whose used token was presented. Returns its row, if there is one.
async fn end_reused(
    connection: &mut SqliteConnection,
    scope: Scope,
    refresh: &Refresh<'_>,
    now: i64,
) -> Read<Option<SqliteRow>> {
    sqlx::query(
        "DELETE FROM sessions
         WHERE id = (SELECT session_id FROM used_refresh_tokens WHERE digest = ?1 AND used_at <= ?5 AND expires_at > ?6)
             AND organization_id = ?2 AND mode = ?3 AND application_id = ?4
         RETURNING id, customer_id",
    )
    .bind(refresh.presented.as_bytes().as_slice())
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(refresh.application.as_str())
    .bind(after(now, -refresh.leeway))
    .bind(now)
    .fetch_optional(connection)
    .await
}
