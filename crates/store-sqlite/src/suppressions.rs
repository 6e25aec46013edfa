use async_trait::async_trait;
use rekey_core::{
    deliveries::suppression::{Suppression, SuppressionFilter, SuppressionStore},
    email::EmailAddress,
    error::StoreError,
    events::audit::AuditEntry,
    resources::DELIVERIES,
    scope::{Mode, Scope},
};

use rekey_sql::rows;

use crate::{
    SqliteStore,
    error::map_db_error,
    events::{Subject, record_change},
};

#[async_trait]
impl SuppressionStore for SqliteStore {
    async fn suppressions(&self, filter: SuppressionFilter) -> Result<Vec<Suppression>, StoreError> {
        let rows = sqlx::query(
            "SELECT o.slug, s.mode, s.email, s.reason, s.smtp_code, s.event_id, s.created_at
             FROM suppressions s JOIN organizations o ON o.id = s.organization_id
             WHERE (?1 IS NULL OR s.organization_id = ?1) AND (?2 IS NULL OR s.mode = ?2)
             ORDER BY o.slug, s.mode, s.email",
        )
        .bind(filter.organization.map(|id| id.to_string()))
        .bind(filter.mode.map(Mode::as_str))
        .fetch_all(&self.readers)
        .await
        .map_err(map_db_error)?;
        rows.iter().map(rows::suppression).collect::<Result<_, _>>().map_err(map_db_error)
    }

    async fn lift_suppression(
        &self,
        scope: Scope,
        email: &EmailAddress,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let lifted: Option<String> = sqlx::query_scalar(
            "DELETE FROM suppressions WHERE organization_id = ?1 AND mode = ?2 AND email = ?3 RETURNING event_id",
        )
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(email.as_str())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        let Some(delivery) = lifted else { return Ok(false) };
        let subject = Subject { scope, resource: &DELIVERIES, resource_id: &delivery };
        record_change(&mut transaction, subject, None, audit, now).await?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(true)
    }
}
