use rekey_core::{
    deliveries::suppression::{Suppression, SuppressionFilter},
    email::EmailAddress,
    error::StoreError,
    events::audit::AuditEntry,
    resources::DELIVERIES,
    scope::{Mode, Scope},
};
use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    SqliteStore,
    error::fault,
    journal::{Subject, record},
    rows::{self, Read},
};

pub(crate) async fn list(
    store: &SqliteStore,
    filter: SuppressionFilter,
) -> Result<Vec<Suppression>, StoreError> {
    let rows = sqlx::query(
        "SELECT o.slug, s.mode, s.email, s.reason, s.smtp_code, s.event_id, s.created_at
         FROM suppressions s JOIN organizations o ON o.id = s.organization_id
         WHERE (?1 IS NULL OR s.organization_id = ?1) AND (?2 IS NULL OR s.mode = ?2)
         ORDER BY o.slug, s.mode, s.email",
    )
    .bind(filter.organization.map(|id| id.to_string()))
    .bind(filter.mode.map(Mode::as_str))
    .fetch_all(&store.readers)
    .await
    .map_err(fault)?;
    rows.iter().map(suppression).collect::<Result<_, _>>().map_err(fault)
}

pub(crate) async fn lift(
    store: &SqliteStore,
    scope: Scope,
    email: &EmailAddress,
    audit: &AuditEntry,
) -> Result<bool, StoreError> {
    let (mut transaction, now) = store.write().await?;
    let lifted: Option<String> = sqlx::query_scalar(
        "DELETE FROM suppressions WHERE organization_id = ?1 AND mode = ?2 AND email = ?3 RETURNING event_id",
    )
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(email.as_str())
    .fetch_optional(&mut *transaction)
    .await
    .map_err(fault)?;
    let Some(delivery) = lifted else { return Ok(false) };
    let subject = Subject { scope, resource: &DELIVERIES, resource_id: &delivery };
    record(&mut transaction, subject, None, audit, now).await?;
    transaction.commit().await.map_err(fault)?;
    Ok(true)
}

fn suppression(row: &SqliteRow) -> Read<Suppression> {
    let code: Option<i64> = row.try_get("smtp_code")?;
    Ok(Suppression {
        organization: rows::parsed(row, "slug")?,
        mode: rows::known(row, "mode", Mode::parse)?,
        email: rows::parsed(row, "email")?,
        reason: row.try_get("reason")?,
        smtp_code: code.map(u16::try_from).transpose().map_err(|_| rows::corrupt("smtp_code"))?,
        delivery: rows::parsed(row, "event_id")?,
        created_at: rows::time(row, "created_at")?,
    })
}
