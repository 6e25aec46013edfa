use async_trait::async_trait;
use rekey_core::{
    deliveries::{NOTICE_BUDGET, NOTICE_WINDOW},
    error::StoreError,
    ids::ResetId,
    resets::{
        RejectableReset, TokenHolder,
        store::{Completion, ResetRejection, TokenStore},
    },
    secrets::TokenDigest,
};

use rekey_sql::rows;

use crate::{
    PostgresStore,
    attributes::bind_common,
    customers::own_scheme,
    error::map_db_error,
    events::{record_change, recording},
};

#[async_trait]
impl TokenStore for PostgresStore {
    async fn find_token_holder(
        &self,
        reset: ResetId,
        token: &TokenDigest,
    ) -> Result<Option<TokenHolder>, StoreError> {
        let row = sqlx::query(FIND_HOLDER)
            .bind(reset.as_str())
            .bind(token.as_bytes().as_slice())
            .fetch_optional(&self.pool)
            .await
            .map_err(map_db_error)?;
        row.as_ref().map(|row| rows::token_holder(row, reset)).transpose().map_err(map_db_error)
    }

    async fn complete_reset(&self, completion: &Completion<'_>) -> Result<bool, StoreError> {
        let Completion { holder, address_digest, token, password, changes, event, audit } = completion;
        let query = recording(COMPLETE, holder.scope, Some(event), audit)
            .bind(holder.customer.as_str())
            .bind(holder.reset.as_str())
            .bind(token.as_bytes().as_slice())
            .bind(password.as_str());
        let query = bind_common(query, changes)
            .bind(address_digest.as_bytes().as_slice())
            .bind(i64::from(NOTICE_BUDGET))
            .bind(NOTICE_WINDOW.as_seconds_f64())
            .bind(own_scheme(holder.scope, Some(password)));
        let row = query.fetch_optional(&self.pool).await.map_err(map_db_error)?;
        Ok(row.is_some())
    }

    async fn find_rejectable(&self, reset: ResetId) -> Result<Option<RejectableReset>, StoreError> {
        let row = sqlx::query(FIND_REJECTABLE)
            .bind(reset.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(map_db_error)?;
        row.as_ref().map(|row| rows::rejectable(row, reset)).transpose().map_err(map_db_error)
    }

    async fn reject_reset(&self, rejection: &ResetRejection<'_>) -> Result<bool, StoreError> {
        let ResetRejection { reset, address_digest, delay, event, audit } = rejection;
        let row = recording(REJECT, reset.scope, Some(event), audit)
            .bind(reset.reset.as_str())
            .bind(address_digest.as_bytes().as_slice())
            .bind(delay.as_seconds_f64())
            .fetch_optional(&self.pool)
            .await
            .map_err(map_db_error)?;
        Ok(row.is_some())
    }
}

/// `COALESCE` keeps this look-up, and those below, from an index of all pending resets: see decision 8.
const FIND_HOLDER: &str = "
    SELECT r.organization_id, r.mode, r.customer_id, c.email, o.slug AS organization_slug, o.name AS organization_name,
        o.created_at AS organization_created_at
    FROM password_resets r JOIN customers c ON c.id = r.customer_id JOIN organizations o ON o.id = r.organization_id
    WHERE r.id = $1 AND r.token_digest = $2
        AND COALESCE(r.reset_password_at, r.superseded_at) IS NULL AND r.expires_at > now()";

/// Consumes the token. All uses of one customer's tokens queue at the customer's row, so that of two different tokens used
/// at the same moment one ends the other. Whoever waited finds the reset's row changed, and then its condition no longer
/// holds.
const COMPLETE: &str = concat!(
    "WITH holder AS (
        SELECT id FROM customers WHERE id = $16 AND (organization_id, mode) IS NOT DISTINCT FROM ($1, $2)
        FOR NO KEY UPDATE
    ), fact AS (
        UPDATE password_resets r SET reset_password_at = now(), updated_at = now(),
            reference = CASE WHEN $20 THEN r.reference ELSE $21 END,
            reference_origin = CASE WHEN $22 THEN r.reference_origin ELSE $23 END,
            metadata = COALESCE($24, r.metadata)
        FROM holder
        WHERE r.id = $17 AND r.customer_id = holder.id AND (r.organization_id, r.mode) IS NOT DISTINCT FROM ($1, $2)
            AND r.token_digest = $18
            AND COALESCE(r.reset_password_at, r.superseded_at) IS NULL AND r.expires_at > now()
        RETURNING r.id, r.customer_id
    ), password AS (
        INSERT INTO customer_passwords (customer_id, hash, scheme) SELECT customer_id, $19, $28 FROM fact
        ON CONFLICT (customer_id) DO UPDATE
            SET hash = excluded.hash, scheme = excluded.scheme, generation = customer_passwords.generation + 1, updated_at = now()
    ), superseded AS (
        UPDATE password_resets o SET superseded_at = now(), updated_at = now() FROM fact
        WHERE o.customer_id = fact.customer_id AND o.id <> fact.id
            AND COALESCE(o.reset_password_at, o.superseded_at) IS NULL
    ), confirmed AS (
        UPDATE customers c SET email_confirmed_at = now() FROM fact
        WHERE c.id = fact.customer_id AND c.email_confirmed_at IS NULL
    ), unlocked AS (
        UPDATE guess_counters SET guess_count = 0 FROM fact
        WHERE kind = 'password' AND account_digest = $25 AND guess_count > 0
    )",
    record_change!("customer_password_resets", "id", "customer_id", "$25, $26, $27"),
    "SELECT id FROM fact"
);

const FIND_REJECTABLE: &str = "
    SELECT r.organization_id, r.mode, c.email, o.slug AS organization_slug, o.name AS organization_name,
        o.created_at AS organization_created_at,
        CASE
            WHEN r.reset_password_at IS NOT NULL THEN 'used'
            WHEN r.superseded_at IS NOT NULL OR r.expires_at <= now() THEN 'dead'
            ELSE 'pending'
        END AS state
    FROM password_resets r JOIN customers c ON c.id = r.customer_id JOIN organizations o ON o.id = r.organization_id
    WHERE r.id = $1";

/// Moves the address's last reset so far into the future that the ordinary cooldown ends with this one.
const REJECT: &str = concat!(
    "WITH fact AS (
        UPDATE password_resets SET superseded_at = now(), updated_at = now()
        WHERE id = $16 AND (organization_id, mode) IS NOT DISTINCT FROM ($1, $2)
            AND COALESCE(reset_password_at, superseded_at) IS NULL AND expires_at > now()
        RETURNING id, customer_id
    ), cooldown AS (
        INSERT INTO reset_cooldowns AS c (address_digest, last_reset_at)
        SELECT $17, now() + make_interval(secs => $18) FROM fact
        ON CONFLICT (address_digest) DO UPDATE SET last_reset_at = GREATEST(c.last_reset_at, excluded.last_reset_at)
    )",
    record_change!("customer_password_resets", "id", "customer_id"),
    "SELECT id FROM fact"
);
