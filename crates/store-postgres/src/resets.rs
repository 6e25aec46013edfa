use async_trait::async_trait;
use rekey_core::{
    attributes::CommonAttributes,
    error::{CreateError, StoreError},
    events::{audit::AuditEntry, outbox::NewEvent},
    ids::ResetId,
    resets::{
        CreatedReset, ResetOrigin,
        store::{ResetRecord, ResetStore},
    },
    resources::{CUSTOMER_PASSWORD_RESETS, catalog::Catalog},
    scope::Scope,
};
use rekey_sql::rows;
use sha2::{Digest, Sha256};
use sqlx::{Row, types::Json};

use crate::{
    PostgresStore,
    attributes::bind_common,
    customers::customer_address,
    error::{map_create_error, map_db_error},
    events::{record_change, recording},
};

#[async_trait]
impl ResetStore for PostgresStore {
    async fn create_reset(
        &self,
        scope: Scope,
        record: &ResetRecord<'_>,
    ) -> Result<Option<CreatedReset>, CreateError> {
        let ResetRecord { reset, event, audit } = record;
        let (email, code, attributes) = (&reset.customer_email, reset.code.as_ref(), &reset.attributes);
        let is_self_service = reset.origin == ResetOrigin::SelfService;
        let statement = if is_self_service { CREATE_BY_SELF_SERVICE } else { CREATE_BY_INTEGRATION };
        let query = recording(statement, scope, Some(event), audit)
            .bind(customer_address(scope, email))
            .bind(digest(scope, &email.account()))
            .bind(reset.id.as_str())
            .bind(reset.origin.as_str())
            .bind(is_self_service.then(|| digest(scope, email.as_str())))
            .bind(reset.token_digest.as_bytes().as_slice())
            .bind(reset.sealed_token.as_bytes())
            .bind(reset.token_ttl.as_seconds_f64())
            .bind(code.map(|code| i64::from(code.rules.budget)))
            .bind(code.map(|code| code.rules.window.as_seconds_f64()))
            .bind(code.map(|code| code.digest.as_bytes().as_slice()))
            .bind(attributes.reference.value())
            .bind(attributes.reference_origin.value())
            .bind(attributes.metadata.as_ref().map(Json));
        let query = if is_self_service {
            query
                .bind(reset.quota.cooldown.as_seconds_f64())
                .bind(reset.quota.window.as_seconds_f64())
                .bind(i64::from(reset.quota.budget))
        } else {
            query
        };
        let row = query.fetch_optional(&self.pool).await.map_err(map_create_error)?;
        let created = row.map(|row| {
            let record =
                (!is_self_service).then(|| rows::record(&row, &CUSTOMER_PASSWORD_RESETS)).transpose()?;
            Ok(CreatedReset { record, created_at: row.try_get("created_at")? })
        });
        created.transpose().map_err(|error| map_db_error(error).into())
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
        let query = recording(UPDATE, scope, None, audit).bind(id.as_str());
        let row = bind_common(query, changes).fetch_optional(&self.pool).await.map_err(map_db_error)?;
        Ok(row.is_some())
    }

    async fn delete_reset(
        &self,
        scope: Scope,
        id: ResetId,
        event: &NewEvent,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let query = recording(DELETE, scope, Some(event), audit).bind(id.as_str());
        Ok(query.fetch_optional(&self.pool).await.map_err(map_db_error)?.is_some())
    }
}

/// The customer of an address, by the unique index `customers_address`: see migration 0012.
macro_rules! with_customer {
    () => {
        "WITH customer AS (
            SELECT id, email FROM customers WHERE (organization_id || '/' || mode || '/' || email) COLLATE \"C\" = $16
        )"
    };
}

/// The new reset. Its code is kept only if the account has guesses left.
macro_rules! insert_reset {
    ($source:literal, $superseded_at:literal) => {
        concat!(
            ", fact AS (
                INSERT INTO password_resets (customer_id, id, organization_id, mode, origin, address_digest, account_digest,
                    token_digest, sealed_token, expires_at, code_guess_budget, code_window_seconds, code_digest, reference,
                    reference_origin, metadata, superseded_at)
                SELECT customer.id, $18, $1, $2, $19, $20, $17, $21, $22, now() + make_interval(secs => $23), $24, $25,
                    CASE WHEN NOT EXISTS (
                        SELECT FROM code_guesses
                        WHERE account_digest = $17 AND guess_count >= $24 AND window_started_at > now() - make_interval(secs => $25)
                    ) THEN $26 END,
                    $27, $28, COALESCE($29, '{}'), ", $superseded_at, "
                FROM ", $source, "
                RETURNING *
            )"
        )
    };
}

/// Creates an integration client's reset, and returns it as it is shown; creates nothing if no customer has the address.
pub const CREATE_BY_INTEGRATION: &str = concat!(
    with_customer!(),
    insert_reset!("customer", "NULL"),
    record_change!("customer_password_resets", "id, customer_id"),
    "SELECT fact.*, fact.sealed_token AS reset_password_token, customer.email AS customer_email FROM fact, customer"
);

/// Creates a reset unless the account's cooldown lasts, and supersedes the address's older self-service tokens. The lock of the quota's
/// row makes simultaneous requests wait for each other, and each sees what the others left. Does and returns the same for a known
/// address and for an unknown one.
///
/// The budget is one of mails: a reset takes its predecessor's place if that one was never mailed. A decoy has no mail that could fail,
/// so a request beyond the budget does the same work as one within: its time would show that an account's mails fail, and so that it
/// exists. Its reset is superseded from the start.
const CREATE_BY_SELF_SERVICE: &str = concat!(
    with_customer!(),
    ", quota AS (
        INSERT INTO reset_quotas AS q (account_digest, last_reset_at, window_started_at, reset_count, last_reset_id)
        VALUES ($17, now(), now(), 1, $18)
        ON CONFLICT (account_digest) DO UPDATE SET last_reset_at = now(), last_reset_id = excluded.last_reset_id,
            window_started_at = CASE WHEN q.window_started_at <= now() - make_interval(secs => $31) THEN now()
                ELSE q.window_started_at END,
            reset_count = CASE
                WHEN q.window_started_at <= now() - make_interval(secs => $31) THEN 1
                WHEN EXISTS (
                    SELECT FROM password_resets r JOIN deliveries d ON d.reset_id = r.id
                    WHERE r.id = q.last_reset_id AND r.address_digest = $20 AND d.mail <> 'password_changed'
                        AND d.status IN ('queued', 'deferred', 'expired', 'failed') AND d.lease_until IS NULL AND d.in_doubt = 0
                ) THEN q.reset_count
                ELSE q.reset_count + 1
            END
        WHERE q.last_reset_at <= now() - make_interval(secs => $30)
        RETURNING reset_count <= $32 AS is_within_budget
    ), superseded AS (
        UPDATE password_resets SET superseded_at = CASE WHEN is_within_budget THEN now() END,
            updated_at = CASE WHEN is_within_budget THEN now() ELSE updated_at END
        FROM quota
        WHERE address_digest = $20 AND reset_password_at IS NULL AND superseded_at IS NULL
    )",
    insert_reset!(
        "quota LEFT JOIN customer ON true",
        "CASE WHEN NOT quota.is_within_budget THEN now() END"
    ),
    record_change!("customer_password_resets", "id, customer_id"),
    "SELECT created_at FROM fact"
);

const UPDATE: &str = concat!(
    "WITH fact AS (
        UPDATE password_resets SET updated_at = now(),
            reference = CASE WHEN $17 THEN reference ELSE $18 END,
            reference_origin = CASE WHEN $19 THEN reference_origin ELSE $20 END,
            metadata = COALESCE($21, metadata)
        WHERE id = $16 AND (organization_id, mode) IS NOT DISTINCT FROM ($1, $2) AND customer_id IS NOT NULL
        RETURNING id, customer_id
    )",
    record_change!("customer_password_resets", "id, customer_id"),
    "SELECT id FROM fact"
);

const DELETE: &str = concat!(
    "WITH fact AS (
        DELETE FROM password_resets
        WHERE id = $16 AND (organization_id, mode) IS NOT DISTINCT FROM ($1, $2) AND customer_id IS NOT NULL
        RETURNING id, customer_id
    )",
    record_change!("customer_password_resets", "id, customer_id"),
    "SELECT id FROM fact"
);

/// SHA-256 of an address or account in its scope: the same for all its self-service resets, whether a customer has it or not.
pub(crate) fn digest(scope: Scope, address: &str) -> Vec<u8> {
    Sha256::digest(format!("{}/{}/{address}", scope.organization, scope.mode.as_str())).to_vec()
}
