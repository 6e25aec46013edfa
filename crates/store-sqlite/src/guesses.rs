use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    secrets::AddressDigest,
    sessions::guesses::{
        FREE_GUESSES, GuessCharge, GuessCounter, GuessSource, MAX_ACCOUNTS_OF_A_NETWORK, MAX_DELAY,
        MAX_KNOWN_NETWORKS, PasswordGuesses,
    },
};
use rekey_sql::rows::{self, Read};
use sqlx::SqliteConnection;
use time::Duration;

use crate::{SqliteStore, after, error::map_db_error};

#[async_trait]
impl PasswordGuesses for SqliteStore {
    async fn charge_guess(&self, source: &GuessSource, budget: u32) -> Result<GuessCharge, StoreError> {
        let (mut transaction, now) = self.write().await?;
        let row = sqlx::query(FIND)
            .bind(source.address.as_bytes().as_slice())
            .bind(source.network.as_ref().map(|network| network.as_bytes().as_slice()))
            .bind(MAX_ACCOUNTS_OF_A_NETWORK)
            .bind(budget)
            .bind(FREE_GUESSES)
            .bind(after(0, MAX_DELAY))
            .bind(now)
            .bind(after(0, Duration::SECOND))
            .fetch_one(&mut *transaction)
            .await
            .map_err(map_db_error)?;
        let charge = rows::guess_charge(&row).map_err(map_db_error)?;
        if let GuessCharge::Charged(counter) = charge {
            sqlx::query(
                "INSERT INTO guess_counters AS g (kind, account_digest, network_digest, window_started_at, last_guess_at, guess_count)
                 VALUES ('password', ?1, COALESCE(?2, x''), ?3, ?3, 1)
                 ON CONFLICT (kind, account_digest, network_digest)
                     DO UPDATE SET guess_count = g.guess_count + 1, last_guess_at = ?3",
            )
            .bind(source.address.as_bytes().as_slice())
            .bind(source.charged_network(counter))
            .bind(now)
            .execute(&mut *transaction)
            .await
            .map_err(map_db_error)?;
        }
        transaction.commit().await.map_err(map_db_error)?;
        Ok(charge)
    }

    async fn return_guess(&self, source: &GuessSource, charged: GuessCounter) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE guess_counters SET guess_count = max(guess_count - 1, 0)
             WHERE kind = 'password' AND account_digest = ?1 AND network_digest = COALESCE(?2, x'')",
        )
        .bind(source.address.as_bytes().as_slice())
        .bind(source.charged_network(charged))
        .execute(&self.writer)
        .await
        .map_err(map_db_error)?;
        Ok(())
    }

    async fn accept_guess(&self, source: &GuessSource, charged: GuessCounter) -> Result<(), StoreError> {
        let (mut transaction, now) = self.write().await?;
        for statement in [ZERO, REMEMBER, FORGET] {
            sqlx::query(statement)
                .bind(source.address.as_bytes().as_slice())
                .bind(source.network.as_ref().map(|network| network.as_bytes().as_slice()))
                .bind(MAX_ACCOUNTS_OF_A_NETWORK)
                .bind(charged == GuessCounter::Others)
                .bind(MAX_KNOWN_NETWORKS)
                .bind(now)
                .execute(&mut *transaction)
                .await
                .map_err(map_db_error)?;
        }
        transaction.commit().await.map_err(map_db_error)
    }
}

/// Zeroes the counters of an account. Its password was set by mail.
pub(crate) async fn unlock(connection: &mut SqliteConnection, address: AddressDigest) -> Read<()> {
    sqlx::query("UPDATE guess_counters SET guess_count = 0 WHERE kind = 'password' AND account_digest = ?1")
        .bind(address.as_bytes().as_slice())
        .execute(connection)
        .await?;
    Ok(())
}

/// How many accounts have signed in from the network ?2.
macro_rules! accounts_of_network {
    () => {
        "(SELECT count(*) FROM guess_counters WHERE network_digest = ?2 AND signed_in_at IS NOT NULL)"
    };
}

/// Finds the counter of a guess, and whether the guess may be charged to it.
const FIND: &str = concat!(
    "WITH counter AS (
        SELECT network_digest IS NOT NULL AS is_known, COALESCE(network_digest, x'') AS network_digest
        FROM (SELECT 1) one LEFT JOIN guess_counters ON kind = 'password' AND account_digest = ?1 AND network_digest = ?2
            AND signed_in_at IS NOT NULL AND ",
    accounts_of_network!(),
    " <= ?3
    ), found AS (
        SELECT is_known, guess_count, last_guess_at
            + CASE WHEN guess_count < ?5 THEN 0 ELSE min(?8 << min(guess_count - ?5, 30), ?6) END - ?7 AS wait
        FROM counter LEFT JOIN guess_counters g
            ON g.kind = 'password' AND g.account_digest = ?1 AND g.network_digest = counter.network_digest
    )
    SELECT is_known, guess_count >= ?4 AS is_locked, wait, guess_count IS NULL OR guess_count < ?4 AND wait <= 0 AS is_charged
    FROM found"
);

const ZERO: &str = "
    UPDATE guess_counters SET guess_count = 0
    WHERE ?4 AND kind = 'password' AND account_digest = ?1 AND network_digest = x''";

const REMEMBER: &str = concat!(
    "INSERT INTO guess_counters (kind, account_digest, network_digest, window_started_at, last_guess_at, guess_count,
        signed_in_at)
     SELECT 'password', ?1, ?2, ?6, ?6, 0, ?6
     WHERE ?2 IS NOT NULL AND (NOT ?4 OR ",
    accounts_of_network!(),
    " <= ?3)
     ON CONFLICT (kind, account_digest, network_digest) DO UPDATE SET last_guess_at = ?6, guess_count = 0, signed_in_at = ?6"
);

/// Keeps the account's networks that were used last.
const FORGET: &str = "
    DELETE FROM guess_counters WHERE kind = 'password' AND account_digest = ?1 AND network_digest IN (
        SELECT network_digest FROM guess_counters
        WHERE kind = 'password' AND account_digest = ?1 AND network_digest <> x''
        ORDER BY signed_in_at DESC LIMIT -1 OFFSET ?5
    )";
