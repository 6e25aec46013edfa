//! The database: connection, version, roles, migrations, rights, and its clock.

use rekey_core::{
    clock::{Clock, SystemClock},
    error::StoreError,
    ping::Ping,
};
use rekey_runtime::config::{Configuration, Database};
use rekey_store_postgres::{DatabaseFacts, PostgresStore};
use secrecy::ExposeSecret;
use serde::Deserialize;
use time::Duration;

use super::{TIMEOUT, finding::Finding, settings};
use crate::config::Program;

/// The oldest version that the store supports.
const MIN_VERSION: i32 = 130_000;
/// How far the clocks of a host and the database may differ without and with a warning: tokens are valid for minutes.
const MAX_SKEW: Duration = Duration::seconds(5);
const MAX_WARNED_SKEW: Duration = Duration::seconds(60);
const ROLES: &str = "see Database roles in docs/reference.md";

#[derive(Deserialize)]
struct Sections {
    database: Database,
}

/// Checks the database, and returns the store if it can be used.
pub async fn check(
    configuration: &Configuration,
    programs: &[Program],
) -> (Vec<Finding>, Option<PostgresStore>) {
    const CHECK: &str = "database.connection";
    let database = match settings(configuration, CHECK) {
        Ok(Sections { database }) => database,
        Err(skipped) => return (vec![skipped], None),
    };
    let (store, facts) = match connect(&database).await {
        Ok(connected) => connected,
        Err(error) => {
            let rest = Finding::skipped("database", "no connection: nothing else of it was checked");
            return (vec![failed(CHECK, &error), rest], None);
        }
    };
    let mut findings = vec![Finding::ok(CHECK, format!("PostgreSQL {} as {}", facts.version, facts.role))];
    findings.extend(server(&store, &facts, &database));
    findings.extend(roles(&facts, programs));
    let schema = store.check_schema().await;
    findings.push(match &schema {
        Ok(()) => Finding::ok("database.migrations", "this version can work with the schema"),
        Err(error) => failed("database.migrations", error),
    });
    findings.push(clock(&store).await);
    if schema.is_err() {
        findings.push(Finding::skipped(
            "database.rights",
            "not with this schema; nor are keys and clients looked up",
        ));
        return (findings, None);
    }
    findings.push(rights(&store, &facts).await);
    (findings, Some(store))
}

async fn connect(database: &Database) -> Result<(PostgresStore, DatabaseFacts), StoreError> {
    let timeout = database.acquire_timeout.min(TIMEOUT);
    let store = PostgresStore::connect(database.url.expose_secret(), 2, timeout)?;
    store.check().await?;
    store.ping().await?;
    let facts = store.facts().await?;
    Ok((store, facts))
}

fn server(store: &PostgresStore, facts: &DatabaseFacts, database: &Database) -> Vec<Finding> {
    let mut findings = Vec::new();
    if facts.version_number < MIN_VERSION {
        let found = format!("PostgreSQL {}", facts.version);
        findings.push(Finding::fail("database.version", found, "use PostgreSQL 13 or later"));
    }
    let most = i64::from(facts.max_connections);
    if i64::from(database.max_connections) > most {
        let found = format!("one process may open {}, and the server takes {most}", database.max_connections);
        let fix = "lower database.max_connections, or raise max_connections of the server";
        findings.push(Finding::fail("database.connections", found, fix));
    }
    if let Some(mode) = store.unverified_mode() {
        let found = format!(
            "sslmode={mode} does not verify the server: whoever is in between can read and change all"
        );
        let fix =
            "set sslmode=verify-full in database.url, and sslrootcert for a private certificate authority";
        findings.push(Finding::warn("database.tls", found, fix));
    }
    findings
}

fn roles(facts: &DatabaseFacts, programs: &[Program]) -> Vec<Finding> {
    const CHECK: &str = "database.role";
    let role = &facts.role;
    if facts.is_superuser {
        let found = format!("{role} is a superuser: no right is checked for it");
        return vec![Finding::warn(CHECK, found, format!("give each program its own role: {ROLES}"))];
    }
    let check = |program: &Program| {
        let name = program.name();
        match program.database_role() {
            Some(own) if role == own => Finding::ok(CHECK, format!("{role} is the role of {name}")),
            Some(own) if facts.is_owner => {
                let found = format!("{name} works as {role}, which owns the schema");
                Finding::warn(CHECK, found, format!("give it the role {own}: {ROLES}"))
            }
            None if facts.is_owner => Finding::ok(CHECK, format!("{role} owns the schema")),
            None if role == "rekey_maintenance" => {
                Finding::ok(CHECK, format!("{role} is the role of rekey maintain and rekey purge"))
            }
            own => {
                let found = format!("{role} is not the role of {name}");
                let own = own.unwrap_or("that owns the schema");
                Finding::fail(CHECK, found, format!("give it the role {own} in database.url: {ROLES}"))
            }
        }
    };
    programs.iter().map(check).collect()
}

async fn rights(store: &PostgresStore, facts: &DatabaseFacts) -> Finding {
    const CHECK: &str = "database.rights";
    const GRANT: &str = "run `rekey migrate` as the role that owns the schema, which grants them";
    /// How many missing rights are named.
    const SHOWN: usize = 3;
    match store.missing_rights(&facts.program_roles).await {
        Ok(missing) if missing.is_empty() && facts.program_roles.is_empty() => Finding::warn(
            CHECK,
            "the roles rekey_api, rekey_mailer, rekey_maintenance, rekey_console and rekey_webhooks do not exist: all programs share one",
            format!("create them: {ROLES}"),
        ),
        Ok(missing) if missing.is_empty() => {
            Finding::ok(CHECK, format!("{} have theirs", facts.program_roles.join(", ")))
        }
        Ok(missing) => {
            let more = missing.len().saturating_sub(SHOWN);
            let named = missing.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
            let more = if more == 0 { String::new() } else { format!("; and {more} more") };
            Finding::fail(CHECK, format!("missing: {named}{more}"), GRANT)
        }
        Err(error) => failed(CHECK, &error),
    }
}

async fn clock(store: &PostgresStore) -> Finding {
    const CHECK: &str = "database.clock";
    let before = SystemClock.now();
    match store.server_time().await {
        Ok(server) => {
            let round_trip = SystemClock.now() - before;
            skew(CHECK, server - (before + round_trip / 2))
        }
        Err(error) => failed(CHECK, &error),
    }
}

fn skew(check: &str, skew: Duration) -> Finding {
    let side = if skew.is_negative() { "behind" } else { "ahead of" };
    let found = format!("it is {:.1} s {side} this machine's", skew.abs().as_seconds_f64());
    let fix =
        "synchronize both by NTP: access tokens and mails have this machine's time, links the database's";
    if skew.abs() > MAX_WARNED_SKEW {
        Finding::fail(check, found, fix)
    } else if skew.abs() > MAX_SKEW {
        Finding::warn(check, found, fix)
    } else {
        Finding::ok(check, found)
    }
}

/// Reports a failure of the database.
pub fn failed(check: &str, error: &StoreError) -> Finding {
    let (found, advice) = error.advice();
    Finding::fail(check, found, advice.unwrap_or("the server's log may say more"))
}

/// Skips what the role may not read; reports any other failure.
pub fn unreadable(check: &str, error: &StoreError) -> Finding {
    /// `insufficient_privilege` (PostgreSQL's manual, appendix A).
    const NOT_ALLOWED: &str = "42501";
    if error.advice().0.starts_with(NOT_ALLOWED) {
        return Finding::skipped(
            check,
            "the role in database.url may not read this: check it with that of rekey-api",
        );
    }
    failed(check, error)
}
