use rekey_core::error::{Advised, Cause, CreateError, StoreError};
use sqlx::{error::DatabaseError, migrate::MigrateError};

use crate::cause;

/// Maps an error of the driver to what it means for the caller. Only a database error's code and message are kept: its
/// detail quotes values of the row.
pub(crate) fn map_db_error(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(error) if is_transient(error.code().as_deref()) => {
            StoreError::Unavailable(describe(&*error))
        }
        sqlx::Error::Database(error) => StoreError::Internal(describe(&*error)),
        sqlx::Error::Io(error) => {
            let advice = cause::after_io_error(&error);
            StoreError::Unavailable(Advised { what: error.to_string(), advice }.into())
        }
        sqlx::Error::Tls(error) => {
            let what = format!("TLS: {error}");
            StoreError::Unavailable(Advised { what, advice: cause::AFTER_TLS_ERROR }.into())
        }
        // Also when a load balancer accepts a connection and closes it: the driver reads the end of the stream as an answer.
        sqlx::Error::Protocol(what) => {
            StoreError::Unavailable(Advised { what, advice: cause::AFTER_WRONG_ANSWER }.into())
        }
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            StoreError::Unavailable(Box::new(error))
        }
        _ => StoreError::Internal(Box::new(error)),
    }
}

/// The same for a statement that creates something unique.
pub(crate) fn map_create_error(error: sqlx::Error) -> CreateError {
    match &error {
        sqlx::Error::Database(cause) if cause.is_unique_violation() => CreateError::Taken,
        _ => CreateError::Store(map_db_error(error)),
    }
}

/// The same for a migration.
pub(crate) fn map_migration_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => map_db_error(error),
        error => StoreError::Internal(Box::new(error)),
    }
}

/// Whether the same call may succeed later, by the class or code of the error (PostgreSQL's manual, appendix A): connection
/// lost (08), no resources (53), read-only transaction, as on a server that is no longer the primary (25006), serialization failure
/// and deadlock (40001, 40P01), lock not available (55P03), and cancelled, shut down, crashed or starting (57).
fn is_transient(code: Option<&str>) -> bool {
    code.is_some_and(|code| {
        ["08", "53", "57"].iter().any(|class| code.starts_with(class))
            || ["25006", "40001", "40P01", "55P03"].contains(&code)
    })
}

fn describe(error: &dyn DatabaseError) -> Cause {
    let code = error.code().unwrap_or_default();
    let what = format!("{code}: {}", error.message());
    match cause::after_code(&code) {
        Some(advice) => Advised { what, advice }.into(),
        None => what.into(),
    }
}
