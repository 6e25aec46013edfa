use crate::{
    SqliteStore,
    error::{create_fault, fault},
    rows,
};
use rekey_core::{
    clients::{ApiClient, RegisteredClient, origin::AllowedOrigin},
    clock::from_unix_microseconds,
    error::{CreateError, StoreError},
    organizations::{NewOrganization, Organization},
};
use sqlx::types::Json;

/// Registrations, by whatever condition and order follow.
macro_rules! select_registrations {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.client_id, a.name, a.mode, a.kind, a.secret_digest, a.self_service, a.allowed_origins, ",
            "a.revoked_at, a.created_at, ",
            "o.id AS organization_id, o.slug AS organization_slug, o.name AS organization_name, ",
            "o.created_at AS organization_created_at ",
            "FROM api_clients a JOIN organizations o ON o.id = a.organization_id ",
            $rest
        )
    };
}

pub(crate) async fn create_organization(
    store: &SqliteStore,
    new: &NewOrganization,
) -> Result<Organization, CreateError> {
    let row = sqlx::query(
        "INSERT INTO organizations (id, slug, name, created_at) VALUES (?1, ?2, ?3, ?4)
         RETURNING id AS organization_id, slug AS organization_slug, name AS organization_name,
             created_at AS organization_created_at",
    )
    .bind(new.id.as_str())
    .bind(new.slug.as_str())
    .bind(&new.name)
    .bind(store.present())
    .fetch_one(&store.writer)
    .await
    .map_err(create_fault)?;
    Ok(rows::organization(&row).map_err(fault)?)
}

pub(crate) async fn organizations(store: &SqliteStore) -> Result<Vec<Organization>, StoreError> {
    let rows = sqlx::query(
        "SELECT id AS organization_id, slug AS organization_slug, name AS organization_name,
             created_at AS organization_created_at
         FROM organizations ORDER BY slug",
    )
    .fetch_all(&store.readers)
    .await
    .map_err(fault)?;
    rows.iter().map(rows::organization).collect::<Result<_, _>>().map_err(fault)
}

pub(crate) async fn create_api_client(
    store: &SqliteStore,
    client: &ApiClient,
) -> Result<ApiClient, CreateError> {
    let now = store.present();
    sqlx::query(
        "INSERT INTO api_clients (id, client_id, name, organization_id, mode, kind, secret_digest, self_service,
             allowed_origins, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )
    .bind(client.id.as_str())
    .bind(&client.client_id)
    .bind(&client.name)
    .bind(client.scope.organization.as_str())
    .bind(client.scope.mode.as_str())
    .bind(client.kind.as_str())
    .bind(client.secret.as_ref().map(|digest| digest.as_bytes().as_slice()))
    .bind(client.self_service)
    .bind(Json(client.allowed_origins.iter().map(AllowedOrigin::as_str).collect::<Vec<_>>()))
    .bind(now)
    .execute(&store.writer)
    .await
    .map_err(create_fault)?;
    let created_at = from_unix_microseconds(now).unwrap_or(client.created_at);
    Ok(ApiClient { revoked_at: None, created_at, ..client.clone() })
}

pub(crate) async fn api_clients(store: &SqliteStore) -> Result<Vec<RegisteredClient>, StoreError> {
    let rows = sqlx::query(select_registrations!("ORDER BY a.created_at, a.id"))
        .fetch_all(&store.readers)
        .await
        .map_err(fault)?;
    rows.iter().map(rows::registration).collect::<Result<_, _>>().map_err(fault)
}

pub(crate) async fn find_api_client(
    store: &SqliteStore,
    client_id: &str,
) -> Result<Option<RegisteredClient>, StoreError> {
    let row = sqlx::query(select_registrations!("WHERE a.client_id = ?1"))
        .bind(client_id)
        .fetch_optional(&store.readers)
        .await
        .map_err(fault)?;
    row.as_ref().map(rows::registration).transpose().map_err(fault)
}

pub(crate) async fn revoke_api_client(store: &SqliteStore, client_id: &str) -> Result<bool, StoreError> {
    let done =
        sqlx::query("UPDATE api_clients SET revoked_at = COALESCE(revoked_at, ?2) WHERE client_id = ?1")
            .bind(client_id)
            .bind(store.present())
            .execute(&store.writer)
            .await
            .map_err(fault)?;
    Ok(done.rows_affected() > 0)
}
