use rekey_core::{
    clock::from_unix_microseconds,
    error::{CreateError, StoreError},
    events::{audit::AuditEntry, outbox::OutboxMessage},
    ids::ResetId,
    resets::{CreatedReset, NewCode, NewReset, ResetOrigin, ResetQuota},
    resources::{
        CUSTOMER_PASSWORD_RESETS,
        record::{Changes, Record},
    },
    scope::Scope,
    store::ResetRecord,
};
use rekey_sql::{Bind, Dialect, Statement, assign_changes, plain_columns, plain_values};
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;

use crate::{
    SqliteStore,
    catalog::find_in,
    error::{create_fault, fault},
    journal::{Subject, record},
    rows::{self, Read, after},
    statement::execute,
};

/// A reset `r` whose token can still be used, as of ?1.
macro_rules! pending {
    () => {
        "r.reset_password_at IS NULL AND r.superseded_at IS NULL AND r.expires_at > ?1"
    };
}

pub(crate) use pending;

pub(crate) async fn create_reset(
    store: &SqliteStore,
    scope: Scope,
    facts: &ResetRecord<'_>,
) -> Result<Option<CreatedReset>, CreateError> {
    let ResetRecord { reset, event, audit } = *facts;
    let (mut transaction, now) = store.write().await?;
    if reset.origin == ResetOrigin::SelfService {
        if !take_turn(&mut transaction, scope, reset, now).await.map_err(fault)? {
            return Ok(None);
        }
        supersede_address(&mut transaction, scope, reset, now).await.map_err(fault)?;
    }
    if !insert(&mut transaction, scope, reset, now).await.map_err(create_fault)? {
        return Ok(None);
    }
    record(&mut transaction, subject(scope, &reset.id), Some(event), audit, now).await?;
    let record = match reset.origin {
        ResetOrigin::Integration => {
            find_in(&mut *transaction, now, scope, &CUSTOMER_PASSWORD_RESETS, reset.id.into())
                .await
                .map_err(fault)?
        }
        ResetOrigin::SelfService => None,
    };
    transaction.commit().await.map_err(fault)?;
    let created_at = from_unix_microseconds(now).ok_or_else(|| rows::corrupt("created_at")).map_err(fault)?;
    Ok(Some(CreatedReset { record, created_at }))
}

pub(crate) async fn update_reset(
    store: &SqliteStore,
    scope: Scope,
    id: ResetId,
    changes: &Changes,
    audit: &AuditEntry,
) -> Result<Option<Record>, StoreError> {
    let (mut transaction, now) = store.write().await?;
    if find_in(&mut *transaction, now, scope, &CUSTOMER_PASSWORD_RESETS, id.into())
        .await
        .map_err(fault)?
        .is_none()
    {
        return Ok(None);
    }
    write_changes(&mut transaction, id, changes, now).await.map_err(fault)?;
    record(&mut transaction, subject(scope, &id), None, audit, now).await?;
    let shown =
        find_in(&mut *transaction, now, scope, &CUSTOMER_PASSWORD_RESETS, id.into()).await.map_err(fault)?;
    transaction.commit().await.map_err(fault)?;
    Ok(shown)
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
    Subject { scope, resource: &CUSTOMER_PASSWORD_RESETS, resource_id: id.as_str() }
}

/// Takes one of the account's turns; false when it has none now.
async fn take_turn(
    connection: &mut SqliteConnection,
    scope: Scope,
    reset: &NewReset,
    now: i64,
) -> Read<bool> {
    let ResetQuota { cooldown, budget, window } = reset.quota;
    let turn = sqlx::query(
        "INSERT INTO self_service_turns AS t (account_digest, last_at, window_at, used) VALUES (?1, ?2, ?2, 1)
         ON CONFLICT (account_digest) DO UPDATE SET last_at = ?2,
             window_at = CASE WHEN t.window_at <= ?4 THEN ?2 ELSE t.window_at END,
             used = CASE WHEN t.window_at <= ?4 THEN 1 ELSE t.used + 1 END
         WHERE t.last_at <= ?3 AND (t.used < ?5 OR t.window_at <= ?4)",
    )
    .bind(digest(scope, &reset.customer_email.account()))
    .bind(now)
    .bind(after(now, -cooldown))
    .bind(after(now, -window))
    .bind(budget)
    .execute(connection)
    .await?;
    Ok(turn.rows_affected() == 1)
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
    .bind(digest(scope, reset.customer_email.as_str()))
    .execute(connection)
    .await?;
    Ok(())
}

/// Inserts the reset if its customer is known, or need not be; false when it isn't.
async fn insert(connection: &mut SqliteConnection, scope: Scope, reset: &NewReset, now: i64) -> Read<bool> {
    let of_self_service = reset.origin == ResetOrigin::SelfService;
    let address = of_self_service.then(|| digest(scope, reset.customer_email.as_str()));
    let account = digest(scope, &reset.customer_email.account());
    let (organization, mode) = (scope.organization.as_str(), scope.mode.as_str());
    let mut statement = Statement::new(Dialect::Sqlite { now });
    statement.push(
        "INSERT INTO password_resets (customer_id, id, organization_id, mode, origin, address_digest, account_digest, token_digest,
             sealed_token, expires_at, created_at, updated_at",
    );
    if reset.code.is_some() {
        statement.push(", code_guesses, code_window_seconds, code_digest");
    }
    plain_columns(&mut statement, &CUSTOMER_PASSWORD_RESETS);
    statement.push(") SELECT c.id, ").bind_text(reset.id.as_str());
    for value in [
        Bind::Text(Some(organization.to_owned())),
        Bind::Text(Some(mode.to_owned())),
        Bind::Text(Some(reset.origin.as_str().to_owned())),
        Bind::Bytes(address),
        Bind::Bytes(Some(account.clone())),
        Bind::Bytes(Some(reset.token_digest.as_bytes().to_vec())),
        Bind::Bytes(Some(reset.sealed_token.as_bytes().to_vec())),
        Bind::Integer(after(now, reset.token_ttl)),
        Bind::Integer(now),
        Bind::Integer(now),
    ] {
        statement.push(", ").bind(value);
    }
    if let Some(code) = &reset.code {
        push_code(&mut statement, account, code, now);
    }
    plain_values(&mut statement, &CUSTOMER_PASSWORD_RESETS, &reset.attributes);
    statement
        .push(" FROM (SELECT 1) LEFT JOIN customers c ON c.organization_id = ")
        .bind_text(organization)
        .push(" AND c.mode = ")
        .bind_text(mode)
        .push(" AND c.email = ")
        .bind_text(reset.customer_email.as_str());
    if !of_self_service {
        statement.push(" WHERE c.id IS NOT NULL");
    }
    Ok(execute(connection, statement).await? == 1)
}

/// The code's rules, and its digest if the account has guesses left.
fn push_code(statement: &mut Statement, account: Vec<u8>, code: &NewCode, now: i64) {
    let budget = Bind::Integer(code.rules.budget.into());
    statement
        .push(", ")
        .bind(budget.clone())
        .push(", ")
        .bind(Bind::Float(code.rules.window.as_seconds_f64()))
        .push(", CASE WHEN NOT EXISTS (SELECT 1 FROM code_guesses WHERE account_digest = ")
        .bind(Bind::Bytes(Some(account)))
        .push(" AND used >= ")
        .bind(budget)
        .push(" AND window_at > ")
        .bind(Bind::Integer(after(now, -code.rules.window)))
        .push(") THEN ")
        .bind(Bind::Bytes(Some(code.digest.as_bytes().to_vec())))
        .push(" END");
}

/// SHA-256 of an address or account in its scope: what self-service resets for it have in common, whether a customer has
/// it or not.
pub(crate) fn digest(scope: Scope, address: &str) -> Vec<u8> {
    Sha256::digest(format!("{}/{}/{address}", scope.organization, scope.mode.as_str())).to_vec()
}

pub(crate) async fn write_changes(
    connection: &mut SqliteConnection,
    id: ResetId,
    changes: &Changes,
    now: i64,
) -> Read<()> {
    let mut statement = Statement::new(Dialect::Sqlite { now });
    statement.push("UPDATE password_resets SET updated_at = ").push_now();
    assign_changes(&mut statement, &CUSTOMER_PASSWORD_RESETS, changes);
    statement.push(" WHERE id = ").bind_text(id.as_str());
    execute(connection, statement).await.map(drop)
}
