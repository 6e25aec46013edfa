use rekey_core::{
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
use rekey_sql::{Bind, Statement, assign_changes, columns, plain_columns, plain_values, push_whose};
use sha2::{Digest, Sha256};
use sqlx::{PgPool, Row};

use crate::{
    customers::customer_address,
    error::{create_fault, fault},
    journal::push_journal,
    rows,
    statement::{fetch_optional, statement},
};

pub(crate) async fn create_reset(
    pool: &PgPool,
    scope: Scope,
    record: &ResetRecord<'_>,
) -> Result<Option<CreatedReset>, CreateError> {
    let reset = record.reset;
    let mut statement = statement();
    push_customer(&mut statement, scope, reset);
    if reset.origin == ResetOrigin::SelfService {
        push_turn(&mut statement, scope, reset);
    }
    push_insert(&mut statement, scope, reset);
    push_journal(&mut statement, &CUSTOMER_PASSWORD_RESETS, Some(record.event), record.audit);
    match reset.origin {
        ResetOrigin::Integration => {
            statement.push(" SELECT ");
            columns(&mut statement, &CUSTOMER_PASSWORD_RESETS, "x");
            statement.push(" FROM (SELECT fact.*, customer.email AS customer_email FROM fact, customer) x");
        }
        // The same for a known address and for an unknown one, up to the columns that are read.
        ResetOrigin::SelfService => {
            statement.push(" SELECT created_at FROM fact");
        }
    }
    let row = fetch_optional(pool, statement).await.map_err(create_fault)?;
    row.map(|row| {
        let of_integration = reset.origin == ResetOrigin::Integration;
        let record = of_integration.then(|| rows::record(&row, &CUSTOMER_PASSWORD_RESETS)).transpose()?;
        Ok(CreatedReset { record, created_at: row.try_get("created_at")? })
    })
    .transpose()
    .map_err(|error| fault(error).into())
}

fn push_customer(statement: &mut Statement, scope: Scope, reset: &NewReset) {
    statement
        .push("WITH customer AS (SELECT id, email FROM customers WHERE (organization_id || '/' || mode || '/' || email) COLLATE \"C\" = ")
        .bind_text(&customer_address(scope, &reset.customer_email))
        .push(")");
}

/// Takes one of the account's turns, if there is one; then the address's older self-service tokens die. The row's lock
/// makes requests of the same moment wait for each other, and whoever waited sees what the others left.
fn push_turn(statement: &mut Statement, scope: Scope, reset: &NewReset) {
    let ResetQuota { cooldown, budget, window } = reset.quota;
    let seconds = |duration: time::Duration| Bind::Float(duration.as_seconds_f64());
    statement
        .push(", turn AS (INSERT INTO self_service_turns AS t (account_digest, last_at, window_at, used) VALUES (")
        .bind(Bind::Bytes(Some(digest(scope, &reset.customer_email.account()))))
        .push(", now(), now(), 1) ON CONFLICT (account_digest) DO UPDATE SET last_at = now(), window_at = CASE WHEN t.window_at <= now() - make_interval(secs => ")
        .bind(seconds(window))
        .push(") THEN now() ELSE t.window_at END, used = CASE WHEN t.window_at <= now() - make_interval(secs => ")
        .bind(seconds(window))
        .push(") THEN 1 ELSE t.used + 1 END WHERE t.last_at <= now() - make_interval(secs => ")
        .bind(seconds(cooldown))
        .push(") AND (t.used < ")
        .bind(Bind::Integer(budget.into()))
        .push(" OR t.window_at <= now() - make_interval(secs => ")
        .bind(seconds(window))
        .push(")) RETURNING used), superseded AS (UPDATE password_resets SET superseded_at = now(), updated_at = now() WHERE address_digest = ")
        .bind(Bind::Bytes(Some(digest(scope, reset.customer_email.as_str()))))
        .push(" AND reset_password_at IS NULL AND superseded_at IS NULL AND EXISTS (SELECT FROM turn))");
}

fn push_insert(statement: &mut Statement, scope: Scope, reset: &NewReset) {
    let of_self_service = reset.origin == ResetOrigin::SelfService;
    let address = of_self_service.then(|| digest(scope, reset.customer_email.as_str()));
    let account = digest(scope, &reset.customer_email.account());
    statement.push(
        ", fact AS (INSERT INTO password_resets (customer_id, id, organization_id, mode, origin, address_digest, account_digest,
            token_digest, sealed_token, expires_at",
    );
    if reset.code.is_some() {
        statement.push(", code_guesses, code_window_seconds, code_digest");
    }
    plain_columns(statement, &CUSTOMER_PASSWORD_RESETS);
    statement
        .push(") SELECT customer.id, ")
        .bind_text(reset.id.as_str())
        .push(", ")
        .bind_text(scope.organization.as_str())
        .push(", ")
        .bind_text(scope.mode.as_str())
        .push(", ")
        .bind_text(reset.origin.as_str())
        .push(", ")
        .bind(Bind::Bytes(address))
        .push(", ")
        .bind(Bind::Bytes(Some(account.clone())))
        .push(", ")
        .bind(Bind::Bytes(Some(reset.token_digest.as_bytes().to_vec())))
        .push(", ")
        .bind(Bind::Bytes(Some(reset.sealed_token.as_bytes().to_vec())))
        .push(", now() + make_interval(secs => ")
        .bind(Bind::Float(reset.token_ttl.as_seconds_f64()))
        .push(")");
    if let Some(code) = &reset.code {
        push_code(statement, account, code);
    }
    plain_values(statement, &CUSTOMER_PASSWORD_RESETS, &reset.attributes);
    statement.push(match reset.origin {
        ResetOrigin::Integration => " FROM customer RETURNING *)",
        ResetOrigin::SelfService => " FROM turn LEFT JOIN customer ON true RETURNING *)",
    });
}

/// SHA-256 of an address or account in its scope: what self-service resets for it have in common, whether a customer has
/// it or not.
pub(crate) fn digest(scope: Scope, address: &str) -> Vec<u8> {
    Sha256::digest(format!("{}/{}/{address}", scope.organization, scope.mode.as_str())).to_vec()
}

/// The code's rules, and its digest if the account has guesses left.
fn push_code(statement: &mut Statement, account: Vec<u8>, code: &NewCode) {
    let (budget, window) =
        (Bind::Integer(code.rules.budget.into()), Bind::Float(code.rules.window.as_seconds_f64()));
    statement
        .push(", ")
        .bind(budget.clone())
        .push(", ")
        .bind(window.clone())
        .push(", CASE WHEN NOT EXISTS (SELECT FROM code_guesses WHERE account_digest = ")
        .bind(Bind::Bytes(Some(account)))
        .push(" AND used >= ")
        .bind(budget)
        .push(" AND window_at > now() - make_interval(secs => ")
        .bind(window)
        .push(")) THEN ")
        .bind(Bind::Bytes(Some(code.digest.as_bytes().to_vec())))
        .push(" END");
}

pub(crate) async fn update_reset(
    pool: &PgPool,
    scope: Scope,
    id: ResetId,
    changes: &Changes,
    audit: &AuditEntry,
) -> Result<Option<Record>, StoreError> {
    let mut statement = statement();
    statement.push("WITH fact AS (UPDATE password_resets SET updated_at = now()");
    assign_changes(&mut statement, &CUSTOMER_PASSWORD_RESETS, changes);
    push_whose(&mut statement, scope, id.as_str());
    statement.push(" AND customer_id IS NOT NULL");
    statement.push(" RETURNING *)");
    push_journal(&mut statement, &CUSTOMER_PASSWORD_RESETS, None, audit);
    push_shown(&mut statement);
    let row = fetch_optional(pool, statement).await.map_err(fault)?;
    row.map(|row| rows::record(&row, &CUSTOMER_PASSWORD_RESETS)).transpose().map_err(fault)
}

pub(crate) async fn delete_reset(
    pool: &PgPool,
    scope: Scope,
    id: ResetId,
    event: &OutboxMessage,
    audit: &AuditEntry,
) -> Result<bool, StoreError> {
    let mut statement = statement();
    statement.push("WITH fact AS (DELETE FROM password_resets");
    push_whose(&mut statement, scope, id.as_str());
    statement.push(" AND customer_id IS NOT NULL");
    statement.push(" RETURNING id, organization_id, mode)");
    push_journal(&mut statement, &CUSTOMER_PASSWORD_RESETS, Some(event), audit);
    statement.push(" SELECT id FROM fact");
    Ok(fetch_optional(pool, statement).await.map_err(fault)?.is_some())
}

/// Appends the record that `fact` has changed, as it is shown.
pub(crate) fn push_shown(statement: &mut Statement) {
    statement.push(" SELECT ");
    columns(statement, &CUSTOMER_PASSWORD_RESETS, "x");
    statement.push(
        " FROM (SELECT fact.*, c.email AS customer_email FROM fact JOIN customers c ON c.id = fact.customer_id) x",
    );
}
