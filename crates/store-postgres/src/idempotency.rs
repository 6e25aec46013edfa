use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    idempotency::{AnswerStore, Claimed, KeyClaim},
    scope::Scope,
    secrets::{KeyDigest, SealedAnswer},
};
use rekey_sql::rows;

use crate::{PostgresStore, error::map_db_error, pool::Pool};

#[async_trait]
impl AnswerStore for PostgresStore {
    async fn claim_key(&self, scope: Scope, claim: &KeyClaim<'_>) -> Result<Claimed, StoreError> {
        let row = sqlx::query(CLAIM)
            .bind(claim.key.as_bytes().as_slice())
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .bind(fingerprints(claim))
            .bind(claim.record.as_str())
            .bind(claim.lease.as_seconds_f64())
            .bind(claim.ttl.as_seconds_f64())
            .fetch_optional(&self.pool)
            .await
            .map_err(map_db_error)?;
        match row {
            Some(row) => rows::claimed_key(&row).map_err(map_db_error),
            None => refused(&self.pool, claim).await,
        }
    }

    async fn settle_key(
        &self,
        scope: Scope,
        key: &KeyDigest,
        attempt: u32,
        answer: Option<&SealedAnswer>,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(SETTLE)
            .bind(key.as_bytes().as_slice())
            .bind(scope.organization.as_str())
            .bind(scope.mode.as_str())
            .bind(i64::from(attempt))
            .bind(answer.map(SealedAnswer::as_bytes))
            .execute(&self.pool)
            .await
            .map_err(map_db_error)?;
        Ok(done.rows_affected() == 1)
    }
}

/// Claims the key: returns one row if it could be claimed, none otherwise. Its record stays as long as the request is the same.
const CLAIM: &str = "
    INSERT INTO idempotency_keys AS k (digest, organization_id, mode, fingerprint, record_id, lease_until, expires_at)
    VALUES ($1, $2, $3, ($4::bytea[])[1], $5, now() + make_interval(secs => $6), now() + make_interval(secs => $7))
    ON CONFLICT (digest) DO UPDATE SET fingerprint = excluded.fingerprint, lease_until = excluded.lease_until,
        answer = NULL, attempts = k.attempts + 1,
        record_id = CASE WHEN k.expires_at > now() AND k.fingerprint = ANY ($4) THEN k.record_id
            ELSE excluded.record_id END,
        expires_at = CASE WHEN k.expires_at > now() AND k.fingerprint = ANY ($4)
            THEN GREATEST(k.expires_at, excluded.lease_until) ELSE excluded.expires_at END
    WHERE k.expires_at <= now()
        OR k.answer IS NULL AND k.lease_until IS NULL
        OR k.lease_until <= now() AND k.fingerprint = ANY ($4)
    RETURNING record_id, attempts";

/// Stores the answer or frees the key, and deletes up to eight expired keys. Simultaneous calls delete different ones.
const SETTLE: &str = "
    WITH forgotten AS (
        DELETE FROM idempotency_keys WHERE digest IN (
            SELECT digest FROM idempotency_keys WHERE expires_at <= now() AND digest <> $1
            ORDER BY expires_at LIMIT 8 FOR UPDATE SKIP LOCKED)
    )
    UPDATE idempotency_keys SET answer = $5, lease_until = NULL
    WHERE digest = $1 AND organization_id = $2 AND mode = $3 AND attempts = $4 AND lease_until IS NOT NULL";

fn fingerprints(claim: &KeyClaim<'_>) -> Vec<Vec<u8>> {
    claim.fingerprints.iter().map(|fingerprint| fingerprint.as_bytes().to_vec()).collect()
}

/// Returns why a key could not be claimed.
async fn refused(pool: &Pool, claim: &KeyClaim<'_>) -> Result<Claimed, StoreError> {
    let row: Option<(bool, Option<Vec<u8>>)> =
        sqlx::query_as("SELECT fingerprint = ANY ($2), answer FROM idempotency_keys WHERE digest = $1")
            .bind(claim.key.as_bytes().as_slice())
            .bind(fingerprints(claim))
            .fetch_optional(pool)
            .await
            .map_err(map_db_error)?;
    Ok(match row {
        Some((false, _)) => Claimed::OtherRequest,
        Some((true, Some(answer))) => Claimed::Answered(SealedAnswer::from_bytes(answer)),
        // Without a row, the key was deleted just now: the next try gets it.
        Some((true, None)) | None => Claimed::Running,
    })
}
