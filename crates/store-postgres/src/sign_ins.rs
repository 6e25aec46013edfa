use rekey_core::{
    ids::AuditId,
    scope::Scope,
    sessions::{MAX_SIGN_IN_ENTRIES, SignInRecord},
};
use rekey_sql::rows::Read;
use time::Duration;

use crate::{
    customers::customer_address,
    events::{auditing, personal_digest, record_audit},
    pool::Pool,
};

/// Counts a log-in, and writes its audit entry if it is among the first of its hour.
pub(crate) async fn record(pool: &Pool, scope: Scope, record: &SignInRecord<'_>) -> Read<()> {
    auditing(RECORD, Some(scope), record.audit)
        .bind(customer_address(scope, record.email))
        .bind(record.account.as_bytes().as_slice())
        .bind(i64::from(MAX_SIGN_IN_ENTRIES))
        .execute(pool)
        .await?;
    Ok(())
}

/// Ends counts of hours that are over; returns how many.
pub(crate) async fn end_counts(pool: &Pool, age: Duration, ids: &[AuditId]) -> Read<u64> {
    let ended: i64 = sqlx::query_scalar(END)
        .bind(age.as_seconds_f64())
        .bind(ids.iter().map(AuditId::as_str).collect::<Vec<_>>())
        .bind(i64::from(MAX_SIGN_IN_ENTRIES))
        .fetch_one(pool)
        .await?;
    Ok(ended.unsigned_abs())
}

/// The lock of the counter's row gives each of several simultaneous log-ins its own number. Known and unknown accounts read and write the
/// same number of rows; the record of a decoy's entry is the entry itself.
const RECORD: &str = concat!(
    "WITH account AS (
        SELECT COALESCE(c.id, '') AS customer_id
        FROM (SELECT) one LEFT JOIN customers c ON (c.organization_id || '/' || c.mode || '/' || c.email) COLLATE \"C\" = $11
    ), counted AS (
        INSERT INTO sign_in_counts AS s (hour_started_at, account_digest, action, customer_id, organization_id, mode, sign_in_count)
        SELECT date_trunc('hour', now(), 'UTC'), $12, $4, customer_id, $1, $2, 1 FROM account
        ON CONFLICT (hour_started_at, account_digest, action, customer_id) DO UPDATE SET sign_in_count = s.sign_in_count + 1
        RETURNING customer_id, sign_in_count
    ), known AS (
        SELECT customer_id AS id FROM counted WHERE sign_in_count <= $13 AND customer_id <> ''
    ), decoy AS (
        SELECT $3 AS id FROM counted WHERE sign_in_count <= $13 AND customer_id = ''
    )",
    record_audit!("audit", "customers", "id", "FROM known"),
    record_audit!("decoy_audit", "customers", "NULL", "FROM decoy"),
    "SELECT FROM counted"
);

/// The log-ins of one entry came through several clients and from several addresses, so it names none. It has the time at which its hour
/// ended. Decoys get no such entry: no caller waits for this statement, so its time shows nothing. Nothing is written about a customer who
/// was deleted meanwhile. It reads nothing back from the log, which the maintenance role can't read.
const END: &str = concat!(
    "WITH ended AS (
        DELETE FROM sign_in_counts WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM sign_in_counts WHERE hour_started_at <= now() - make_interval(secs => $1)
            ORDER BY hour_started_at LIMIT cardinality($2::text[]) FOR UPDATE SKIP LOCKED))
        RETURNING *
    ), others AS (
        SELECT ($2)[row_number() OVER ()] AS audit_id, c.id, ended.organization_id, ended.mode, ended.action,
            ended.sign_in_count - $3 AS occurrences, ended.hour_started_at + interval '1 hour' AS ended_at
        FROM ended JOIN customers c ON c.id = ended.customer_id
        WHERE ended.sign_in_count > $3
    ), personal AS MATERIALIZED (
        SELECT others.*, id AS resource_id, id AS customer_id, uuid_send(gen_random_uuid()) AS salt, NULL::text AS actor_customer_id,
            NULL::text AS session_id, NULL::inet AS address
        FROM others
    ), personal_data AS (
        INSERT INTO audit_personal_data (entry_id, resource_id, customer_id, salt)
        SELECT audit_id, resource_id, customer_id, salt FROM personal
    ), entry AS (
        INSERT INTO audit_entries (id, organization_id, mode, resource_type, action, actor, attributes, personal_digest, occurrences,
            created_at)
        SELECT audit_id, organization_id, mode, 'customers', action, 'client', '{}', ",
    personal_digest!(),
    ", occurrences, ended_at
        FROM personal
    )
    SELECT count(*) FROM ended"
);
