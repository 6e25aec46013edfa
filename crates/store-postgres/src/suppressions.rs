use rekey_core::{
    deliveries::suppression::{Suppression, SuppressionFilter},
    email::EmailAddress,
    error::StoreError,
    events::audit::AuditEntry,
    resources::DELIVERIES,
    scope::{Mode, Scope},
};
use sqlx::{PgPool, Row, postgres::PgRow};

use crate::{
    error::fault,
    journal::push_journal,
    rows::{self, Read},
    statement::{fetch_optional, statement},
};

pub(crate) async fn list(pool: &PgPool, filter: SuppressionFilter) -> Result<Vec<Suppression>, StoreError> {
    let rows = sqlx::query(
        "SELECT o.slug, s.mode, s.email, s.reason, s.smtp_code, s.event_id, s.created_at
         FROM suppressions s JOIN organizations o ON o.id = s.organization_id
         WHERE ($1 IS NULL OR s.organization_id = $1) AND ($2 IS NULL OR s.mode = $2)
         ORDER BY o.slug, s.mode, s.email",
    )
    .bind(filter.organization.map(|id| id.to_string()))
    .bind(filter.mode.map(Mode::as_str))
    .fetch_all(pool)
    .await
    .map_err(fault)?;
    rows.iter().map(suppression).collect::<Result<_, _>>().map_err(fault)
}

pub(crate) async fn lift(
    pool: &PgPool,
    scope: Scope,
    email: &EmailAddress,
    audit: &AuditEntry,
) -> Result<bool, StoreError> {
    let mut statement = statement();
    statement
        .push("WITH fact AS (DELETE FROM suppressions WHERE organization_id = ")
        .bind_text(scope.organization.as_str())
        .push(" AND mode = ")
        .bind_text(scope.mode.as_str())
        .push(" AND email = ")
        .bind_text(email.as_str())
        .push(" RETURNING event_id AS id, organization_id, mode)");
    push_journal(&mut statement, &DELIVERIES, None, audit);
    statement.push(" SELECT id FROM fact");
    Ok(fetch_optional(pool, statement).await.map_err(fault)?.is_some())
}

fn suppression(row: &PgRow) -> Read<Suppression> {
    let code: Option<i64> = row.try_get("smtp_code")?;
    Ok(Suppression {
        organization: rows::parsed(row, "slug")?,
        mode: rows::known(row, "mode", Mode::parse)?,
        email: rows::parsed(row, "email")?,
        reason: row.try_get("reason")?,
        smtp_code: code.map(u16::try_from).transpose().map_err(|_| rows::corrupt("smtp_code"))?,
        delivery: rows::parsed(row, "event_id")?,
        created_at: row.try_get("created_at")?,
    })
}
