//! What an error of the server or of the connection means for an operator: what to do about it.

use std::io;

/// Returns what to do about an error of the server, by its code (PostgreSQL's manual, appendix A), if an operator can do something.
pub(crate) fn after_code(code: &str) -> Option<&'static str> {
    Some(match code {
        "28P01" | "28000" => {
            "check user and password in database.url; the server's pg_hba.conf says who may log in, from where, and whether only with TLS"
        }
        "3D000" => "check the name of the database at the end of database.url, or create the database",
        "42501" | "3F000" => {
            "the role in database.url lacks this right: `rekey migrate` and the operator's commands need the role that owns the schema, rekey-api \
             the role rekey_api, rekey-mailer the role rekey_mailer, rekey-webhooks the role rekey_webhooks, `rekey maintain` and `rekey purge` the role rekey_maintenance, `rekey console` the role rekey_console; `rekey migrate` \
             grants them what they need"
        }
        "42P01" | "42703" => NOT_MIGRATED,
        "55P03" => {
            "another session has locked a table for long, such as a backup or a long transaction: run it again"
        }
        "53300" => "lower database.max_connections, or raise max_connections of the server",
        "25006" => "database.url must lead to the primary server",
        _ => return None,
    })
}

/// What an error about a missing table or column means.
const NOT_MIGRATED: &str =
    "the database was not migrated by this version: run `rekey migrate` as the role that owns the schema";
/// What to do about a schema that lacks a migration of this version.
pub(crate) const MIGRATE: &str = "run `rekey migrate` as the role that owns the schema";

/// Returns what to do about a connection that could not be opened or was lost.
pub(crate) fn after_io_error(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "nothing listens there, so check host and port in database.url, and whether the server is running"
        }
        io::ErrorKind::NotFound => {
            "a file of database.url is not there: the server's socket, sslrootcert, sslcert or sslkey"
        }
        io::ErrorKind::PermissionDenied => {
            "a file of database.url can't be read: the server's socket, sslrootcert, sslcert or sslkey"
        }
        _ if error.to_string().contains("lookup address") => {
            "check the host in database.url, and this machine's DNS"
        }
        _ => AFTER_WRONG_ANSWER,
    }
}

/// What to do about a connection that ended, or on which something else than PostgreSQL answered.
pub(crate) const AFTER_WRONG_ANSWER: &str = "check host and port in database.url, and the network between";

/// What to do about a TLS connection that the server or this side refused.
pub(crate) const AFTER_TLS_ERROR: &str = "check sslmode, sslrootcert and the host in database.url against the server's certificate, and whether the server has ssl = on";
