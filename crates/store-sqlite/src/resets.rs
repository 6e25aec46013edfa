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
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow, types::Json};

use crate::{
    SqliteStore,
    error::{create_fault, fault},
    journal::{Subject, record},
    rows::{self, Read, after, from_microseconds},
};

/// A reset `r` whose token can still be used, as of ?1.
macro_rules! pending {
    () => {
        "r.reset_password_at IS NULL AND r.superseded_at IS NULL AND r.expires_at > ?1"
    };
}

pub(crate) use pending;

/// The resets of known customers in the scope ?2, ?3, as of ?1: all that anybody is shown.
macro_rules! select_resets {
    ($rest:literal) => {
        concat!(
            "SELECT r.id, r.customer_id, c.email AS customer_email, CASE WHEN ",
            pending!(),
            " THEN r.sealed_token END AS token, r.reset_password_at, r.expires_at, r.reference, r.reference_origin, ",
            "r.metadata, r.created_at, r.updated_at FROM password_resets r ",
            "JOIN customers c ON c.id = r.customer_id AND c.organization_id = r.organization_id AND c.mode = r.mode ",
            "WHERE r.organization_id = ?2 AND r.mode = ?3 ",
            $rest
        )
    };
}

pub(crate) async fn create_reset(
    store: &SqliteStore,
    scope: Scope,
    facts: &ResetRecord<'_>,
) -> Result<Option<CreatedReset>, CreateError> {
    let ResetRecord { reset, event, audit } = *facts;
    let (mut transaction, now) = store.write().await?;
    if reset.origin == ResetOrigin::SelfService {
        supersede_address(&mut transaction, scope, reset, now).await.map_err(fault)?;
    }
    let expires_at = after(now, reset.token_life);
    let Some(row) = insert(&mut transaction, scope, reset, now, expires_at).await.map_err(create_fault)?
    else {
        return Ok(None);
    };
    let created = created(&row, now, expires_at).map_err(fault)?;
    record(&mut transaction, subject(scope, &reset.id), Some(event), audit, now).await?;
    transaction.commit().await.map_err(fault)?;
    Ok(Some(created))
}

pub(crate) async fn find_reset(
    store: &SqliteStore,
    scope: Scope,
    id: ResetId,
) -> Result<Option<PasswordReset>, StoreError> {
    let mut reader = store.readers.acquire().await.map_err(fault)?;
    find_in(&mut reader, scope, id, store.present()).await.map_err(fault)
}

pub(crate) async fn list_resets(
    store: &SqliteStore,
    scope: Scope,
    listing: &Listing,
) -> Result<Listed<PasswordReset>, StoreError> {
    let rows = sqlx::query(select_resets!("ORDER BY r.created_at DESC, r.id LIMIT ?4 OFFSET ?5"))
        .bind(store.present())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(listing.page.size)
        .bind(i64::try_from(listing.page.offset()).unwrap_or(i64::MAX))
        .fetch_all(&store.readers)
        .await
        .map_err(fault)?;
    let total: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM password_resets r
         JOIN customers c ON c.id = r.customer_id AND c.organization_id = r.organization_id AND c.mode = r.mode
         WHERE r.organization_id = ?1 AND r.mode = ?2",
    )
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .fetch_one(&store.readers)
    .await
    .map_err(fault)?;
    let items = rows.iter().map(rows::reset).collect::<Result<_, _>>().map_err(fault)?;
    Ok(Listed { items, total: total.unsigned_abs() })
}

pub(crate) async fn update_reset(
    store: &SqliteStore,
    scope: Scope,
    id: ResetId,
    change: &ReferenceChange,
    audit: &AuditEntry,
) -> Result<Option<PasswordReset>, StoreError> {
    if *change == ReferenceChange::default() {
        return find_reset(store, scope, id).await;
    }
    let (mut transaction, now) = store.write().await?;
    if find_in(&mut transaction, scope, id, now).await.map_err(fault)?.is_none() {
        return Ok(None);
    }
    write_change(&mut transaction, id, change, now).await.map_err(fault)?;
    record(&mut transaction, subject(scope, &id), None, audit, now).await?;
    let changed = find_in(&mut transaction, scope, id, now).await.map_err(fault)?;
    transaction.commit().await.map_err(fault)?;
    Ok(changed)
}

pub(crate) async fn delete_reset(
    store: &SqliteStore,
    scope: Scope,
    id: ResetId,
    event: &OutboxMessage,
    audit: &AuditEntry,
) -> Result<bool, StoreError> {
    let (mut transaction, now) = store.write().await?;
    let done = sqlx::query(
        "DELETE FROM password_resets WHERE id = ?1 AND organization_id = ?2 AND mode = ?3 AND customer_id IS NOT NULL",
    )
    .bind(id.as_str())
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .execute(&mut *transaction)
    .await
    .map_err(fault)?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    record(&mut transaction, subject(scope, &id), Some(event), audit, now).await?;
    transaction.commit().await.map_err(fault)?;
    Ok(true)
}

pub(crate) fn subject(scope: Scope, id: &ResetId) -> Subject<'_> {
    Subject { scope, resource_type: "customer_password_resets", resource_id: id.as_str() }
}

/// Makes the older self-service tokens for the same address die, known or not.
async fn supersede_address(
    connection: &mut SqliteConnection,
    scope: Scope,
    reset: &NewReset,
    now: i64,
) -> Read<()> {
    sqlx::query(
        "UPDATE password_resets SET superseded_at = ?1, updated_at = ?1
         WHERE address_digest = ?2 AND reset_password_at IS NULL AND superseded_at IS NULL",
    )
    .bind(now)
    .bind(address_digest(scope, reset))
    .execute(connection)
    .await?;
    Ok(())
}

/// Inserts the reset if its customer is known, or need not be.
async fn insert(
    connection: &mut SqliteConnection,
    scope: Scope,
    reset: &NewReset,
    now: i64,
    expires_at: i64,
) -> Read<Option<SqliteRow>> {
    sqlx::query(
        "INSERT INTO password_resets (id, organization_id, mode, customer_id, origin, address_digest, token_digest, sealed_token,
             expires_at, reference, reference_origin, metadata, created_at, updated_at)
         SELECT ?1, ?2, ?3, c.id, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13
         FROM (SELECT 1) LEFT JOIN customers c ON c.organization_id = ?2 AND c.mode = ?3 AND c.email = ?4
         WHERE c.id IS NOT NULL OR ?5 = 'self_service'
         RETURNING customer_id",
    )
    .bind(reset.id.as_str())
    .bind(scope.organization.as_str())
    .bind(scope.mode.as_str())
    .bind(reset.customer_email.as_str())
    .bind(reset.origin.as_str())
    .bind((reset.origin == ResetOrigin::SelfService).then(|| address_digest(scope, reset)))
    .bind(reset.token_digest.as_bytes().as_slice())
    .bind(reset.sealed_token.as_bytes())
    .bind(expires_at)
    .bind(&reset.reference.reference)
    .bind(&reset.reference.reference_origin)
    .bind(Json(&reset.reference.metadata))
    .bind(now)
    .fetch_optional(connection)
    .await
}

/// What self-service resets for one address have in common, whether a customer has it or not.
fn address_digest(scope: Scope, reset: &NewReset) -> Vec<u8> {
    let address = format!("{}/{}/{}", scope.organization, scope.mode.as_str(), reset.customer_email);
    Sha256::digest(address).to_vec()
}

pub(crate) async fn find_in(
    connection: &mut SqliteConnection,
    scope: Scope,
    id: ResetId,
    now: i64,
) -> Read<Option<PasswordReset>> {
    let row = sqlx::query(select_resets!("AND r.id = ?4"))
        .bind(now)
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(rows::reset).transpose()
}

pub(crate) async fn write_change(
    connection: &mut SqliteConnection,
    id: ResetId,
    change: &ReferenceChange,
    now: i64,
) -> Read<()> {
    sqlx::query(
        "UPDATE password_resets SET updated_at = ?2,
             reference = CASE WHEN ?3 THEN ?4 ELSE reference END,
             reference_origin = CASE WHEN ?5 THEN ?6 ELSE reference_origin END,
             metadata = COALESCE(?7, metadata)
         WHERE id = ?1",
    )
    .bind(id.as_str())
    .bind(now)
    .bind(change.reference.is_some())
    .bind(change.reference.clone().flatten())
    .bind(change.reference_origin.is_some())
    .bind(change.reference_origin.clone().flatten())
    .bind(change.metadata.as_ref().map(Json))
    .execute(connection)
    .await?;
    Ok(())
}

fn created(row: &SqliteRow, now: i64, expires_at: i64) -> Read<CreatedReset> {
    let customer: Option<&str> = row.try_get("customer_id")?;
    Ok(CreatedReset {
        customer: customer.map(|id| id.parse().map_err(|_| rows::corrupt("customer_id"))).transpose()?,
        created_at: from_microseconds(now).ok_or_else(|| rows::corrupt("created_at"))?,
        expires_at: from_microseconds(expires_at).ok_or_else(|| rows::corrupt("expires_at"))?,
    })
}
