use rekey_core::{
    error::StoreError,
    ids::{CustomerId, ResetId},
    resets::TokenHolder,
    resources::{CUSTOMER_PASSWORD_RESETS, record::Record},
    secrets::TokenDigest,
    store::Completion,
};
use sqlx::SqliteConnection;

use crate::{
    SqliteStore,
    catalog::find_in,
    customers::set_password,
    error::fault,
    journal::record,
    resets::{pending, subject, write_changes},
    rows::{self, Read},
};

pub(crate) async fn find_token_holder(
    store: &SqliteStore,
    reset: ResetId,
    token: &TokenDigest,
) -> Result<Option<TokenHolder>, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT r.organization_id, r.mode, r.customer_id, c.email, o.slug AS organization_slug, ",
        "o.name AS organization_name, o.created_at AS organization_created_at FROM password_resets r ",
        "JOIN organizations o ON o.id = r.organization_id ",
        "JOIN customers c ON c.id = r.customer_id AND c.organization_id = r.organization_id AND c.mode = r.mode ",
        "WHERE r.id = ?2 AND r.token_digest = ?3 AND ",
        pending!()
    ))
    .bind(store.present())
    .bind(reset.as_str())
    .bind(token.as_bytes().as_slice())
    .fetch_optional(&store.readers)
    .await
    .map_err(fault)?;
    row.as_ref().map(|row| rows::token_holder(row, reset)).transpose().map_err(fault)
}

pub(crate) async fn complete_reset(
    store: &SqliteStore,
    completion: &Completion<'_>,
) -> Result<Option<Record>, StoreError> {
    let Completion { holder, password, changes, event, audit, .. } = completion;
    let (mut transaction, now) = store.write().await?;
    if !consume(&mut transaction, completion, now).await.map_err(fault)? {
        return Ok(None);
    }
    set_password(&mut transaction, holder.customer, password, now).await?;
    supersede_customer(&mut transaction, holder.customer, now).await.map_err(fault)?;
    write_changes(&mut transaction, holder.reset, changes, now).await.map_err(fault)?;
    record(&mut transaction, subject(holder.scope, &holder.reset), Some(event), audit, now).await?;
    let reset = find_in(&mut *transaction, now, holder.scope, &CUSTOMER_PASSWORD_RESETS, holder.reset.into())
        .await
        .map_err(fault)?;
    transaction.commit().await.map_err(fault)?;
    Ok(reset)
}

/// Marks the reset as used; false when its token can't be.
async fn consume(connection: &mut SqliteConnection, completion: &Completion<'_>, now: i64) -> Read<bool> {
    let Completion { holder, token, .. } = completion;
    let done = sqlx::query(concat!(
        "UPDATE password_resets AS r SET reset_password_at = ?1 ",
        "WHERE r.id = ?2 AND r.token_digest = ?3 AND r.organization_id = ?4 AND r.mode = ?5 AND r.customer_id = ?6 ",
        "AND EXISTS (SELECT 1 FROM customers c WHERE c.id = ?6) AND ",
        pending!()
    ))
    .bind(now)
    .bind(holder.reset.as_str())
    .bind(token.as_bytes().as_slice())
    .bind(holder.scope.organization.as_str())
    .bind(holder.scope.mode.as_str())
    .bind(holder.customer.as_str())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Makes a customer's pending tokens die.
pub(crate) async fn supersede_customer(
    connection: &mut SqliteConnection,
    customer: CustomerId,
    now: i64,
) -> Read<()> {
    sqlx::query(
        "UPDATE password_resets SET superseded_at = ?1, updated_at = ?1
         WHERE customer_id = ?2 AND reset_password_at IS NULL AND superseded_at IS NULL",
    )
    .bind(now)
    .bind(customer.as_str())
    .execute(connection)
    .await?;
    Ok(())
}
