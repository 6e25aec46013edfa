use rekey_core::{
    access::Scope,
    ids::SessionId,
    store::{NewSession, StoreError},
};

use crate::{SqliteStore, error::fault, rows::after};

pub(crate) async fn open_session(
    store: &SqliteStore,
    scope: Scope,
    session: &NewSession<'_>,
) -> Result<bool, StoreError> {
    let now = store.present();
    let done = sqlx::query(
        "INSERT INTO sessions (id, organization_id, mode, customer_id, application_id, refresh_token_digest,
             password_generation, created_at, expires_at)
         SELECT ?1, c.organization_id, c.mode, c.id, ?5, ?6, p.generation, ?8, ?9
         FROM customers c JOIN customer_passwords p ON p.customer_id = c.id
         WHERE c.id = ?4 AND c.organization_id = ?2 AND c.mode = ?3 AND p.hash = ?7",
    )
    .bind(session.id.as_str())
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(session.customer.as_str())
    .bind(session.application.as_str())
    .bind(session.refresh_token.as_bytes().as_slice())
    .bind(session.password.as_str())
    .bind(now)
    .bind(after(now, session.life))
    .execute(&store.writer)
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
             SELECT 1 FROM sessions s JOIN customer_passwords p ON p.customer_id = s.customer_id
             WHERE s.id = ?1 AND s.organization_id = ?2 AND s.mode = ?3
                 AND s.password_generation = p.generation AND s.expires_at > ?4)",
    )
    .bind(session.as_str())
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(store.present())
    .fetch_one(&store.readers)
    .await
    .map_err(fault)
}
