use rekey_core::{error::StoreError, ids::ResetId, resets::RejectableReset, store::ResetRejection};
use sqlx::SqliteConnection;

use crate::{
    SqliteStore,
    error::fault,
    journal::record,
    resets::{digest, pending, subject},
    rows::{self, Read, after},
};

pub(crate) async fn find_rejectable(
    store: &SqliteStore,
    reset: ResetId,
) -> Result<Option<RejectableReset>, StoreError> {
    let row = sqlx::query(
        "SELECT r.organization_id, r.mode, c.email, o.slug AS organization_slug, o.name AS organization_name,
             o.created_at AS organization_created_at,
             CASE
                 WHEN r.reset_password_at IS NOT NULL THEN 'used'
                 WHEN r.superseded_at IS NOT NULL OR r.expires_at <= ?1 THEN 'dead'
                 ELSE 'pending'
             END AS state
         FROM password_resets r JOIN customers c ON c.id = r.customer_id JOIN organizations o ON o.id = r.organization_id
         WHERE r.id = ?2",
    )
    .bind(store.present())
    .bind(reset.as_str())
    .fetch_optional(&store.readers)
    .await
    .map_err(fault)?;
    row.as_ref().map(|row| rows::rejectable(row, reset)).transpose().map_err(fault)
}

pub(crate) async fn reject_reset(
    store: &SqliteStore,
    disavowal: &ResetRejection<'_>,
) -> Result<bool, StoreError> {
    let ResetRejection { of, event, audit, .. } = disavowal;
    let (mut transaction, now) = store.write().await?;
    if !kill(&mut transaction, of, now).await.map_err(fault)? {
        return Ok(false);
    }
    hold_up(&mut transaction, disavowal, now).await.map_err(fault)?;
    record(&mut transaction, subject(of.scope, &of.reset), Some(event), audit, now).await?;
    transaction.commit().await.map_err(fault)?;
    Ok(true)
}

/// Makes the reset's token die; false when it is dead already.
async fn kill(connection: &mut SqliteConnection, of: &RejectableReset, now: i64) -> Read<bool> {
    let done = sqlx::query(concat!(
        "UPDATE password_resets AS r SET superseded_at = ?1, updated_at = ?1 ",
        "WHERE r.id = ?2 AND r.organization_id = ?3 AND r.mode = ?4 AND ",
        pending!()
    ))
    .bind(now)
    .bind(of.reset.as_str())
    .bind(of.scope.organization.as_str())
    .bind(of.scope.mode.as_str())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts the account's last turn so far into the future that the ordinary cooldown ends with this one.
async fn hold_up(connection: &mut SqliteConnection, disavowal: &ResetRejection<'_>, now: i64) -> Read<()> {
    let ResetRejection { of, cooldown, quota, .. } = disavowal;
    sqlx::query(
        "INSERT INTO self_service_turns AS t (account_digest, last_at, window_at, used) VALUES (?1, ?2, ?3, 0)
         ON CONFLICT (account_digest) DO UPDATE SET last_at = max(t.last_at, excluded.last_at)",
    )
    .bind(digest(of.scope, &of.email.account()))
    .bind(after(now, *cooldown - quota.cooldown))
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
