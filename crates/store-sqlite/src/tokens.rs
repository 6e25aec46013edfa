use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    ids::{CustomerId, ResetId},
    resets::{
        RejectableReset, TokenHolder,
        store::{Completion, ResetRejection, TokenStore},
    },
    secrets::TokenDigest,
};
use rekey_sql::rows::{self, Read};
use sqlx::SqliteConnection;

use crate::{
    SqliteStore, after,
    attributes::bind_common,
    customers::set_password,
    error::map_db_error,
    events::{record_change, set_notice_quota},
    guesses,
    resets::{pending, subject, supersede_customer},
};

#[async_trait]
impl TokenStore for SqliteStore {
    async fn find_token_holder(
        &self,
        reset: ResetId,
        token: &TokenDigest,
    ) -> Result<Option<TokenHolder>, StoreError> {
        let row = sqlx::query(FIND_HOLDER)
            .bind(self.present())
            .bind(reset.as_str())
            .bind(token.as_bytes().as_slice())
            .fetch_optional(&self.readers)
            .await
            .map_err(map_db_error)?;
        row.as_ref().map(|row| rows::token_holder(row, reset)).transpose().map_err(map_db_error)
    }

    async fn complete_reset(&self, completion: &Completion<'_>) -> Result<bool, StoreError> {
        let Completion { holder, password, event, audit, .. } = completion;
        let (mut transaction, now) = self.write().await?;
        if !consume(&mut transaction, completion, now).await.map_err(map_db_error)? {
            return Ok(false);
        }
        set_password(&mut transaction, holder.scope, holder.customer, password, now).await?;
        supersede_customer(&mut transaction, holder.customer, now).await.map_err(map_db_error)?;
        guesses::unlock(&mut transaction, completion.address_digest).await.map_err(map_db_error)?;
        confirm_address(&mut transaction, holder.customer, now).await.map_err(map_db_error)?;
        record_change(&mut transaction, subject(holder.scope, &holder.reset), Some(event), audit, now)
            .await?;
        let address = completion.address_digest.as_bytes();
        set_notice_quota(&mut transaction, event.message.id, address, true).await.map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(true)
    }

    async fn find_rejectable(&self, reset: ResetId) -> Result<Option<RejectableReset>, StoreError> {
        let row = sqlx::query(FIND_REJECTABLE)
            .bind(self.present())
            .bind(reset.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(map_db_error)?;
        row.as_ref().map(|row| rows::rejectable(row, reset)).transpose().map_err(map_db_error)
    }

    async fn reject_reset(&self, rejection: &ResetRejection<'_>) -> Result<bool, StoreError> {
        let ResetRejection { reset, event, audit, .. } = rejection;
        let (mut transaction, now) = self.write().await?;
        if !supersede(&mut transaction, reset, now).await.map_err(map_db_error)? {
            return Ok(false);
        }
        delay_next(&mut transaction, rejection, now).await.map_err(map_db_error)?;
        record_change(&mut transaction, subject(reset.scope, &reset.reset), Some(event), audit, now).await?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(true)
    }
}

const FIND_HOLDER: &str = concat!(
    "SELECT r.organization_id, r.mode, r.customer_id, c.email, o.slug AS organization_slug, o.name AS organization_name,
         o.created_at AS organization_created_at
     FROM password_resets r JOIN organizations o ON o.id = r.organization_id
     JOIN customers c ON c.id = r.customer_id AND c.organization_id = r.organization_id AND c.mode = r.mode
     WHERE r.id = ?2 AND r.token_digest = ?3 AND ",
    pending!()
);

const FIND_REJECTABLE: &str = "
    SELECT r.organization_id, r.mode, c.email, o.slug AS organization_slug, o.name AS organization_name,
        o.created_at AS organization_created_at,
        CASE
            WHEN r.reset_password_at IS NOT NULL THEN 'used'
            WHEN r.superseded_at IS NOT NULL OR r.expires_at <= ?1 THEN 'dead'
            ELSE 'pending'
        END AS state
    FROM password_resets r JOIN customers c ON c.id = r.customer_id JOIN organizations o ON o.id = r.organization_id
    WHERE r.id = ?2";

/// Records that the address's owner has used a link that was mailed to it.
async fn confirm_address(connection: &mut SqliteConnection, customer: CustomerId, now: i64) -> Read<()> {
    sqlx::query("UPDATE customers SET email_confirmed_at = COALESCE(email_confirmed_at, ?2) WHERE id = ?1")
        .bind(customer.as_str())
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Marks the reset as used; false when its token can't be.
async fn consume(connection: &mut SqliteConnection, completion: &Completion<'_>, now: i64) -> Read<bool> {
    let Completion { holder, token, changes, .. } = completion;
    let query = sqlx::query(concat!(
        "UPDATE password_resets AS r SET reset_password_at = ?1, updated_at = ?1,
             reference = CASE WHEN ?7 THEN reference ELSE ?8 END,
             reference_origin = CASE WHEN ?9 THEN reference_origin ELSE ?10 END,
             metadata = COALESCE(?11, metadata)
         WHERE r.id = ?2 AND r.token_digest = ?3 AND r.organization_id = ?4 AND r.mode = ?5 AND r.customer_id = ?6
             AND EXISTS (SELECT 1 FROM customers c WHERE c.id = ?6) AND ",
        pending!()
    ))
    .bind(now)
    .bind(holder.reset.as_str())
    .bind(token.as_bytes().as_slice())
    .bind(holder.scope.organization.as_str())
    .bind(holder.scope.mode.as_str())
    .bind(holder.customer.as_str());
    Ok(bind_common(query, changes).execute(connection).await?.rows_affected() == 1)
}

/// Ends the reset's token; false when it can't be used any more.
async fn supersede(connection: &mut SqliteConnection, reset: &RejectableReset, now: i64) -> Read<bool> {
    let done = sqlx::query(concat!(
        "UPDATE password_resets AS r SET superseded_at = ?1, updated_at = ?1
         WHERE r.id = ?2 AND r.organization_id = ?3 AND r.mode = ?4 AND ",
        pending!()
    ))
    .bind(now)
    .bind(reset.reset.as_str())
    .bind(reset.scope.organization.as_str())
    .bind(reset.scope.mode.as_str())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Moves the address's last reset so far into the future that the ordinary cooldown ends with this one.
async fn delay_next(connection: &mut SqliteConnection, rejection: &ResetRejection<'_>, now: i64) -> Read<()> {
    let ResetRejection { address_digest, delay, .. } = rejection;
    sqlx::query(
        "INSERT INTO reset_cooldowns AS c (address_digest, last_reset_at) VALUES (?1, ?2)
         ON CONFLICT (address_digest) DO UPDATE SET last_reset_at = max(c.last_reset_at, excluded.last_reset_at)",
    )
    .bind(address_digest.as_bytes().as_slice())
    .bind(after(now, *delay))
    .execute(connection)
    .await?;
    Ok(())
}
