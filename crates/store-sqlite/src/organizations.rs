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
    SqliteStore,
    error::{map_create_error, map_db_error},
    events::{Entry, LOG, write_entries},
};

#[async_trait]
impl OrganizationStore for SqliteStore {
    async fn create_organization(
        &self,
        new: &NewOrganization,
        audit: &AuditEntry,
    ) -> Result<Organization, CreateError> {
        let (mut transaction, now) = self.write().await?;
        let row = sqlx::query(
            "INSERT INTO organizations (id, slug, name, created_at) VALUES (?1, ?2, ?3, ?4)
             RETURNING id AS organization_id, slug AS organization_slug, name AS organization_name,
                 created_at AS organization_created_at",
        )
        .bind(new.id.as_str())
        .bind(new.slug.as_str())
        .bind(&new.name)
        .bind(now)
        .fetch_one(&mut *transaction)
        .await
        .map_err(map_create_error)?;
        let scope = Scope { organization: new.id, mode: Mode::Live };
        let entry = Entry::new(audit, scope, "organizations", new.id.as_str(), now);
        write_entries(&mut transaction, LOG, &[entry]).await.map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(rows::organization(&row).map_err(map_db_error)?)
    }

    async fn rename_organization(
        &self,
        id: OrganizationId,
        name: &DisplayName,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let done = sqlx::query("UPDATE organizations SET name = ?2 WHERE id = ?1")
            .bind(id.as_str())
            .bind(name.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(map_db_error)?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let scope = Scope { organization: id, mode: Mode::Live };
        let entry = Entry::new(audit, scope, "organizations", id.as_str(), now);
        write_entries(&mut transaction, LOG, &[entry]).await.map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(true)
    }

    async fn organizations(&self) -> Result<Vec<Organization>, StoreError> {
        let rows = sqlx::query(
            "SELECT id AS organization_id, slug AS organization_slug, name AS organization_name,
                 created_at AS organization_created_at
             FROM organizations ORDER BY slug",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(map_db_error)?;
        rows.iter().map(rows::organization).collect::<Result<_, _>>().map_err(map_db_error)
    }
}
