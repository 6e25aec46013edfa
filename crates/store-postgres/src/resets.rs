use async_trait::async_trait;
use rekey_core::{
    attributes::CommonAttributes,
    error::{CreateError, StoreError},
    events::{audit::AuditEntry, outbox::NewEvent},
    ids::ResetId,
    resets::{
        CreatedReset, EXTRA_MAIL_INTERVAL, ResetOrigin,
        store::{ResetRecord, ResetStore},
    },
    resources::{CUSTOMER_PASSWORD_RESETS, catalog::Catalog},
    scope::Scope,
};
use rekey_sql::rows;
use sqlx::{Row, types::Json};

use crate::{
    PostgresStore,
    attributes::bind_common,
    customers::customer_address,
    error::{map_create_error, map_db_error},
    events::{record_audit, record_change, record_main_event, recording},
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
            .bind(reset.account_digest.as_bytes().as_slice())
            .bind(reset.id.as_str())
            .bind(reset.origin.as_str())
            .bind(
                reset
                    .address_digests
                    .first()
                    .filter(|_| is_self_service)
                    .map(|digest| digest.as_bytes().as_slice()),
            )
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
                .bind(EXTRA_MAIL_INTERVAL.as_seconds_f64())
                .bind(
                    reset
                        .address_digests
                        .iter()
                        .map(|digest| digest.as_bytes().as_slice())
                        .collect::<Vec<_>>(),
                )
                .bind(email.is_subaddress())
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
            SELECT id, email, email_confirmed_at FROM customers WHERE (organization_id || '/' || mode || '/' || email) COLLATE \"C\" = $16
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
                        SELECT FROM guess_counters
                        WHERE kind = 'code' AND account_digest = $17 AND network_digest = '' AND guess_count >= $24
                            AND window_started_at > now() - make_interval(secs => $25)
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
    record_change!("customer_password_resets", "id", "customer_id"),
    "SELECT fact.id, fact.customer_id, fact.sealed_token, fact.sealed_token AS reset_password_token, fact.reset_password_at,
        fact.superseded_at, fact.expires_at, fact.reference, fact.reference_origin, fact.metadata, fact.created_at, fact.updated_at,
        customer.email AS customer_email
    FROM fact, customer"
);

/// Creates a reset unless the address's cooldown lasts, and supersedes the address's older self-service tokens. The lock of the cooldown's
/// row makes simultaneous requests wait for each other, and each sees what the others left. Does and returns the same for a known
/// address and for an unknown one.
///
/// While the address, or the account that it shares its quota with, is sent no more mails, the reset is superseded from the start, and the older ones stay. No mail of a decoy is
/// counted, so this does the same work in both cases: its time would show for which addresses mails are counted, and so who has an account.
///
/// A decoy's audit entry goes to tables of its own, which have the same indexes.
const CREATE_BY_SELF_SERVICE: &str = concat!(
    with_customer!(),
    ", quota AS (
        SELECT CASE WHEN $35 AND NOT EXISTS (SELECT FROM customer WHERE email_confirmed_at IS NOT NULL) THEN $17 ELSE $20 END AS digest
    ), cooldown AS (
        INSERT INTO reset_cooldowns AS c (address_digest, last_reset_at) VALUES ($20, now())
        ON CONFLICT (address_digest) DO UPDATE SET last_reset_at = now()
        WHERE c.last_reset_at <= now() - make_interval(secs => $30)
        RETURNING NOT EXISTS (
            SELECT FROM mail_quotas
            WHERE account_digest = (SELECT digest FROM quota) AND mail = 'reset_requested' AND window_started_at > now() - make_interval(secs => $31)
                AND mail_count >= $32 AND last_mail_at > now() - make_interval(secs => $33)
        ) AS is_mailed
    ), superseded AS (
        UPDATE password_resets SET superseded_at = CASE WHEN is_mailed THEN now() END,
            updated_at = CASE WHEN is_mailed THEN now() ELSE updated_at END
        FROM cooldown
        WHERE address_digest = ANY($34) AND reset_password_at IS NULL AND superseded_at IS NULL
    )",
    insert_reset!("cooldown LEFT JOIN customer ON true", "CASE WHEN NOT cooldown.is_mailed THEN now() END"),
    record_main_event!("customer_password_resets", "id", "customer_id", "(SELECT digest FROM quota), $32, $31"),
    record_audit!("audit", "customer_password_resets", "customer_id", "FROM fact WHERE customer_id IS NOT NULL"),
    record_audit!("decoy_audit", "customer_password_resets", "customer_id", "FROM fact WHERE customer_id IS NULL"),
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
    record_change!("customer_password_resets", "id", "customer_id"),
    "SELECT id FROM fact"
);

const DELETE: &str = concat!(
    "WITH fact AS (
        DELETE FROM password_resets
        WHERE id = $16 AND (organization_id, mode) IS NOT DISTINCT FROM ($1, $2) AND customer_id IS NOT NULL
        RETURNING id, customer_id
    )",
    record_change!("customer_password_resets", "id", "customer_id"),
    "SELECT id FROM fact"
);
