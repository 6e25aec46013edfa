//! The database ports on PostgreSQL 13 or later.
//!
//! One business fact is one statement wherever possible: its parts are common table expressions, so they are written together or not at
//! all, in one round trip. Times are the server's `now()`. Statements are checked by running every one of them against a real server in
//! the conformance suite, not by the compiler.

mod anonymization;
mod attributes;
mod audit_chain;
mod callback_replay;
mod catalog;
mod cause;
mod circuit_mails;
mod cleanup;
mod clients;
mod codes;
mod console;
mod customers;
mod delivery_log;
mod email_changes;
mod erasure;
mod error;
mod events;
mod gauges;
mod guesses;
mod idempotency;
mod import;
mod inspection;
mod key_rotation;
mod key_usage;
mod ledger;
mod limits;
mod metrics;
mod migration;
mod operators;
mod organizations;
mod outbox;
mod pool;
mod refresh_tokens;
mod reports;
mod resets;
mod sessions;
mod sign_ins;
mod suppressions;
mod tokens;
mod webhook_log;
mod webhooks;

use std::{net::IpAddr, str::FromStr, time::Duration};

use async_trait::async_trait;
use rekey_core::{
    error::{Advised, StoreError},
    ping::Ping,
};
use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use tokio::time::timeout;

/// For benchmarks, which compare it with other ways to execute it.
pub use crate::resets::CREATE_BY_INTEGRATION;

pub use crate::{
    console::{MAX_MAILS_COUNTED, MailCount, RECENT_MAILS, RelayReply},
    inspection::DatabaseFacts,
    key_usage::{KnownKeys, SealedCount},
    webhook_log::{CallbackFilter, LoggedCallback, LoggedWebhook},
    webhooks::WebhookSecrets,
};

use crate::{
    error::map_db_error,
    pool::{Pool, too_late},
};

/// All database ports on one PostgreSQL database. Clones share one pool of connections.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    pool: Pool,
    /// How to connect without the pool's limits on statements.
    options: PgConnectOptions,
    connect_timeout: Duration,
}

/// How many connections are opened to find out whether they lead to a pooler that mixes their sessions up.
const PROBES: usize = 3;

impl PostgresStore {
    /// Makes a store on the database at `url`, with at most `max_connections` connections. A call that gets none of them within
    /// `acquire_timeout` fails as unavailable. Connections are opened when they are needed, so this does not fail because the server
    /// is down. Must be called on a Tokio runtime.
    pub fn connect(url: &str, max_connections: u32, acquire_timeout: Duration) -> Result<Self, StoreError> {
        // The parser's error is left out: it may show the URL, and so its password.
        let options = PgConnectOptions::from_str(url).map_err(|_| {
            StoreError::Internal("database.url is not a URL of PostgreSQL with known parameters".into())
        })?;
        let options = without_brackets(options)
            .application_name("rekey")
            // A parameter that PgBouncer refuses at startup. It is about floating point numbers as text; the driver reads them in binary.
            .extra_float_digits(None);
        let pool = Pool::new(options.clone(), max_connections, acquire_timeout)
            .map_err(|error| StoreError::Internal(error.into()))?;
        Ok(Self { pool, options, connect_timeout: acquire_timeout })
    }

    /// Measures its pool of connections from now on, under that name.
    #[must_use]
    pub fn measured_as(mut self, name: &'static str) -> Self {
        self.pool.measure(name);
        self
    }

    /// Opens a connection without limits on its statements, which the pool does not share.
    async fn connect_alone(&self) -> Result<PgConnection, StoreError> {
        let connected = timeout(self.connect_timeout, PgConnection::connect_with(&self.options)).await;
        connected.unwrap_or_else(|_| Err(too_late())).map_err(map_db_error)
    }

    /// Checks that the database can be reached and used.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it can't be reached now. [`StoreError::Internal`] when it never can be used like this: it refuses
    /// our name or password, or a pooler in transaction mode gives statements that one connection has prepared to others.
    pub async fn check(&self) -> Result<(), StoreError> {
        if let Some(mode) = self.unverified_mode() {
            tracing::warn!(
                host = self.options.get_host(),
                sslmode = mode,
                "database.url does not verify the database's server: whoever is in between can read and change everything; set \
                 sslmode=verify-full, and sslrootcert for a private certificate authority"
            );
        }
        let mut connections = Vec::with_capacity(PROBES);
        for _ in 0..PROBES {
            let mut connection = self.connect_alone().await?;
            // sqlx names the first statement of every connection alike.
            let probed =
                timeout(self.connect_timeout, sqlx::query("SELECT 1").execute(&mut connection)).await;
            match probed.unwrap_or_else(|_| Err(too_late())) {
                Ok(_) => connections.push(connection),
                Err(sqlx::Error::Database(error)) if is_mixed_up(error.code().as_deref()) => {
                    return Err(StoreError::Internal(mixed_up().into()));
                }
                Err(error) => return Err(map_db_error(error)),
            }
        }
        for connection in connections {
            connection.close().await.map_err(map_db_error)?;
        }
        Ok(())
    }

    /// Returns the TLS mode of connections to another machine, if it does not verify the database's server.
    #[must_use]
    pub fn unverified_mode(&self) -> Option<&'static str> {
        unverified_mode(&self.options)
    }

    /// Closes all connections. Calls from now on fail as unavailable. A database that does not answer holds this up for a second.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Makes an IPv6 address one that can be connected to. The driver would look its brackets up in the DNS.
fn without_brackets(options: PgConnectOptions) -> PgConnectOptions {
    let address = options.get_host().strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match address.and_then(|address| address.parse::<IpAddr>().ok()) {
        Some(address) => options.host(&address.to_canonical().to_string()),
        None => options,
    }
}

/// Returns the TLS mode of connections to another machine if they don't verify the server's certificate and its name.
fn unverified_mode(options: &PgConnectOptions) -> Option<&'static str> {
    let host = options.get_host();
    let is_this_machine = options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback());
    match options.get_ssl_mode() {
        _ if is_this_machine => None,
        PgSslMode::Disable => Some("disable"),
        PgSslMode::Allow => Some("allow"),
        PgSslMode::Prefer => Some("prefer"),
        PgSslMode::Require => Some("require"),
        PgSslMode::VerifyCa => Some("verify-ca"),
        PgSslMode::VerifyFull => None,
    }
}

/// The error of such a pooler.
fn mixed_up() -> Advised {
    Advised {
        what: "database.url leads to a pooler in transaction mode that does not keep prepared statements apart (PgBouncer before 1.21)"
            .to_owned(),
        advice: "use its session mode, or PgBouncer 1.21 with max_prepared_statements, or no pooler",
    }
}

/// Whether that is the error of a statement that another connection has prepared, or of one that only another connection has.
fn is_mixed_up(code: Option<&str>) -> bool {
    // duplicate_prepared_statement, invalid_sql_statement_name (PostgreSQL's manual, appendix A).
    matches!(code, Some("42P05" | "26000"))
}

#[async_trait]
impl Ping for PostgresStore {
    async fn ping(&self) -> Result<(), StoreError> {
        let is_read_only: bool =
            sqlx::query_scalar("SELECT current_setting('transaction_read_only')::boolean")
                .fetch_one(&self.pool)
                .await
                .map_err(map_db_error)?;
        if is_read_only {
            self.pool.distrust();
            let what = "the database is read-only".to_owned();
            let advice = "database.url must lead to the primary server";
            return Err(StoreError::Unavailable(Advised { what, advice }.into()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(url: &str) -> PgConnectOptions {
        without_brackets(url.parse().unwrap())
    }

    /// C6: see also `tests/server.rs`.
    #[test]
    fn an_address_in_brackets_is_an_address() {
        for (host, expected) in [
            ("[2001:db8::5]", "2001:db8::5"),
            ("[::ffff:127.0.0.2]", "127.0.0.2"),
            ("db.example", "db.example"),
            ("192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(options(&format!("postgres://u@{host}:5432/d")).get_host(), expected);
        }
    }

    /// A14.
    #[test]
    fn only_a_verified_server_is_trusted_elsewhere() {
        for (url, mode) in [
            ("postgres://db.example/d", Some("prefer")),
            ("postgres://db.example/d?sslmode=require", Some("require")),
            ("postgres://192.0.2.1/d?sslmode=verify-ca", Some("verify-ca")),
            ("postgres://[2001:db8::5]/d?sslmode=disable", Some("disable")),
            ("postgres://localhost/d?host=db.example", Some("prefer")),
            ("postgres://db.example/d?sslmode=verify-full", None),
            ("postgres://localhost/d", None),
            ("postgres://[::1]/d?sslmode=disable", None),
            ("postgres://127.0.0.1/d", None),
            ("postgres://%2Fvar%2Frun%2Fpostgresql/d", None),
            ("postgres:///d?host=/var/run/postgresql", None),
        ] {
            assert_eq!(unverified_mode(&options(url)), mode, "{url}");
        }
    }
}
