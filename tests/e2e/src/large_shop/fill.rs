use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The shop's organization.
pub const ORGANIZATION: &str = "BENCHSHOP1";
/// The number of resets of each customer.
const RESETS_EACH: u32 = 5;

/// Writes a shop with that many resets, one every ten seconds until now: 70 % are used, 60 % have a reference, 75 % come from one
/// of three systems, 50 % have metadata, of which 0.1 % have the same campaign. Each led to a mail, of which 0.5 % bounced, 0.3 %
/// were deferred, 0.2 % are queued and 0.01 % are decoys'. About half of the customers have a password, half read German, 0.1 %
/// Swedish. Ids are random, as real ones are.
pub async fn fill(url: &str, resets: u32) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let customers = (resets / RESETS_EACH).max(1);
    let statements = format!(
        "INSERT INTO organizations (id, slug, name) VALUES ('{ORGANIZATION}', 'shop', 'The Shop');
         INSERT INTO customers (id, organization_id, mode, email, reference, locale, metadata)
         SELECT reverse(lpad(n::text, 10, '0')), '{ORGANIZATION}', 'live', format('customer%s@example.com', n), 'C-' || n,
             CASE WHEN n % 1000 = 77 THEN 'sv' WHEN n % 2 = 0 THEN 'de' END, '{{}}'
         FROM generate_series(1, {customers}) n;
         INSERT INTO customer_passwords (customer_id, hash) SELECT id, 'none' FROM customers WHERE id < '5';
         INSERT INTO password_resets (id, organization_id, mode, customer_id, origin, token_digest, sealed_token, expires_at,
             reset_password_at, reference, reference_origin, metadata, created_at, updated_at)
         SELECT reverse(lpad(n::text, 10, '0')), '{ORGANIZATION}', 'live', reverse(lpad((n % {customers} + 1)::text, 10, '0')),
             'integration', sha256(n::text::bytea), decode(repeat('5e', 96), 'hex'), at + interval '6 hours',
             used_at, CASE WHEN n % 5 < 3 THEN 'ORDER-' || n END, (ARRAY['crm', 'erp', 'shop', NULL])[n % 4 + 1],
             CASE WHEN n % 2 = 0 THEN '{{}}' ELSE jsonb_build_object('campaign', format('c%s', n % 1000), 'nth', n) END,
             at, COALESCE(used_at, at)
         FROM generate_series(1, {resets}) n,
             LATERAL (SELECT now() - ({resets} - n) * interval '10 seconds' AS at) made,
             LATERAL (SELECT CASE WHEN n % 10 < 7 THEN at + interval '7 minutes' END AS used_at) used;
         INSERT INTO deliveries (event_id, organization_id, mode, customer_id, reset_id, mail, status, attempts, smtp_code,
             detail, sent_at, created_at, updated_at)
         SELECT reverse(lpad((n * 7)::text, 10, 'e')), '{ORGANIZATION}', 'live',
             CASE WHEN n % 10000 > 0 THEN reverse(lpad((n % {customers} + 1)::text, 10, '0')) END,
             reverse(lpad(n::text, 10, '0')), 'reset_requested', status, 1, code, status,
             CASE WHEN status = 'sent' THEN at + interval '1 second' END, at, at + interval '1 second'
         FROM generate_series(1, {resets}) n,
             LATERAL (SELECT now() - ({resets} - n) * interval '10 seconds' AS at) made,
             LATERAL (SELECT CASE WHEN n % 1000 < 5 THEN 'bounced' WHEN n % 1000 < 8 THEN 'deferred'
                 WHEN n % 1000 < 10 THEN 'queued' ELSE 'sent' END AS status) fate,
             LATERAL (SELECT CASE status WHEN 'bounced' THEN 550 WHEN 'deferred' THEN 450 WHEN 'sent' THEN 250 END AS code) reply;"
    );
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.unwrap();
    // As autovacuum does sooner or later.
    sqlx::raw_sql("VACUUM (ANALYZE)").execute(&mut connection).await.unwrap();
}

/// Replaces the indexes for lists of resets by those of migration 0001.
pub async fn restore_first_indexes(url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let statements = "DROP INDEX password_resets_created, password_resets_updated, password_resets_reference,
             password_resets_origin, password_resets_unused, password_resets_used, password_resets_customer,
             password_resets_token, password_resets_metadata;
         CREATE INDEX password_resets_listing ON password_resets (organization_id, mode, created_at DESC, id);
         CREATE INDEX password_resets_pending ON password_resets (customer_id)
             WHERE reset_password_at IS NULL AND superseded_at IS NULL;";
    sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
}
