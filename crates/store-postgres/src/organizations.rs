use async_trait::async_trait;
use rekey_core::{
    error::{CreateError, StoreError},
    events::audit::AuditEntry,
    ids::OrganizationId,
    name::DisplayName,
    organizations::{NewOrganization, Organization, OrganizationStore},
    scope::{Mode, Scope},
};
use rekey_sql::rows;

use crate::{
    PostgresStore,
    error::{map_create_error, map_db_error},
    events::{auditing, record_audit},
};

#[async_trait]
impl OrganizationStore for PostgresStore {
    async fn create_organization(
        &self,
        new: &NewOrganization,
        audit: &AuditEntry,
    ) -> Result<Organization, CreateError> {
        let scope = Scope { organization: new.id, mode: Mode::Live };
        let row = auditing(CREATE, Some(scope), audit)
            .bind(new.slug.as_str())
            .bind(&new.name)
            .fetch_one(&self.pool)
            .await
            .map_err(map_create_error)?;
        Ok(rows::organization(&row).map_err(map_db_error)?)
    }

    async fn rename_organization(
        &self,
        id: OrganizationId,
        name: &DisplayName,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let scope = Scope { organization: id, mode: Mode::Live };
        let query = auditing(RENAME, Some(scope), audit).bind(name.as_str());
        Ok(query.fetch_optional(&self.pool).await.map_err(map_db_error)?.is_some())
    }

    async fn organizations(&self) -> Result<Vec<Organization>, StoreError> {
        let rows = sqlx::query(
            "SELECT id AS organization_id, slug AS organization_slug, name AS organization_name,
                 created_at AS organization_created_at
             FROM organizations ORDER BY slug",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(map_db_error)?;
        rows.iter().map(rows::organization).collect::<Result<_, _>>().map_err(map_db_error)
    }
}

const RENAME: &str = concat!(
    "WITH fact AS (
        UPDATE organizations SET name = $11 WHERE id = $1 RETURNING id
    )",
    record_audit!("audit", "organizations", "NULL", "FROM fact"),
    "SELECT id FROM fact"
);

const CREATE: &str = concat!(
    "WITH fact AS (
        INSERT INTO organizations (id, slug, name) VALUES ($1, $11, $12) RETURNING *
    )",
    record_audit!("audit", "organizations", "NULL", "FROM fact"),
    "SELECT id AS organization_id, slug AS organization_slug, name AS organization_name, created_at AS organization_created_at FROM fact"
);
