use rekey_core::{
    error::StoreError,
    ids::ResetId,
    resets::TokenHolder,
    resources::{CUSTOMER_PASSWORD_RESETS, record::Record},
    secrets::TokenDigest,
    store::Completion,
};
use rekey_sql::{Bind, Statement, assign_changes};
use sqlx::PgPool;

use crate::{
    error::fault,
    journal::push_journal,
    resets::push_shown,
    rows,
    statement::{fetch_optional, statement},
};

pub(crate) async fn find_token_holder(
    pool: &PgPool,
    reset: ResetId,
    token: &TokenDigest,
) -> Result<Option<TokenHolder>, StoreError> {
    let row = sqlx::query(
        "SELECT r.organization_id, r.mode, r.customer_id, c.email, o.slug AS organization_slug,
             o.name AS organization_name, o.created_at AS organization_created_at
         FROM password_resets r JOIN customers c ON c.id = r.customer_id JOIN organizations o ON o.id = r.organization_id
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
) -> Result<Option<Record>, StoreError> {
    let mut statement = statement();
    push_fact(&mut statement, completion);
    statement
        .push(", password AS (INSERT INTO customer_passwords (customer_id, hash) SELECT customer_id, ")
        .bind_text(completion.password.as_str())
        .push(
            " FROM fact ON CONFLICT (customer_id) DO UPDATE
                SET hash = excluded.hash, generation = customer_passwords.generation + 1, updated_at = now()
            ), superseded AS (
                UPDATE password_resets o SET superseded_at = now(), updated_at = now()
                FROM fact
                WHERE o.customer_id = fact.customer_id AND o.id <> fact.id
                    AND o.reset_password_at IS NULL AND o.superseded_at IS NULL
            )",
        );
    push_journal(&mut statement, &CUSTOMER_PASSWORD_RESETS, Some(completion.event), completion.audit);
    push_shown(&mut statement);
    let row = fetch_optional(pool, statement).await.map_err(fault)?;
    row.map(|row| rows::record(&row, &CUSTOMER_PASSWORD_RESETS)).transpose().map_err(fault)
}

/// Consumes the token. All uses of one customer's tokens queue at the customer's row, so that of two different tokens used
/// at the same moment one kills the other. Whoever waited finds the reset's row changed, and then its condition no longer
/// holds.
fn push_fact(statement: &mut Statement, completion: &Completion<'_>) {
    let holder = completion.holder;
    statement
        .push("WITH holder AS (SELECT id, organization_id, mode FROM customers WHERE id = ")
        .bind_text(holder.customer.as_str())
        .push(" AND (organization_id, mode) IS NOT DISTINCT FROM (")
        .bind_text(holder.scope.organization.as_str())
        .push(", ")
        .bind_text(holder.scope.mode.as_str())
        .push(") FOR NO KEY UPDATE), fact AS (UPDATE password_resets r SET reset_password_at = now(), updated_at = now()");
    assign_changes(statement, &CUSTOMER_PASSWORD_RESETS, completion.changes);
    statement
        .push(
            " FROM holder WHERE r.customer_id = holder.id
                AND (r.organization_id, r.mode) IS NOT DISTINCT FROM (holder.organization_id, holder.mode) AND r.id = ",
        )
        .bind_text(holder.reset.as_str())
        .push(" AND r.token_digest = ")
        .bind(Bind::Bytes(Some(completion.token.as_bytes().to_vec())))
        .push(
            " AND r.reset_password_at IS NULL AND r.superseded_at IS NULL AND r.expires_at > now()
            RETURNING r.*)",
        );
}
