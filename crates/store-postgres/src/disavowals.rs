use rekey_core::{
    error::StoreError, ids::ResetId, resets::RejectableReset, resources::CUSTOMER_PASSWORD_RESETS,
    store::ResetRejection,
};
use rekey_sql::Bind;
use sqlx::PgPool;

use crate::{
    error::fault,
    journal::push_journal,
    resets::digest,
    rows,
    statement::{fetch_optional, statement},
};

pub(crate) async fn find_rejectable(
    pool: &PgPool,
    reset: ResetId,
) -> Result<Option<RejectableReset>, StoreError> {
    let row = sqlx::query(
        "SELECT r.organization_id, r.mode, c.email, o.slug AS organization_slug, o.name AS organization_name,
             o.created_at AS organization_created_at,
             CASE
                 WHEN r.reset_password_at IS NOT NULL THEN 'used'
                 WHEN r.superseded_at IS NOT NULL OR r.expires_at <= now() THEN 'dead'
                 ELSE 'pending'
             END AS state
         FROM password_resets r JOIN customers c ON c.id = r.customer_id JOIN organizations o ON o.id = r.organization_id
         WHERE r.id = $1",
    )
    .bind(reset.as_str())
    .fetch_optional(pool)
    .await
    .map_err(fault)?;
    row.as_ref().map(|row| rows::rejectable(row, reset)).transpose().map_err(fault)
}

/// The account's last turn is put so far into the future that the ordinary cooldown ends with this one.
pub(crate) async fn reject_reset(pool: &PgPool, disavowal: &ResetRejection<'_>) -> Result<bool, StoreError> {
    let ResetRejection { of, cooldown, quota, event, audit } = disavowal;
    let held_up = Bind::Float((*cooldown - quota.cooldown).as_seconds_f64());
    let mut statement = statement();
    statement
        .push(
            "WITH fact AS (UPDATE password_resets SET superseded_at = now(), updated_at = now()
             WHERE reset_password_at IS NULL AND superseded_at IS NULL AND expires_at > now() AND id = ",
        )
        .bind_text(of.reset.as_str())
        .push(" AND (organization_id, mode) IS NOT DISTINCT FROM (")
        .bind_text(of.scope.organization.as_str())
        .push(", ")
        .bind_text(of.scope.mode.as_str())
        .push(")")
        .push(
            " RETURNING id, organization_id, mode), turn AS (
                INSERT INTO self_service_turns AS t (account_digest, last_at, window_at, used)
                SELECT ",
        )
        .bind(Bind::Bytes(Some(digest(of.scope, &of.email.account()))))
        .push(", now() + make_interval(secs => ")
        .bind(held_up)
        .push(
            "), now(), 0 FROM fact
                ON CONFLICT (account_digest) DO UPDATE SET last_at = GREATEST(t.last_at, excluded.last_at))",
        );
    push_journal(&mut statement, &CUSTOMER_PASSWORD_RESETS, Some(event), audit);
    statement.push(" SELECT id FROM fact");
    Ok(fetch_optional(pool, statement).await.map_err(fault)?.is_some())
}
