use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    sessions::guesses::{
        FREE_GUESSES, GuessCharge, GuessCounter, GuessSource, MAX_ACCOUNTS_OF_A_NETWORK, MAX_DELAY,
        MAX_KNOWN_NETWORKS, PasswordGuesses,
    },
};
use rekey_sql::rows;

use crate::{PostgresStore, error::map_db_error};

#[async_trait]
impl PasswordGuesses for PostgresStore {
    async fn charge_guess(&self, source: &GuessSource, budget: u32) -> Result<GuessCharge, StoreError> {
        let row = sqlx::query(CHARGE)
            .bind(source.address.as_bytes().as_slice())
            .bind(source.network.as_ref().map(|network| network.as_bytes().as_slice()))
            .bind(i64::from(MAX_ACCOUNTS_OF_A_NETWORK))
            .bind(i64::from(budget))
            .bind(i64::from(FREE_GUESSES))
            .bind(MAX_DELAY.as_seconds_f64())
            .fetch_one(&self.pool)
            .await
            .map_err(map_db_error)?;
        rows::guess_charge(&row).map_err(map_db_error)
    }

    async fn return_guess(&self, source: &GuessSource, charged: GuessCounter) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE guess_counters SET guess_count = GREATEST(guess_count - 1, 0)
             WHERE kind = 'password' AND account_digest = $1 AND network_digest = COALESCE($2, '\\x')",
        )
        .bind(source.address.as_bytes().as_slice())
        .bind(source.charged_network(charged))
        .execute(&self.pool)
        .await
        .map_err(map_db_error)?;
        Ok(())
    }

    async fn accept_guess(&self, source: &GuessSource, charged: GuessCounter) -> Result<(), StoreError> {
        sqlx::query(ACCEPT)
            .bind(source.address.as_bytes().as_slice())
            .bind(source.network.as_ref().map(|network| network.as_bytes().as_slice()))
            .bind(i64::from(MAX_ACCOUNTS_OF_A_NETWORK))
            .bind(charged == GuessCounter::Others)
            .bind(i64::from(MAX_KNOWN_NETWORKS))
            .execute(&self.pool)
            .await
            .map_err(map_db_error)?;
        Ok(())
    }
}

/// How many accounts have signed in from the network $2, up to one more than $3.
macro_rules! accounts_of_network {
    () => {
        "(SELECT count(*) FROM (
            SELECT FROM guess_counters WHERE network_digest = $2 AND signed_in_at IS NOT NULL LIMIT $3 + 1
        ) account)"
    };
}

/// When the next guess at the counter `g` may be made.
macro_rules! next_guess_at {
    () => {
        "g.last_guess_at + make_interval(secs =>
            CASE WHEN g.guess_count < $5 THEN 0 ELSE LEAST(power(2, LEAST(g.guess_count - $5, 30)), $6) END)"
    };
}

/// The lock of the counter's row gives each of several simultaneous guesses its own number.
const CHARGE: &str = concat!(
    "WITH counter AS (
        SELECT network_digest IS NOT NULL AS is_known, COALESCE(network_digest, '\\x') AS network_digest
        FROM (SELECT) one LEFT JOIN guess_counters ON kind = 'password' AND account_digest = $1 AND network_digest = $2
            AND signed_in_at IS NOT NULL AND ",
    accounts_of_network!(),
    " <= $3
    ), charged AS (
        INSERT INTO guess_counters AS g (kind, account_digest, network_digest, window_started_at, last_guess_at, guess_count)
        SELECT 'password', $1, network_digest, now(), now(), 1 FROM counter
        ON CONFLICT (kind, account_digest, network_digest) DO UPDATE SET guess_count = g.guess_count + 1, last_guess_at = now()
        WHERE g.guess_count < $4 AND ",
    next_guess_at!(),
    " <= now()
        RETURNING true
    )
    SELECT EXISTS (SELECT FROM charged) AS is_charged, is_known, g.guess_count >= $4 AS is_locked,
        (EXTRACT(EPOCH FROM ",
    next_guess_at!(),
    " - now()) * 1000000)::bigint AS wait
    FROM counter LEFT JOIN guess_counters g
        ON g.kind = 'password' AND g.account_digest = $1 AND g.network_digest = counter.network_digest"
);

/// Zeroes the common counter, if it was charged, and the network's, which it remembers.
const ACCEPT: &str = concat!(
    "WITH zeroed AS (
        UPDATE guess_counters SET guess_count = 0
        WHERE $4 AND kind = 'password' AND account_digest = $1 AND network_digest = ''
    ), known AS (
        INSERT INTO guess_counters (kind, account_digest, network_digest, window_started_at, last_guess_at, guess_count,
            signed_in_at)
        SELECT 'password', $1, $2, now(), now(), 0, now()
        WHERE $2 IS NOT NULL AND (NOT $4 OR ",
    accounts_of_network!(),
    " <= $3)
        ON CONFLICT (kind, account_digest, network_digest) DO UPDATE SET last_guess_at = now(), guess_count = 0, signed_in_at = now()
        RETURNING network_digest
    )
    DELETE FROM guess_counters WHERE kind = 'password' AND account_digest = $1 AND network_digest = ANY (ARRAY(
        SELECT g.network_digest FROM guess_counters g
        WHERE g.kind = 'password' AND g.account_digest = $1 AND g.network_digest NOT IN ('', (SELECT network_digest FROM known))
        ORDER BY g.signed_in_at DESC OFFSET $5 - 1
    ))"
);
