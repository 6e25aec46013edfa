use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    idempotency::{AnswerStore, Claimed, KeyClaim},
    scope::Scope,
    secrets::{KeyDigest, SealedAnswer},
};
use rekey_sql::rows::{self, Read};
use sqlx::SqliteConnection;

use crate::{SqliteStore, after, error::map_db_error};

#[async_trait]
impl AnswerStore for SqliteStore {
    async fn claim_key(&self, scope: Scope, claim: &KeyClaim<'_>) -> Result<Claimed, StoreError> {
        let (mut transaction, present) = self.write().await?;
        let claimed = claimed(&mut transaction, scope, claim, present).await.map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(claimed)
    }

    async fn settle_key(
        &self,
        scope: Scope,
        key: &KeyDigest,
        attempt: u32,
        answer: Option<&SealedAnswer>,
    ) -> Result<bool, StoreError> {
        let (mut transaction, present) = self.write().await?;
        sqlx::query(FORGET)
            .bind(present)
            .bind(key.as_bytes().as_slice())
            .execute(&mut *transaction)
            .await
            .map_err(map_db_error)?;
        let done = sqlx::query(
            "UPDATE idempotency_keys SET answer = ?5, lease_until = NULL
             WHERE digest = ?1 AND organization_id = ?2 AND mode = ?3 AND attempts = ?4 AND lease_until IS NOT NULL",
        )
        .bind(key.as_bytes().as_slice())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(attempt)
        .bind(answer.map(SealedAnswer::as_bytes))
        .execute(&mut *transaction)
        .await
        .map_err(map_db_error)?;
        transaction.commit().await.map_err(map_db_error)?;
        Ok(done.rows_affected() == 1)
    }
}

/// Claims the key: returns one row if it could be claimed, none otherwise. Its record stays as long as the request is the same: the
/// stored fingerprint is found in ?5, which joins all fingerprints of this request.
const CLAIM: &str = "
    INSERT INTO idempotency_keys AS k (digest, organization_id, mode, fingerprint, record_id, lease_until, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?6, ?7, ?8)
    ON CONFLICT (digest) DO UPDATE SET fingerprint = excluded.fingerprint, lease_until = excluded.lease_until,
        answer = NULL, attempts = k.attempts + 1,
        record_id = CASE WHEN k.expires_at > ?9 AND instr(?5, k.fingerprint) THEN k.record_id
            ELSE excluded.record_id END,
        expires_at = CASE WHEN k.expires_at > ?9 AND instr(?5, k.fingerprint)
            THEN max(k.expires_at, excluded.lease_until) ELSE excluded.expires_at END
    WHERE k.expires_at <= ?9
        OR k.answer IS NULL AND k.lease_until IS NULL
        OR k.lease_until <= ?9 AND instr(?5, k.fingerprint)
    RETURNING record_id, attempts";

/// Deletes up to eight expired keys.
const FORGET: &str = "
    DELETE FROM idempotency_keys WHERE digest IN (
        SELECT digest FROM idempotency_keys WHERE expires_at <= ?1 AND digest <> ?2 ORDER BY expires_at LIMIT 8)";

async fn claimed(
    connection: &mut SqliteConnection,
    scope: Scope,
    claim: &KeyClaim<'_>,
    present: i64,
) -> Read<Claimed> {
    let granted = sqlx::query(CLAIM)
        .bind(claim.key.as_bytes().as_slice())
        .bind(scope.organization.as_str())
        .bind(scope.mode.as_str())
        .bind(claim.fingerprints.first().map(|fingerprint| fingerprint.as_bytes().as_slice()))
        .bind(fingerprints(claim))
        .bind(claim.record.as_str())
        .bind(after(present, claim.lease))
        .bind(after(present, claim.ttl))
        .bind(present)
        .fetch_optional(&mut *connection)
        .await?;
    match granted {
        Some(row) => rows::claimed_key(&row),
        None => refused(connection, claim).await,
    }
}

fn fingerprints(claim: &KeyClaim<'_>) -> Vec<u8> {
    claim.fingerprints.iter().flat_map(|fingerprint| *fingerprint.as_bytes()).collect()
}

/// Returns why a key could not be claimed.
async fn refused(connection: &mut SqliteConnection, claim: &KeyClaim<'_>) -> Read<Claimed> {
    let (same, answer): (bool, Option<Vec<u8>>) =
        sqlx::query_as("SELECT instr(?2, fingerprint) > 0, answer FROM idempotency_keys WHERE digest = ?1")
            .bind(claim.key.as_bytes().as_slice())
            .bind(fingerprints(claim))
            .fetch_one(connection)
            .await?;
    Ok(match (same, answer) {
        (false, _) => Claimed::OtherRequest,
        (true, Some(answer)) => Claimed::Answered(SealedAnswer::from_bytes(answer)),
        (true, None) => Claimed::Running,
    })
}
