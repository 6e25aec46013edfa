use async_trait::async_trait;
use rekey_core::{
    clients::{ClientChange, ClientStore, RegisteredClient, origin::AllowedOrigin},
    error::{CreateError, StoreError},
    events::audit::AuditEntry,
    ids::ApplicationId,
    name::DisplayName,
    scope::Scope,
};
use rekey_sql::rows;
use sqlx::Row;

use crate::{
    PostgresStore,
    error::{map_create_error, map_db_error},
    events::{auditing, record_audit},
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
    async fn create_api_client(
        &self,
        client: &RegisteredClient,
        audit: &AuditEntry,
    ) -> Result<RegisteredClient, CreateError> {
        let created = auditing(CREATE, Some(client.scope), audit)
            .bind(client.id.as_str())
            .bind(&client.client_id)
            .bind(&client.name)
            .bind(client.kind.as_str())
            .bind(client.secret.as_ref().map(|digest| digest.as_bytes().as_slice()))
            .bind(client.permissions.self_service)
            .bind(client.permissions.sign_in)
            .bind(client.permissions.sign_up)
            .bind(client.allowed_origins.iter().map(AllowedOrigin::as_str).collect::<Vec<_>>())
            .fetch_one(&self.pool)
            .await
            .map_err(map_create_error)?;
        let created_at = created.try_get("created_at").map_err(map_db_error)?;
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

    async fn update_api_client(
        &self,
        scope: Scope,
        id: ApplicationId,
        change: &ClientChange,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let ClientChange { permissions, allowed_origins, name, secret } = change;
        let origins = allowed_origins.as_ref().map(|origins| origins.iter().map(AllowedOrigin::as_str));
        let query = auditing(UPDATE, Some(scope), audit)
            .bind(id.as_str())
            .bind(permissions.map(|permissions| permissions.self_service))
            .bind(permissions.map(|permissions| permissions.sign_in))
            .bind(permissions.map(|permissions| permissions.sign_up))
            .bind(origins.map(Iterator::collect::<Vec<_>>))
            .bind(name.as_ref().map(DisplayName::as_str))
            .bind(secret.as_ref().map(|digest| digest.as_bytes().as_slice()));
        Ok(query.fetch_optional(&self.pool).await.map_err(map_db_error)?.is_some())
    }

    async fn revoke_api_client(
        &self,
        scope: Scope,
        id: ApplicationId,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let query = auditing(REVOKE, Some(scope), audit).bind(id.as_str());
        Ok(query.fetch_optional(&self.pool).await.map_err(map_db_error)?.is_some())
    }
}

const CREATE: &str = concat!(
    "WITH fact AS (
        INSERT INTO api_clients (id, client_id, name, organization_id, mode, kind, secret_digest, self_service, sign_in, sign_up,
            allowed_origins)
        VALUES ($11, $12, $13, $1, $2, $14, $15, $16, $17, $18, $19)
        RETURNING id, created_at
    )",
    record_audit!("audit", "api_clients", "NULL", "FROM fact"),
    "SELECT created_at FROM fact"
);

const UPDATE: &str = concat!(
    "WITH fact AS (
        UPDATE api_clients SET self_service = COALESCE($12, self_service), sign_in = COALESCE($13, sign_in),
            sign_up = COALESCE($14, sign_up), allowed_origins = COALESCE($15, allowed_origins), name = COALESCE($16, name),
            secret_digest = COALESCE($17, secret_digest)
        WHERE id = $11 AND organization_id = $1 AND mode = $2
        RETURNING id
    )",
    record_audit!("audit", "api_clients", "NULL", "FROM fact"),
    "SELECT id FROM fact"
);

const REVOKE: &str = concat!(
    "WITH fact AS (
        UPDATE api_clients SET revoked_at = now() WHERE id = $11 AND organization_id = $1 AND mode = $2 AND revoked_at IS NULL
        RETURNING id
    )",
    record_audit!("audit", "api_clients", "NULL", "FROM fact"),
    "SELECT id FROM fact"
);
