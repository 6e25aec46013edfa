use async_trait::async_trait;
use rekey_core::{
    customers::Credentials,
    email::EmailAddress,
    error::StoreError,
    ids::{AccessTokenId, ApplicationId, CustomerId, OrganizationId, SessionId},
    passwords::{PasswordHash, SchemeName},
    scope::Scope,
    secrets::RefreshTokenDigest,
    sessions::{
        EndSessionOutcome, NewSession, Refresh, RefreshOutcome, Sessions, SignInRecord, StoredScheme,
    },
};
use rekey_sql::rows;
use time::Duration;

use crate::{PostgresStore, customers::customer_address, error::map_db_error, refresh_tokens, sign_ins};

#[async_trait]
impl Sessions for PostgresStore {
    async fn find_credentials(
        &self,
        scope: Scope,
        email: &EmailAddress,
    ) -> Result<Option<Credentials>, StoreError> {
        let row = sqlx::query(
            "SELECT c.id, p.hash, p.scheme FROM customers c LEFT JOIN customer_passwords p ON p.customer_id = c.id
             WHERE (c.organization_id || '/' || c.mode || '/' || c.email) COLLATE \"C\" = $1",
        )
        .bind(customer_address(scope, email))
        .fetch_optional(&self.pool)
        .await
        .map_err(map_db_error)?;
        row.as_ref().map(rows::credentials).transpose().map_err(map_db_error)
    }

    async fn next_scheme(
        &self,
        organization: OrganizationId,
        after: Option<&SchemeName>,
    ) -> Result<Option<StoredScheme>, StoreError> {
        let (first, last) = SchemeName::key_range(organization);
        let row = sqlx::query(
            "SELECT scheme, hash FROM customer_passwords WHERE scheme > $1 AND scheme < $2 AND hash IS NOT NULL
             ORDER BY scheme LIMIT 1",
        )
        .bind(after.map_or(first, |after| after.key(organization)))
        .bind(last)
        .fetch_optional(&self.pool)
        .await
        .map_err(map_db_error)?;
        row.as_ref().map(rows::stored_scheme).transpose().map_err(map_db_error)
    }

    async fn rehash_password(
        &self,
        scope: Scope,
        customer: CustomerId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        // The generation stays: it is the same password, and the sessions that it opened live on.
        sqlx::query(
            "UPDATE customer_passwords p SET hash = $5, scheme = $6, updated_at = now() FROM customers c
             WHERE c.id = p.customer_id AND c.id = $1 AND (c.organization_id, c.mode) IS NOT DISTINCT FROM ($2, $3)
                 AND p.hash = $4",
        )
        .bind(customer.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(old.as_str())
        .bind(new.as_str())
        .bind(SchemeName::own(new).key(scope.organization))
        .execute(&self.pool)
        .await
        .map_err(map_db_error)?;
        Ok(())
    }

    async fn record_sign_in(&self, scope: Scope, record: &SignInRecord<'_>) -> Result<(), StoreError> {
        sign_ins::record(&self.pool, scope, record).await.map_err(map_db_error)
    }

    async fn open_session(&self, scope: Scope, session: &NewSession<'_>) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "WITH expired AS (
                 DELETE FROM sessions WHERE id IN (
                     SELECT id FROM sessions WHERE expires_at <= now() ORDER BY expires_at LIMIT 10 FOR UPDATE SKIP LOCKED)
             )
             INSERT INTO sessions (id, organization_id, mode, customer_id, application_id, token_scope,
                 refresh_token_digest, password_generation, expires_at)
             SELECT $1, c.organization_id, c.mode, c.id, $2, $3, $4, p.generation, now() + make_interval(secs => $5)
             FROM customers c JOIN customer_passwords p ON p.customer_id = c.id
             WHERE c.id = $6 AND (c.organization_id, c.mode) IS NOT DISTINCT FROM ($7, $8) AND p.hash = $9",
        )
        .bind(session.id.as_str())
        .bind(session.application.as_str())
        .bind(session.token_scope.as_str())
        .bind(session.refresh_token.as_bytes().as_slice())
        .bind(session.ttl.as_seconds_f64())
        .bind(session.customer.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(session.password.as_str())
        .execute(&self.pool)
        .await
        .map_err(map_db_error)?;
        Ok(done.rows_affected() == 1)
    }

    async fn session_is_live(
        &self,
        scope: Scope,
        session: SessionId,
        max_age: Duration,
    ) -> Result<bool, StoreError> {
        sqlx::query_scalar(
            "SELECT EXISTS (
                 SELECT FROM sessions s
                 JOIN customer_passwords p ON p.customer_id = s.customer_id AND p.generation = s.password_generation
                 WHERE s.id = $1 AND s.organization_id = $2 AND s.mode = $3 AND s.expires_at > now()
                     AND s.created_at > now() - make_interval(secs => $4))",
        )
        .bind(session.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(max_age.as_seconds_f64())
        .fetch_one(&self.pool)
        .await
        .map_err(map_db_error)
    }

    async fn refresh_session(
        &self,
        scope: Scope,
        refresh: &Refresh<'_>,
    ) -> Result<RefreshOutcome, StoreError> {
        refresh_tokens::use_up(&self.pool, scope, refresh).await.map_err(map_db_error)
    }

    async fn end_session(&self, scope: Scope, session: SessionId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE id = $1 AND organization_id = $2 AND mode = $3")
            .bind(session.as_str())
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .execute(&self.pool)
            .await
            .map_err(map_db_error)?;
        Ok(())
    }

    async fn end_session_of_token(
        &self,
        scope: Scope,
        application: ApplicationId,
        token: &RefreshTokenDigest,
    ) -> Result<EndSessionOutcome, StoreError> {
        refresh_tokens::end_session(&self.pool, scope, application, token).await.map_err(map_db_error)
    }

    async fn revoke_access_token(
        &self,
        scope: Scope,
        application: ApplicationId,
        token: AccessTokenId,
        remaining: Duration,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "WITH expired AS (
                 DELETE FROM revoked_access_tokens WHERE id IN (
                     SELECT id FROM revoked_access_tokens WHERE expires_at <= now() LIMIT 100 FOR UPDATE SKIP LOCKED)
             )
             INSERT INTO revoked_access_tokens (id, organization_id, mode, application_id, expires_at)
             VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5)) ON CONFLICT (id) DO NOTHING",
        )
        .bind(token.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(application.as_str())
        .bind(remaining.as_seconds_f64())
        .execute(&self.pool)
        .await
        .map_err(map_db_error)?;
        Ok(())
    }

    async fn revoked_access_tokens(
        &self,
        scope: Scope,
        application: ApplicationId,
    ) -> Result<Vec<AccessTokenId>, StoreError> {
        let rows = sqlx::query(
            "SELECT id FROM revoked_access_tokens
             WHERE application_id = $1 AND organization_id = $2 AND mode = $3 AND expires_at > now()",
        )
        .bind(application.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(map_db_error)?;
        rows.iter().map(|row| rows::parsed(row, "id")).collect::<Result<_, _>>().map_err(map_db_error)
    }
}
