use async_trait::async_trait;
use rekey_core::{
    clients::{ClientChange, ClientStore, RegisteredClient, origin::AllowedOrigin},
    error::{CreateError, StoreError},
};

use rekey_sql::rows;

use crate::{
    PostgresStore,
    error::{map_create_error, map_db_error},
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
impl ClientStore for PostgresStore {
    async fn create_api_client(&self, client: &RegisteredClient) -> Result<RegisteredClient, CreateError> {
        let created_at = sqlx::query_scalar(
            "INSERT INTO api_clients (id, client_id, name, organization_id, mode, kind, secret_digest, self_service,
                 sign_in, sign_up, allowed_origins)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING created_at",
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
        .bind(client.allowed_origins.iter().map(AllowedOrigin::as_str).collect::<Vec<_>>())
        .fetch_one(&self.pool)
        .await
        .map_err(map_create_error)?;
        Ok(RegisteredClient { revoked_at: None, created_at, ..client.clone() })
    }

    async fn api_clients(&self) -> Result<Vec<RegisteredClient>, StoreError> {
        let rows = sqlx::query(select_clients!("ORDER BY a.created_at, a.id"))
            .fetch_all(&self.pool)
            .await
            .map_err(map_db_error)?;
        rows.iter().map(rows::registered_client).collect::<Result<_, _>>().map_err(map_db_error)
    }

    async fn find_api_client(&self, client_id: &str) -> Result<Option<RegisteredClient>, StoreError> {
        let row = sqlx::query(select_clients!("WHERE a.client_id = $1"))
            .bind(client_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(map_db_error)?;
        row.as_ref().map(rows::registered_client).transpose().map_err(map_db_error)
    }

    async fn update_api_client(&self, client_id: &str, change: &ClientChange) -> Result<bool, StoreError> {
        let ClientChange { permissions, allowed_origins } = change;
        let origins = allowed_origins.as_ref().map(|origins| origins.iter().map(AllowedOrigin::as_str));
        let done = sqlx::query(
            "UPDATE api_clients SET self_service = COALESCE($2, self_service), sign_in = COALESCE($3, sign_in),
                 sign_up = COALESCE($4, sign_up), allowed_origins = COALESCE($5, allowed_origins)
             WHERE client_id = $1",
        )
        .bind(client_id)
        .bind(permissions.map(|permissions| permissions.self_service))
        .bind(permissions.map(|permissions| permissions.sign_in))
        .bind(permissions.map(|permissions| permissions.sign_up))
        .bind(origins.map(Iterator::collect::<Vec<_>>))
        .execute(&self.pool)
        .await
        .map_err(map_db_error)?;
        Ok(done.rows_affected() > 0)
    }

    async fn revoke_api_client(&self, client_id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE api_clients SET revoked_at = COALESCE(revoked_at, now()) WHERE client_id = $1",
        )
        .bind(client_id)
        .execute(&self.pool)
        .await
        .map_err(map_db_error)?;
        Ok(done.rows_affected() > 0)
    }
}
