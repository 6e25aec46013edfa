use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    events::audit::AuditEntry,
    ids::ResetId,
    resets::{Redeemed, store::CodeStore},
    scope::Scope,
    secrets::CodeDigest,
};
use rekey_sql::rows;

use crate::{
    PostgresStore,
    error::map_db_error,
    events::{auditing, record_audit},
};

#[async_trait]
impl CodeStore for PostgresStore {
    async fn redeem_code(
        &self,
        scope: Option<Scope>,
        resets: &[ResetId],
        code: &[CodeDigest],
        audits: &[AuditEntry],
    ) -> Result<Option<Redeemed>, StoreError> {
        let Some(audit) = audits.first() else { return Ok(None) };
        let row = auditing(GUESS, scope, audit)
            .bind(resets.iter().map(ResetId::as_str).collect::<Vec<_>>())
            .bind(audits.iter().map(|audit| audit.id.as_str()).collect::<Vec<_>>())
            .bind(code.iter().map(|digest| digest.as_bytes().as_slice()).collect::<Vec<_>>())
            .fetch_optional(&self.pool)
            .await
            .map_err(map_db_error)?;
        row.as_ref().map(rows::redeemed).transpose().map_err(map_db_error)
    }
}

/// Writes the audit entries of accounts that are throttled from now on.
macro_rules! throttled {
    ($tables:literal, $from:literal) => {
        record_audit!(
            $tables,
            "customer_password_resets",
            "customer_id",
            $from,
            "audit_id",
            "$4",
            "$10",
            "organization_id, mode",
            " JOIN (SELECT audit_id, organization_id, mode FROM throttled) scope ON audit_id = entry_id"
        )
    };
}

/// Charges the guess, and finds the reset if a guess was left and it is right.
///
/// Counting locks the row of an account's guesses, so that each of several simultaneous guesses gets its own number, and only those within
/// the budget are compared. Guesses at a reset that can't be used any more are charged for another window, too: decoys are kept that
/// long, and take the same time. The statement does not wait for a reset that another one has locked: the count refuses its code until the window ends.
///
/// Each reset is found by its id or by its account: see decision 8 for the forms of the conditions.
///
/// The guess that uses up the budget of an account writes an audit entry about one of its resets, a real one if there is one: decoys at
/// other suffixes of an address must not keep the guesses out of its owner's log.
const GUESS: &str = concat!("
    WITH target AS (
        SELECT id, organization_id, mode, customer_id, account_digest, code_guess_budget, code_window_seconds FROM password_resets
        WHERE id = ANY($11) AND ($1 IS NULL OR (organization_id, mode) IS NOT DISTINCT FROM ($1, $2))
            AND code_guess_budget IS NOT NULL AND expires_at + make_interval(secs => code_window_seconds) > now()
    ), account AS (
        SELECT account_digest, min(code_guess_budget) AS budget, max(code_window_seconds) AS seconds FROM target
        GROUP BY account_digest
    ), charge AS (
        INSERT INTO guess_counters AS g (kind, account_digest, network_digest, window_started_at, last_guess_at, guess_count)
        SELECT 'code', account_digest, '', now(), now(), 1 FROM account
        -- In one order, so that guesses at the same accounts wait for each other, and not in a circle.
        ORDER BY account_digest
        ON CONFLICT (kind, account_digest, network_digest) DO UPDATE SET last_guess_at = now(),
            window_started_at = CASE WHEN g.window_started_at > now() - make_interval(
                    secs => (SELECT seconds FROM account a WHERE a.account_digest = g.account_digest))
                THEN g.window_started_at ELSE now() END,
            guess_count = CASE WHEN g.window_started_at > now() - make_interval(
                    secs => (SELECT seconds FROM account a WHERE a.account_digest = g.account_digest))
                THEN LEAST(g.guess_count, 1000000) + 1 ELSE 1 END
        RETURNING account_digest, guess_count
    ), dying AS (
        SELECT r.id FROM account a JOIN charge ON charge.account_digest = a.account_digest AND charge.guess_count >= a.budget
        CROSS JOIN LATERAL (
            SELECT id FROM password_resets WHERE account_digest = a.account_digest AND code_digest IS NOT NULL
            FOR UPDATE SKIP LOCKED
        ) r
    ), dead AS (
        UPDATE password_resets r SET code_digest = NULL FROM dying WHERE r.id = dying.id
    ), throttled AS (
        SELECT DISTINCT ON (r.account_digest) r.id, r.customer_id, r.organization_id, r.mode,
            ($12::text[])[array_position($11, (SELECT min(t.id) FROM target t WHERE t.account_digest = r.account_digest))] AS audit_id
        FROM account a JOIN charge ON charge.account_digest = a.account_digest AND charge.guess_count = a.budget
        CROSS JOIN LATERAL (
            SELECT id, organization_id, mode, customer_id, account_digest FROM password_resets
            WHERE account_digest = a.account_digest AND code_digest IS NOT NULL
            UNION SELECT id, organization_id, mode, customer_id, account_digest FROM target WHERE account_digest = a.account_digest
        ) r
        ORDER BY r.account_digest, r.customer_id IS NULL, r.id
    )",
    throttled!("audit", "FROM throttled WHERE customer_id IS NOT NULL"),
    throttled!("decoy_audit", "FROM throttled WHERE customer_id IS NULL"),
    "
    SELECT r.id, r.organization_id, r.mode, r.sealed_token
    FROM password_resets r JOIN target ON r.id = target.id JOIN account a ON a.account_digest = target.account_digest
        JOIN charge ON charge.account_digest = a.account_digest AND charge.guess_count <= a.budget
    WHERE COALESCE(r.code_digest = ANY($13), false)
        AND COALESCE(r.reset_password_at, r.superseded_at) IS NULL AND r.expires_at > now()"
);
