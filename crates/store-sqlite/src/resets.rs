use async_trait::async_trait;
use rekey_core::{
    attributes::CommonAttributes,
    clock::from_unix_microseconds,
    error::{CreateError, StoreError},
    events::{audit::AuditEntry, outbox::NewEvent},
    ids::{CustomerId, ResetId},
    resets::{
        CreatedReset, EXTRA_MAIL_INTERVAL, NewReset, ResetOrigin, ResetQuota,
        store::{ResetRecord, ResetStore},
    },
    resources::{CUSTOMER_PASSWORD_RESETS, catalog::Catalog},
    scope::Scope,
};
use rekey_sql::rows::{self, Read};
use sqlx::{SqliteConnection, types::Json};

use crate::{
    SqliteStore, after,
    attributes::bind_common,
    catalog::find_in,
    error::{map_create_error, map_db_error},
    events::{Subject, record_change, set_quota},
};

/// A reset `r` whose token can still be used, as of ?1.
macro_rules! pending {
    () => {
        "r.reset_password_at IS NULL AND r.superseded_at IS NULL AND r.expires_at > ?1"
    };
}

pub(crate) use pending;

#[async_trait]
impl ResetStore for SqliteStore {
    async fn create_reset(
        &self,
        scope: Scope,
        record: &ResetRecord<'_>,
    ) -> Result<Option<CreatedReset>, CreateError> {
        let ResetRecord { reset, event, audit } = *record;
        let is_self_service = reset.origin == ResetOrigin::SelfService;
        let (mut transaction, now) = self.write().await?;
        let (mut superseded_at, mut quota_digest) = (None, reset.account_digest.as_bytes().as_slice());
        if is_self_service {
            if !start_cooldown(&mut transaction, reset, now).await.map_err(map_db_error)? {
                return Ok(None);
            }
            quota_digest = find_quota_digest(&mut transaction, scope, reset).await.map_err(map_db_error)?;
            let is_mailed =
                is_mailed(&mut transaction, reset, quota_digest, now).await.map_err(map_db_error)?;
            superseded_at = (!is_mailed).then_some(now);
            supersede_address(&mut transaction, reset, now, is_mailed).await.map_err(map_db_error)?;
        }
        if !insert(&mut transaction, scope, reset, now, superseded_at).await.map_err(map_create_error)? {
            return Ok(None);
        }
        record_change(&mut transaction, subject(scope, &reset.id), Some(event), audit, now).await?;
        if is_self_service {
            let ResetQuota { budget, window, .. } = reset.quota;
            let quota = set_quota(&mut transaction, event.message.id, quota_digest, budget, window);
            quota.await.map_err(map_db_error)?;
        }
        let record = if is_self_service {
            None
        } else {
            find_in(&mut *transaction, now, scope, &CUSTOMER_PASSWORD_RESETS, reset.id.into())
                .await
                .map_err(map_db_error)?
        };
        transaction.commit().await.map_err(map_db_error)?;
        let created_at =
            from_unix_microseconds(now).ok_or_else(|| rows::corrupt("created_at")).map_err(map_db_error)?;
        Ok(Some(CreatedReset { record, created_at }))
    }

    async fn update_reset(
        &self,
        scope: Scope,
        id: ResetId,
        changes: &CommonAttributes,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        if *changes == CommonAttributes::default() {
            return Ok(self.find(scope, &CUSTOMER_PASSWORD_RESETS, id.into()).await?.is_some());
        }
        let (mut transaction, now) = self.write().await?;
        let query = sqlx::query(UPDATE)
            .bind(now)
            .bind(id.as_str())
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str());
        let done = bind_common(query, changes).execute(&mut *transaction).await.map_err(map_db_error)?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        record_change(&mut transaction, subject(scope, &id), None, audit, now).await?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(true)
    }

    async fn delete_reset(
        &self,
        scope: Scope,
        id: ResetId,
        event: &NewEvent,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let exists: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM password_resets
                 WHERE id = ?1 AND organization_id = ?2 AND mode = ?3 AND customer_id IS NOT NULL)",
        )
        .bind(id.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .fetch_one(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        if !exists {
            return Ok(false);
        }
        record_change(&mut transaction, subject(scope, &id), Some(event), audit, now).await?;
        sqlx::query("DELETE FROM password_resets WHERE id = ?1")
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(true)
    }
}

pub(crate) fn subject(scope: Scope, id: &ResetId) -> Subject<'_> {
    Subject { scope, resource: &CUSTOMER_PASSWORD_RESETS, resource_id: id.as_str() }
}

/// Starts the address's next cooldown; false while the last one lasts.
async fn start_cooldown(connection: &mut SqliteConnection, reset: &NewReset, now: i64) -> Read<bool> {
    let done = sqlx::query(
        "INSERT INTO reset_cooldowns AS c (address_digest, last_reset_at) VALUES (?1, ?2)
         ON CONFLICT (address_digest) DO UPDATE SET last_reset_at = ?2 WHERE c.last_reset_at <= ?3",
    )
    .bind(address_digest(reset))
    .bind(now)
    .bind(after(now, -reset.quota.cooldown))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Returns the digest by which the address's mails are counted: its own, or its account's if it is an unconfirmed subaddress.
async fn find_quota_digest<'r>(
    connection: &mut SqliteConnection,
    scope: Scope,
    reset: &'r NewReset,
) -> Read<&'r [u8]> {
    let is_confirmed: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM customers
             WHERE organization_id = ?1 AND mode = ?2 AND email = ?3 AND email_confirmed_at IS NOT NULL)",
    )
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(reset.customer_email.as_str())
    .fetch_one(connection)
    .await?;
    let own = address_digest(reset).filter(|_| is_confirmed || !reset.customer_email.is_subaddress());
    Ok(own.unwrap_or(reset.account_digest.as_bytes()))
}

/// Whether the quota allows another mail.
async fn is_mailed(
    connection: &mut SqliteConnection,
    reset: &NewReset,
    quota_digest: &[u8],
    now: i64,
) -> Read<bool> {
    sqlx::query_scalar(
        "SELECT NOT EXISTS (
             SELECT 1 FROM mail_quotas
             WHERE account_digest = ?1 AND mail = 'reset_requested' AND window_started_at > ?2 AND mail_count >= ?3
                 AND last_mail_at > ?4)",
    )
    .bind(quota_digest)
    .bind(after(now, -reset.quota.window))
    .bind(reset.quota.budget)
    .bind(after(now, -EXTRA_MAIL_INTERVAL))
    .fetch_one(connection)
    .await
}

/// The digest under the current key.
fn address_digest(reset: &NewReset) -> Option<&[u8]> {
    reset.address_digests.first().map(|digest| digest.as_bytes().as_slice())
}

/// Ends the older self-service tokens for the same address, whether a customer has it or not. If the reset is not mailed, it is the same
/// work and changes nothing.
async fn supersede_address(
    connection: &mut SqliteConnection,
    reset: &NewReset,
    now: i64,
    is_mailed: bool,
) -> Read<()> {
    let digests: Vec<_> = reset.address_digests.iter().map(|digest| hex::encode(digest.as_bytes())).collect();
    sqlx::query(
        "UPDATE password_resets SET superseded_at = CASE WHEN ?3 THEN ?1 END,
             updated_at = CASE WHEN ?3 THEN ?1 ELSE updated_at END
         WHERE address_digest IN (SELECT unhex(value) FROM json_each(?2)) AND reset_password_at IS NULL
             AND superseded_at IS NULL",
    )
    .bind(now)
    .bind(Json(digests))
    .bind(is_mailed)
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends a customer's pending tokens.
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

/// Writes the reset; false when it is an integration client's for an unknown address.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    scope: Scope,
    reset: &NewReset,
    now: i64,
    superseded_at: Option<i64>,
) -> Read<bool> {
    let (email, code, attributes) = (&reset.customer_email, reset.code.as_ref(), &reset.attributes);
    let is_self_service = reset.origin == ResetOrigin::SelfService;
    let done = sqlx::query(INSERT)
        .bind(reset.id.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(email.as_str())
        .bind(reset.origin.as_str())
        .bind(address_digest(reset).filter(|_| is_self_service))
        .bind(reset.account_digest.as_bytes().as_slice())
        .bind(reset.token_digest.as_bytes().as_slice())
        .bind(reset.sealed_token.as_bytes())
        .bind(now)
        .bind(after(now, reset.token_ttl))
        .bind(code.map(|code| code.rules.budget))
        .bind(code.map(|code| code.rules.window.as_seconds_f64()))
        .bind(code.map(|code| after(now, -code.rules.window)))
        .bind(code.map(|code| code.digest.as_bytes().as_slice()))
        .bind(attributes.reference.value())
        .bind(attributes.reference_origin.value())
        .bind(attributes.metadata.as_ref().map(Json))
        .bind(superseded_at)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The code is kept only if the account has guesses left.
const INSERT: &str = "
    INSERT INTO password_resets (customer_id, id, organization_id, mode, origin, address_digest, account_digest, token_digest,
        sealed_token, created_at, updated_at, expires_at, code_guess_budget, code_window_seconds, code_digest, reference,
        reference_origin, metadata, superseded_at)
    SELECT c.id, ?1, ?2, ?3, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?12, ?13,
        CASE WHEN NOT EXISTS (
            SELECT 1 FROM guess_counters WHERE kind = 'code' AND account_digest = ?7 AND network_digest = x'' AND guess_count >= ?12 AND window_started_at > ?14
        ) THEN ?15 END,
        ?16, ?17, COALESCE(?18, '{}'), ?19
    FROM (SELECT 1) LEFT JOIN customers c ON c.organization_id = ?2 AND c.mode = ?3 AND c.email = ?4
    WHERE ?5 = 'self_service' OR c.id IS NOT NULL";

const UPDATE: &str = "
    UPDATE password_resets SET updated_at = ?1,
        reference = CASE WHEN ?5 THEN reference ELSE ?6 END,
        reference_origin = CASE WHEN ?7 THEN reference_origin ELSE ?8 END,
        metadata = COALESCE(?9, metadata)
    WHERE id = ?2 AND organization_id = ?3 AND mode = ?4 AND customer_id IS NOT NULL";
