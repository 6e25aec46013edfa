use std::collections::{HashMap, hash_map::Entry};

use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    events::audit::AuditEntry,
    ids::ResetId,
    resets::{Redeemed, store::CodeStore},
    scope::Scope,
    secrets::CodeDigest,
};
use rekey_sql::rows::{self, Read};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow, types::Json};
use time::Duration;

use crate::{
    SqliteStore, after,
    error::map_db_error,
    events::record_audit,
    resets::{self, pending},
};

#[async_trait]
impl CodeStore for SqliteStore {
    async fn redeem_code(
        &self,
        scope: Option<Scope>,
        resets: &[ResetId],
        code: &[CodeDigest],
        audits: &[AuditEntry],
    ) -> Result<Option<Redeemed>, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let targets = targets(&mut transaction, scope, resets, now).await.map_err(map_db_error)?;
        let right = guess(&mut transaction, &targets, code, audits, now).await.map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(right)
    }
}

/// Returns the resets that were made with a code, whether it can be used or not.
async fn targets(
    connection: &mut SqliteConnection,
    scope: Option<Scope>,
    resets: &[ResetId],
    now: i64,
) -> Read<Vec<SqliteRow>> {
    sqlx::query(concat!(
        "SELECT r.id, r.organization_id, r.mode, r.sealed_token, r.account_digest, r.code_digest, ",
        "min(r.code_guess_budget) OVER account AS budget, max(r.code_window_seconds) OVER account AS seconds, ",
        pending!(),
        " AS pending FROM password_resets r WHERE r.id IN (SELECT value FROM json_each(?2)) ",
        "AND r.code_guess_budget IS NOT NULL AND r.expires_at + r.code_window_seconds * 1000000 > ?1 AND (?3 IS NULL OR r.organization_id = ?3 AND r.mode = ?4) ",
        "WINDOW account AS (PARTITION BY r.account_digest)"
    ))
    .bind(now)
    .bind(Json(resets.iter().map(ResetId::as_str).collect::<Vec<_>>()))
    .bind(scope.map(|scope| scope.organization.to_string()))
    .bind(scope.map(|scope| scope.mode.as_str()))
    .fetch_all(connection)
    .await
}

/// Charges the guess to each account once, and compares the code with the resets of accounts within their budget.
async fn guess(
    connection: &mut SqliteConnection,
    targets: &[SqliteRow],
    code: &[CodeDigest],
    audits: &[AuditEntry],
    now: i64,
) -> Read<Option<Redeemed>> {
    let mut accounts = HashMap::new();
    let mut right = None;
    for (target, audit) in targets.iter().zip(audits) {
        let is_within_budget = match accounts.entry(target.try_get::<Vec<u8>, _>("account_digest")?) {
            Entry::Occupied(charged) => *charged.get(),
            Entry::Vacant(account) => *account.insert(charge(connection, target, audit, now).await?),
        };
        if is_within_budget && is_right(target, code)? {
            right = Some(rows::redeemed(target)?);
        }
    }
    Ok(right)
}

/// Charges the guess to the target's account; false when its budget is used up. The last guess removes the codes of all the
/// account's resets, and leaves the audit entry.
async fn charge(
    connection: &mut SqliteConnection,
    target: &SqliteRow,
    audit: &AuditEntry,
    now: i64,
) -> Read<bool> {
    let account: Vec<u8> = target.try_get("account_digest")?;
    let budget: i64 = target.try_get("budget")?;
    let window = Duration::seconds_f64(target.try_get("seconds")?);
    let used: i64 = sqlx::query_scalar(
        "INSERT INTO guess_counters AS g (kind, account_digest, window_started_at, last_guess_at, guess_count)
         VALUES ('code', ?1, ?2, ?2, 1)
         ON CONFLICT (kind, account_digest, network_digest) DO UPDATE SET last_guess_at = ?2,
             window_started_at = CASE WHEN g.window_started_at > ?3 THEN g.window_started_at ELSE ?2 END,
             guess_count = CASE WHEN g.window_started_at > ?3 THEN min(g.guess_count, 1000000) + 1 ELSE 1 END
         RETURNING guess_count",
    )
    .bind(&account)
    .bind(now)
    .bind(after(now, -window))
    .fetch_one(&mut *connection)
    .await?;
    if used == budget {
        let scope = Scope {
            organization: rows::parsed(target, "organization_id")?,
            mode: rows::parsed(target, "mode")?,
        };
        // A real reset, if there is one: decoys at other suffixes of an address must not keep the guesses out of its owner's log.
        let row = sqlx::query(
            "SELECT id FROM password_resets WHERE account_digest = ?1 AND (code_digest IS NOT NULL OR id = ?2)
             ORDER BY customer_id IS NULL, id LIMIT 1",
        )
        .bind(&account)
        .bind(target.try_get::<&str, _>("id")?)
        .fetch_one(&mut *connection)
        .await?;
        let reset: ResetId = rows::parsed(&row, "id")?;
        record_audit(&mut *connection, resets::subject(scope, &reset), audit, now).await?;
    }
    if used >= budget {
        sqlx::query(
            "UPDATE password_resets SET code_digest = NULL WHERE account_digest = ?1 AND code_digest IS NOT NULL",
        )
        .bind(&account)
        .execute(&mut *connection)
        .await?;
    }
    Ok(used <= budget)
}

fn is_right(target: &SqliteRow, code: &[CodeDigest]) -> Read<bool> {
    let kept: Option<&[u8]> = target.try_get("code_digest")?;
    let kept = kept.and_then(CodeDigest::from_bytes);
    Ok(target.try_get("pending")? && kept.is_some_and(|kept| code.contains(&kept)))
}
