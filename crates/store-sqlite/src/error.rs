use rekey_core::error::{CreateError, StoreError};
use sqlx::migrate::MigrateError;

/// Maps an error of the driver to what it means for the caller. SQLite's messages name columns, never values.
pub(crate) fn map_db_error(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(cause) if is_transient(cause.code().as_deref()) => {
            StoreError::Unavailable(Box::new(error))
        }
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_) => StoreError::Unavailable(Box::new(error)),
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

/// Whether the same call may succeed later, by the primary result code (sqlite.org/rescode.html): busy (5), locked (6),
/// I/O error (10), disk full (13), can't open (14). The extended code's low byte is the primary one.
fn is_transient(code: Option<&str>) -> bool {
    let code = code.and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| [5, 6, 10, 13, 14].contains(&(code & 0xff)))
}
