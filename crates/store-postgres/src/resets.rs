use rekey_core::{
    access::Scope,
    audit::AuditEntry,
    ids::ResetId,
    listing::{Listed, Listing},
    outbox::OutboxMessage,
    reset::{CreatedReset, NewReset, PasswordReset, ReferenceChange, ResetOrigin},
    store::{CreateError, ResetRecord, StoreError},
};
use sha2::{Digest, Sha256};
use sqlx::{PgPool, Row, types::Json};

use crate::{
    error::{create_fault, fault},
    journal::{Statement, bind_audit, bind_event, journalled},
    rows,
};

pub(crate) async fn create_reset(
    pool: &PgPool,
    scope: Scope,
    record: &ResetRecord<'_>,
) -> Result<Option<CreatedReset>, CreateError> {
    // Two self-service requests that run at the same moment do not see, and so do not supersede, each other.
    let statement = sqlx::query(journalled!(audit and event of "customer_password_resets":
        "customer AS (
            SELECT id FROM customers WHERE organization_id = $13 AND mode = $14 AND email = $15
        ), superseded AS (
            UPDATE password_resets SET superseded_at = now(), updated_at = now()
            WHERE address_digest = $17 AND reset_password_at IS NULL AND superseded_at IS NULL
        ), fact AS (
            INSERT INTO password_resets (id, organization_id, mode, customer_id, origin, address_digest, token_digest,
                sealed_token, expires_at, reference, reference_origin, metadata)
            SELECT $12, $13, $14, customer.id, $16, $17, $18, $19, now() + make_interval(secs => $20), $21, $22, $23
            FROM (SELECT) one LEFT JOIN customer ON true
            WHERE customer.id IS NOT NULL OR $16 = 'self_service'
            RETURNING *
        )";
        "SELECT customer_id, created_at, expires_at FROM fact"
    ));
    let NewReset { id, customer_email, origin, token_digest, sealed_token, token_life, reference } =
        record.reset;
    let row = bind_event(bind_audit(statement, record.audit), record.event)
        .bind(id.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(customer_email.as_str())
        .bind(origin.as_str())
        .bind(address_digest(scope, record.reset))
        .bind(token_digest.as_bytes().as_slice())
        .bind(sealed_token.as_bytes())
        .bind(token_life.as_seconds_f64())
        .bind(&reference.reference)
        .bind(&reference.reference_origin)
        .bind(Json(&reference.metadata))
        .fetch_optional(pool)
        .await
        .map_err(create_fault)?;
    row.map(|row| {
        let customer = row.try_get::<Option<String>, _>("customer_id")?;
        Ok(CreatedReset {
            customer: customer.map(|id| id.parse().map_err(|_| rows::corrupt("customer_id"))).transpose()?,
            created_at: row.try_get("created_at")?,
            expires_at: row.try_get("expires_at")?,
        })
    })
    .transpose()
    .map_err(|error| fault(error).into())
}

/// What self-service resets for one address have in common, whether a customer has it or not.
fn address_digest(scope: Scope, reset: &NewReset) -> Option<Vec<u8>> {
    let address = format!("{}/{}/{}", scope.organization, scope.mode.as_str(), reset.customer_email);
    (reset.origin == ResetOrigin::SelfService).then(|| Sha256::digest(address).to_vec())
}

/// Resets as they are shown, by whatever condition and order follow.
macro_rules! select_resets {
    ($rest:literal) => {
        concat!(
            "SELECT id, customer_id, customer_email, token, reset_password_at, expires_at, reference, reference_origin, metadata, ",
            "created_at, updated_at FROM customer_password_resets ",
            $rest
        )
    };
}

pub(crate) async fn find_reset(
    pool: &PgPool,
    scope: Scope,
    id: ResetId,
) -> Result<Option<PasswordReset>, StoreError> {
    let row = sqlx::query(select_resets!("WHERE id = $1 AND organization_id = $2 AND mode = $3"))
        .bind(id.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .fetch_optional(pool)
        .await
        .map_err(fault)?;
    row.as_ref().map(rows::reset).transpose().map_err(fault)
}

pub(crate) async fn list_resets(
    pool: &PgPool,
    scope: Scope,
    listing: &Listing,
) -> Result<Listed<PasswordReset>, StoreError> {
    let offset = listing.page.offset();
    let rows = sqlx::query(select_resets!(
        "WHERE organization_id = $1 AND mode = $2 ORDER BY created_at DESC, id LIMIT $3 OFFSET $4"
    ))
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(i64::from(listing.page.size))
    .bind(i64::try_from(offset).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await
    .map_err(fault)?;
    let items = rows.iter().map(rows::reset).collect::<Result<Vec<_>, _>>().map_err(fault)?;
    let on_page = u32::try_from(items.len()).unwrap_or(u32::MAX);
    // A page that is neither full nor empty is the last one, and so tells how many there are.
    let total = if (1..listing.page.size).contains(&on_page) {
        offset + u64::from(on_page)
    } else {
        count_resets(pool, scope).await?
    };
    Ok(Listed { items, total })
}

async fn count_resets(pool: &PgPool, scope: Scope) -> Result<u64, StoreError> {
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM customer_password_resets WHERE organization_id = $1 AND mode = $2",
    )
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .fetch_one(pool)
    .await
    .map_err(fault)?;
    Ok(count.unsigned_abs())
}

pub(crate) async fn update_reset(
    pool: &PgPool,
    scope: Scope,
    id: ResetId,
    change: &ReferenceChange,
    audit: &AuditEntry,
) -> Result<Option<PasswordReset>, StoreError> {
    if change == &ReferenceChange::default() {
        return find_reset(pool, scope, id).await;
    }
    let statement = sqlx::query(journalled!(audit of "customer_password_resets":
        "fact AS (
            UPDATE password_resets r SET updated_at = now(),
                reference = CASE WHEN $12 THEN $13 ELSE r.reference END,
                reference_origin = CASE WHEN $14 THEN $15 ELSE r.reference_origin END,
                metadata = COALESCE($16, r.metadata)
            FROM customers c
            WHERE r.id = $9 AND r.organization_id = $10 AND r.mode = $11 AND c.id = r.customer_id
            RETURNING r.*, c.email AS customer_email
        )";
        "SELECT id, customer_id, customer_email, reset_password_at, expires_at, reference, reference_origin, metadata,
            CASE WHEN reset_password_at IS NULL AND superseded_at IS NULL AND expires_at > now() THEN sealed_token END AS token,
            created_at, updated_at
        FROM fact"
    ));
    let statement = bind_audit(statement, audit)
        .bind(id.to_string())
        .bind(scope.organization.to_string())
        .bind(scope.mode.as_str());
    let row = bind_change(statement, change).fetch_optional(pool).await.map_err(fault)?;
    row.as_ref().map(rows::reset).transpose().map_err(fault)
}

pub(crate) async fn delete_reset(
    pool: &PgPool,
    scope: Scope,
    id: ResetId,
    event: &OutboxMessage,
    audit: &AuditEntry,
) -> Result<bool, StoreError> {
    let statement = sqlx::query(journalled!(audit and event of "customer_password_resets":
        "fact AS (
            DELETE FROM password_resets
            WHERE id = $12 AND organization_id = $13 AND mode = $14 AND customer_id IS NOT NULL
            RETURNING id, organization_id, mode
        )";
        "SELECT id FROM fact"
    ));
    let row = bind_event(bind_audit(statement, audit), event)
        .bind(id.as_str())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .fetch_optional(pool)
        .await
        .map_err(fault)?;
    Ok(row.is_some())
}

/// Binds a change as five values: whether and to what the reference and its origin change, and the metadata if it does.
pub(crate) fn bind_change(statement: Statement, change: &ReferenceChange) -> Statement {
    statement
        .bind(change.reference.is_some())
        .bind(change.reference.clone().flatten())
        .bind(change.reference_origin.is_some())
        .bind(change.reference_origin.clone().flatten())
        .bind(change.metadata.clone().map(Json))
}
