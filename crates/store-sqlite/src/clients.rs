use async_trait::async_trait;
use rekey_core::{
    clients::{ClientChange, ClientStore, RegisteredClient, origin::AllowedOrigin},
    clock::from_unix_microseconds,
    error::{CreateError, StoreError},
    events::audit::AuditEntry,
    ids::ApplicationId,
    name::DisplayName,
    scope::Scope,
};
use rekey_sql::rows;
use sqlx::{SqliteConnection, types::Json};

use crate::{
    SqliteStore,
    error::{map_create_error, map_db_error},
    events::{Entry, LOG, write_entries},
};

/// Selects clients with their organizations, by the condition or order that follows.
macro_rules! select_clients {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.client_id, a.name, a.mode, a.kind, a.secret_digest, a.self_service, a.sign_in, a.sign_up,
                 a.allowed_origins, a.revoked_at, a.created_at, o.id AS organization_id, o.slug AS organization_slug,
                 o.name AS organization_name, o.created_at AS organization_created_at
             FROM api_clients a JOIN organizations o ON o.id = a.organization_id ",
            $rest
        )
    };
}

#[async_trait]
impl ClientStore for SqliteStore {
    async fn create_api_client(
        &self,
        client: &RegisteredClient,
        audit: &AuditEntry,
    ) -> Result<RegisteredClient, CreateError> {
        let (mut transaction, now) = self.write().await?;
        sqlx::query(
            "INSERT INTO api_clients (id, client_id, name, organization_id, mode, kind, secret_digest, self_service,
                 sign_in, sign_up, allowed_origins, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )
        .bind(client.id.as_str())
        .bind(&client.client_id)
        .bind(&client.name)
        .bind(client.scope.organization.as_str())
        .bind(client.scope.mode.as_str())
        .bind(client.kind.as_str())
        .bind(client.secret.as_ref().map(|digest| digest.as_bytes().as_slice()))
        .bind(client.permissions.self_service)
        .bind(client.permissions.sign_in)
        .bind(client.permissions.sign_up)
        .bind(Json(client.allowed_origins.iter().map(AllowedOrigin::as_str).collect::<Vec<_>>()))
        .bind(now)
        .execute(&mut *transaction)
        .await
        .map_err(map_create_error)?;
        record(&mut transaction, client.scope, client.id, audit, now).await?;
        transaction.commit().await.map_err(map_db_error)?;
        let created_at = from_unix_microseconds(now).unwrap_or(client.created_at);
        Ok(RegisteredClient { revoked_at: None, created_at, ..client.clone() })
    }

    async fn api_clients(&self) -> Result<Vec<RegisteredClient>, StoreError> {
        let rows = sqlx::query(select_clients!("ORDER BY a.created_at, a.id"))
            .fetch_all(&self.readers)
            .await
            .map_err(map_db_error)?;
        rows.iter().map(rows::registered_client).collect::<Result<_, _>>().map_err(map_db_error)
    }

    async fn find_api_client(&self, client_id: &str) -> Result<Option<RegisteredClient>, StoreError> {
        let row = sqlx::query(select_clients!("WHERE a.client_id = ?1"))
            .bind(client_id)
            .fetch_optional(&self.readers)
            .await
            .map_err(map_db_error)?;
        row.as_ref().map(rows::registered_client).transpose().map_err(map_db_error)
    }

    async fn update_api_client(
        &self,
        scope: Scope,
        id: ApplicationId,
        change: &ClientChange,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let ClientChange { permissions, allowed_origins, name, secret } = change;
        let origins = allowed_origins.as_ref().map(|origins| origins.iter().map(AllowedOrigin::as_str));
        let (mut transaction, now) = self.write().await?;
        let done = sqlx::query(
            "UPDATE api_clients SET self_service = COALESCE(?4, self_service), sign_in = COALESCE(?5, sign_in),
                 sign_up = COALESCE(?6, sign_up), allowed_origins = COALESCE(?7, allowed_origins), name = COALESCE(?8, name),
                 secret_digest = COALESCE(?9, secret_digest)
             WHERE id = ?1 AND organization_id = ?2 AND mode = ?3",
        )
        .bind(id.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(permissions.map(|permissions| permissions.self_service))
        .bind(permissions.map(|permissions| permissions.sign_in))
        .bind(permissions.map(|permissions| permissions.sign_up))
        .bind(origins.map(|origins| Json(origins.collect::<Vec<_>>())))
        .bind(name.as_ref().map(DisplayName::as_str))
        .bind(secret.as_ref().map(|digest| digest.as_bytes().as_slice()))
        .execute(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        record(&mut transaction, scope, id, audit, now).await?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(true)
    }

    async fn revoke_api_client(
        &self,
        scope: Scope,
        id: ApplicationId,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let done = sqlx::query(
            "UPDATE api_clients SET revoked_at = ?4
             WHERE id = ?1 AND organization_id = ?2 AND mode = ?3 AND revoked_at IS NULL",
        )
        .bind(id.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(now)
        .execute(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        record(&mut transaction, scope, id, audit, now).await?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(true)
    }
}

/// Writes the audit entry of a client.
async fn record(
    connection: &mut SqliteConnection,
    scope: Scope,
    id: ApplicationId,
    audit: &AuditEntry,
    now: i64,
) -> Result<(), StoreError> {
    let entry = Entry::new(audit, scope, "api_clients", id.as_str(), now);
    write_entries(connection, LOG, &[entry]).await.map_err(map_db_error)
}
