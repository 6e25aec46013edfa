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
use rekey_sql::rows::{self, Read};
use time::Duration;

use crate::{SqliteStore, after, error::map_db_error, refresh_tokens, sign_ins};

#[async_trait]
impl Sessions for SqliteStore {
    async fn find_credentials(
        &self,
        scope: Scope,
        email: &EmailAddress,
    ) -> Result<Option<Credentials>, StoreError> {
        let row = sqlx::query(
            "SELECT c.id, p.hash, p.scheme FROM customers c LEFT JOIN customer_passwords p ON p.customer_id = c.id
             WHERE c.organization_id = ?1 AND c.mode = ?2 AND c.email = ?3",
        )
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(email.as_str())
        .fetch_optional(&self.readers)
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
            "SELECT scheme, hash FROM customer_passwords WHERE scheme > ?1 AND scheme < ?2 AND hash IS NOT NULL
             ORDER BY scheme LIMIT 1",
        )
        .bind(after.map_or(first, |after| after.key(organization)))
        .bind(last)
        .fetch_optional(&self.readers)
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
            "UPDATE customer_passwords SET hash = ?5, scheme = ?7, updated_at = ?6
             WHERE customer_id = ?3 AND hash = ?4
                 AND EXISTS (SELECT 1 FROM customers c WHERE c.id = ?3 AND c.organization_id = ?1 AND c.mode = ?2)",
        )
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(customer.as_str())
        .bind(old.as_str())
        .bind(new.as_str())
        .bind(self.present())
        .bind(SchemeName::own(new).key(scope.organization))
        .execute(&self.writer)
        .await
        .map_err(map_db_error)?;
        Ok(())
    }

    async fn record_sign_in(&self, scope: Scope, record: &SignInRecord<'_>) -> Result<(), StoreError> {
        let (mut transaction, now) = self.write().await?;
        sign_ins::record(&mut transaction, scope, record, now).await.map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)
    }

    async fn open_session(&self, scope: Scope, session: &NewSession<'_>) -> Result<bool, StoreError> {
        let (mut transaction, now) = self.write().await?;
        sqlx::query(
            "DELETE FROM sessions WHERE id IN (
                 SELECT id FROM sessions WHERE expires_at <= ?1 ORDER BY expires_at LIMIT 10)",
        )
        .bind(now)
        .execute(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        let done = sqlx::query(
            "INSERT INTO sessions (id, organization_id, mode, customer_id, application_id, token_scope,
                 refresh_token_digest, password_generation, created_at, expires_at)
             SELECT ?1, c.organization_id, c.mode, c.id, ?5, ?6, ?7, p.generation, ?9, ?10
             FROM customers c JOIN customer_passwords p ON p.customer_id = c.id
             WHERE c.id = ?4 AND c.organization_id = ?2 AND c.mode = ?3 AND p.hash = ?8",
        )
        .bind(session.id.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(session.customer.as_str())
        .bind(session.application.as_str())
        .bind(session.token_scope.as_str())
        .bind(session.refresh_token.as_bytes().as_slice())
        .bind(session.password.as_str())
        .bind(now)
        .bind(after(now, session.ttl))
        .execute(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(done.rows_affected() == 1)
    }

    async fn session_is_live(
        &self,
        scope: Scope,
        session: SessionId,
        max_age: Duration,
    ) -> Result<bool, StoreError> {
        let now = self.present();
        sqlx::query_scalar(
            "SELECT EXISTS (
                 SELECT 1 FROM sessions s JOIN customer_passwords p ON p.customer_id = s.customer_id
                 WHERE s.id = ?1 AND s.organization_id = ?2 AND s.mode = ?3
                     AND s.password_generation = p.generation AND s.expires_at > ?4 AND s.created_at > ?5)",
        )
        .bind(session.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(now)
        .bind(after(now, -max_age))
        .fetch_one(&self.readers)
        .await
        .map_err(map_db_error)
    }

    async fn refresh_session(
        &self,
        scope: Scope,
        refresh: &Refresh<'_>,
    ) -> Result<RefreshOutcome, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let refreshed =
            refresh_tokens::use_up(&mut transaction, scope, refresh, now).await.map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(refreshed)
    }

    async fn end_session(&self, scope: Scope, session: SessionId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE id = ?1 AND organization_id = ?2 AND mode = ?3")
            .bind(session.as_str())
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .execute(&self.writer)
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
        let (mut transaction, _) = self.write().await?;
        let ending = refresh_tokens::end_session(&mut transaction, scope, application, token)
            .await
            .map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(ending)
    }

    async fn revoke_access_token(
        &self,
        scope: Scope,
        application: ApplicationId,
        token: AccessTokenId,
        remaining: Duration,
    ) -> Result<(), StoreError> {
        let (mut transaction, now) = self.write().await?;
        sqlx::query("DELETE FROM revoked_access_tokens WHERE expires_at <= ?1")
            .bind(now)
            .execute(&mut *transaction)
            .await
            .map_err(map_db_error)?;
        sqlx::query(
            "INSERT INTO revoked_access_tokens (id, organization_id, mode, application_id, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO NOTHING",
        )
        .bind(token.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(application.as_str())
        .bind(after(now, remaining))
        .execute(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)
    }

    async fn revoked_access_tokens(
        &self,
        scope: Scope,
        application: ApplicationId,
    ) -> Result<Vec<AccessTokenId>, StoreError> {
        let rows = sqlx::query(
            "SELECT id FROM revoked_access_tokens
             WHERE application_id = ?1 AND organization_id = ?2 AND mode = ?3 AND expires_at > ?4",
        )
        .bind(application.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(self.present())
        .fetch_all(&self.readers)
        .await
        .map_err(map_db_error)?;
        rows.iter().map(|row| rows::parsed(row, "id")).collect::<Read<_>>().map_err(map_db_error)
    }
}
