//! The schema: bringing it up to date, and starting on it.

use std::collections::HashMap;

use rekey_core::error::StoreError;
use sqlx::{
    Connection,
    migrate::{MigrateError, Migrator},
};

use crate::{
    PostgresStore, cause,
    error::{map_db_error, map_migration_error},
};

/// Waits for other replicas that migrate, for ten minutes at most. The number is random.
const MIGRATION_LOCK: &str =
    "BEGIN; SET LOCAL lock_timeout = '10min'; SELECT pg_advisory_xact_lock(7320117443016002)";

impl PostgresStore {
    /// Brings the schema up to date, and grants the roles `rekey_api`, `rekey_mailer` and `rekey_maintenance`, those that exist,
    /// what their programs need. Several replicas may do this at once: they take turns.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        // sqlx's own lock belongs to a session, which a pooler in transaction mode may give to others. This one ends with its transaction.
        let mut lock = self.connect_alone().await?;
        sqlx::raw_sql(MIGRATION_LOCK).execute(&mut lock).await.map_err(map_db_error)?;
        let (mut connection, mut migrator) = (self.connect_alone().await?, sqlx::migrate!());
        migrator.set_locking(false);
        migrator.run_direct(None, &mut connection, false).await.map_err(map_migration_error)?;
        sqlx::raw_sql(include_str!("grants.sql")).execute(&mut connection).await.map_err(map_db_error)?;
        sqlx::raw_sql("COMMIT").execute(&mut lock).await.map_err(map_db_error)?;
        for connection in [connection, lock] {
            connection.close().await.map_err(map_db_error)?;
        }
        Ok(())
    }

    /// Makes sure that the schema is this version's: the role that owns it migrates, any other checks that nothing is left to migrate.
    ///
    /// # Errors
    /// [`StoreError::Internal`] when the schema is another version's and the role does not own it, or when a newer version migrated it.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        let is_owner: bool =
            sqlx::query_scalar(IS_OWNER).fetch_one(&self.pool).await.map_err(map_db_error)?;
        if is_owner {
            return self.migrate().await;
        }
        let applied = sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations").fetch_all(&self.pool);
        check_applied(applied.await.map_err(map_db_error)?, &sqlx::migrate!())
    }
}

/// Whether the role owns the table of migrations or, before the first one, the schema or the database.
const IS_OWNER: &str = "SELECT COALESCE(
        (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('_sqlx_migrations')),
        (SELECT bool_or(pg_has_role(owner, 'USAGE')) FROM (
            SELECT nspowner FROM pg_namespace WHERE nspname = current_schema()
            UNION ALL SELECT datdba FROM pg_database WHERE datname = current_database()
        ) AS owners (owner)))";

/// Fails unless exactly the migrator's migrations were applied, with the errors of [`Migrator::run`] for all but a missing one.
fn check_applied(applied: Vec<(i64, Vec<u8>)>, migrator: &Migrator) -> Result<(), StoreError> {
    if let Some((newer, _)) = applied.iter().find(|(version, _)| !migrator.version_exists(*version)) {
        return Err(map_migration_error(MigrateError::VersionMissing(*newer)));
    }
    let applied: HashMap<_, _> = applied.into_iter().collect();
    for migration in migrator.iter() {
        match applied.get(&migration.version) {
            None => return Err(StoreError::Internal(cause::NOT_MIGRATED.into())),
            Some(checksum) if *checksum != *migration.checksum => {
                return Err(map_migration_error(MigrateError::VersionMismatch(migration.version)));
            }
            Some(_) => {}
        }
    }
    Ok(())
}
