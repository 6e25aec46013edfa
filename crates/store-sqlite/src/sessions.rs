use rekey_core::{
    access::Scope,
    ids::SessionId,
    store::{NewSession, StoreError},
};
use sqlx::PgPool;

use crate::error::fault;

pub(crate) async fn open_session(
    store: &SqliteStore,
    scope: Scope,
    session: &NewSession<'_>,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO sessions (id, organization_id, mode, customer_id, application_id, refresh_token_digest,
             password_generation, expires_at)
         SELECT ?1, c.organization_id, c.mode, c.id, ?2, ?3, p.generation, now() + make_interval(secs => ?4)
         FROM customers c JOIN customer_passwords p ON p.customer_id = c.id
         WHERE c.id = ?5 AND c.organization_id = ?6 AND c.mode = ?7 AND p.hash = ?8",
    )
    .bind(session.id.as_str())
    .bind(session.application.as_str())
    .bind(session.refresh_token.as_bytes().as_slice())
    .bind(session.life.as_seconds_f64())
    .bind(session.customer.as_str())
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(session.password.as_str())
    .execute(pool)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn session_is_live(
    store: &SqliteStore,
    scope: Scope,
    session: SessionId,
) -> Result<bool, StoreError> {
    sqlx::query_scalar(
        "SELECT EXISTS (
             SELECT FROM sessions s
             JOIN customer_passwords p ON p.customer_id = s.customer_id AND p.generation = s.password_generation
             WHERE s.id = ?1 AND s.organization_id = ?2 AND s.mode = ?3 AND s.expires_at > now())",
    )
    .bind(session.as_str())
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .fetch_one(pool)
    .await
    .map_err(fault)
}
