use rekey_core::{
    ids::ResetId,
    reset::{PasswordReset, TokenHolder},
    secret::TokenDigest,
    store::{Completion, StoreError},
};
use sqlx::PgPool;

use crate::{
    error::fault,
    journal::{bind_audit, bind_event, journalled},
    resets::bind_change,
    rows,
};

pub(crate) async fn find_token_holder(
    pool: &PgPool,
    reset: ResetId,
    token: &TokenDigest,
) -> Result<Option<TokenHolder>, StoreError> {
    let row = sqlx::query(
        "SELECT r.organization_id, r.mode, r.customer_id, c.email
         FROM password_resets r JOIN customers c ON c.id = r.customer_id
         WHERE r.id = $1 AND r.token_digest = $2
             AND r.reset_password_at IS NULL AND r.superseded_at IS NULL AND r.expires_at > now()",
    )
    .bind(reset.as_str())
    .bind(token.as_bytes().as_slice())
    .fetch_optional(pool)
    .await
    .map_err(fault)?;
    row.as_ref().map(|row| rows::token_holder(row, reset)).transpose().map_err(fault)
}

pub(crate) async fn complete_reset(
    pool: &PgPool,
    completion: &Completion<'_>,
) -> Result<Option<PasswordReset>, StoreError> {
    // All uses of one customer's tokens queue at the customer's row, so that of two different tokens used at the same
    // moment one kills the other. Whoever waited finds the reset's row changed, and then its condition no longer holds.
    let statement = sqlx::query(journalled!(audit and event of "customer_password_resets":
        "holder AS (
            SELECT id, email FROM customers WHERE id = $15 AND organization_id = $13 AND mode = $14 FOR NO KEY UPDATE
        ), fact AS (
            UPDATE password_resets r SET reset_password_at = now(), updated_at = now(),
                reference = CASE WHEN $18 THEN $19 ELSE r.reference END,
                reference_origin = CASE WHEN $20 THEN $21 ELSE r.reference_origin END,
                metadata = COALESCE($22, r.metadata)
            FROM holder
            WHERE r.id = $12 AND r.organization_id = $13 AND r.mode = $14 AND r.customer_id = holder.id
                AND r.token_digest = $16
                AND r.reset_password_at IS NULL AND r.superseded_at IS NULL AND r.expires_at > now()
            RETURNING r.*, holder.email AS customer_email
        ), password AS (
            INSERT INTO customer_passwords (customer_id, hash) SELECT customer_id, $17 FROM fact
            ON CONFLICT (customer_id) DO UPDATE
                SET hash = excluded.hash, generation = customer_passwords.generation + 1, updated_at = now()
        ), superseded AS (
            UPDATE password_resets o SET superseded_at = now(), updated_at = now()
            FROM fact
            WHERE o.customer_id = fact.customer_id AND o.id <> fact.id
                AND o.reset_password_at IS NULL AND o.superseded_at IS NULL
        )";
        "SELECT id, customer_id, customer_email, NULL::bytea AS token, reset_password_at, expires_at,
            reference, reference_origin, metadata, created_at, updated_at
        FROM fact"
    ));
    let holder = completion.holder;
    let statement = bind_event(bind_audit(statement, completion.audit), completion.event)
        .bind(holder.reset.to_string())
        .bind(holder.scope.organization.to_string())
        .bind(holder.scope.mode.as_str())
        .bind(holder.customer.to_string())
        .bind(completion.token.as_bytes().to_vec())
        .bind(completion.password.as_str().to_owned());
    let row = bind_change(statement, completion.change).fetch_optional(pool).await.map_err(fault)?;
    row.as_ref().map(rows::reset).transpose().map_err(fault)
}
