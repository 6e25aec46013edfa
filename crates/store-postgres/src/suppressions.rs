use async_trait::async_trait;
use rekey_core::{
    deliveries::suppression::{Suppression, SuppressionFilter, SuppressionStore},
    email::EmailAddress,
    error::StoreError,
    events::audit::AuditEntry,
    scope::{Mode, Scope},
};

use rekey_sql::rows;

use crate::{
    PostgresStore,
    error::map_db_error,
    events::{auditing, record_audit},
};

#[async_trait]
impl SuppressionStore for PostgresStore {
    async fn suppressions(&self, filter: SuppressionFilter) -> Result<Vec<Suppression>, StoreError> {
        let rows = sqlx::query(
            "SELECT o.slug, s.mode, s.email, s.reason, s.smtp_code, s.event_id, s.created_at
             FROM suppressions s JOIN organizations o ON o.id = s.organization_id
             WHERE ($1 IS NULL OR s.organization_id = $1) AND ($2 IS NULL OR s.mode = $2)
             ORDER BY o.slug, s.mode, s.email",
        )
        .bind(filter.organization.map(|id| id.to_string()))
        .bind(filter.mode.map(Mode::as_str))
        .fetch_all(&self.pool)
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
        let query = auditing(LIFT, Some(scope), audit).bind(email.as_str());
        Ok(query.fetch_optional(&self.pool).await.map_err(map_db_error)?.is_some())
    }
}

/// The audit entry is about the delivery that bounced.
const LIFT: &str = concat!(
    "WITH fact AS (
        DELETE FROM suppressions s WHERE organization_id = $1 AND mode = $2 AND email = $11
        RETURNING event_id AS id, (SELECT customer_id FROM deliveries d WHERE d.event_id = s.event_id) AS customer_id
    )",
    record_audit!("audit", "deliveries", "customer_id", "FROM fact"),
    "SELECT id FROM fact"
);
