//! The schema: bringing it up to date, and starting on it.

use std::collections::HashMap;

use rekey_core::error::{Advised, StoreError, chain};
use sqlx::{
    Connection, PgConnection,
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
    /// Brings the schema up to date, and grants the roles `rekey_api`, `rekey_mailer`, `rekey_maintenance`, `rekey_console` and
    /// `rekey_webhooks`, those that exist, what their programs need. Several replicas may do this at once: they take turns. A newer schema that this version can work with
    /// stays as it is, with its grants.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        // sqlx's own lock belongs to a session, which a pooler in transaction mode may give to others. This one ends with its transaction.
        let mut lock = self.connect_alone().await?;
        sqlx::raw_sql(MIGRATION_LOCK).execute(&mut lock).await.map_err(map_db_error)?;
        let (mut connection, mut migrator) = (self.connect_alone().await?, sqlx::migrate!());
        if schema(&mut connection, &migrator).await? != Schema::Newer {
            migrator.set_locking(false);
            migrator.run_direct(None, &mut connection, false).await.map_err(map_migration_error)?;
            let grants = sqlx::raw_sql(include_str!("grants.sql")).execute(&mut connection).await;
            grants.map_err(map_db_error)?;
        }
        sqlx::raw_sql("COMMIT").execute(&mut lock).await.map_err(map_db_error)?;
        for connection in [connection, lock] {
            connection.close().await.map_err(map_db_error)?;
        }
        Ok(())
    }

    /// Makes sure that this version can work with the schema: the role that owns it migrates, any other checks that nothing is left to
    /// migrate.
    ///
    /// # Errors
    /// [`StoreError::Internal`] when a migration is missing and the role does not own the schema, and when a newer version migrated it to
    /// one that this version can't work with.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        let is_owner: bool =
            sqlx::query_scalar(IS_OWNER).fetch_one(&self.pool).await.map_err(map_db_error)?;
        if is_owner { self.migrate().await } else { self.check_schema().await }
    }

    /// Makes sure that this version can work with the schema, for a program that never migrates.
    ///
    /// # Errors
    /// [`StoreError::Internal`] when a migration is missing, and when a newer version migrated it to one that this version can't work with.
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        let mut connection = self.connect_alone().await?;
        let schema = schema(&mut connection, &sqlx::migrate!()).await?;
        connection.close().await.map_err(map_db_error)?;
        match schema {
            Schema::Older => {
                let what = "the database was not migrated by this version".to_owned();
                Err(StoreError::Internal(Advised { what, advice: cause::MIGRATE }.into()))
            }
            Schema::Current => Ok(()),
            Schema::Newer => {
                tracing::info!("a newer version migrated the database, and this one can work with it");
                Ok(())
            }
        }
    }

    /// Checks that the database can be used, for a program that never migrates, and that waits for a database that is down.
    ///
    /// # Errors
    /// [`StoreError::Internal`], as [`Self::check`] and [`Self::check_schema`]. One that can't be reached now is logged.
    pub async fn check_at_start(&self) -> Result<(), StoreError> {
        let checked = async {
            self.check().await?;
            self.check_schema().await
        };
        match checked.await {
            Err(error @ StoreError::Unavailable(_)) => {
                tracing::warn!(cause = chain(&error), "the database can't be reached");
                Ok(())
            }
            checked => checked,
        }
    }
}

/// The schema as this version sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Schema {
    /// It lacks migrations of this version.
    Older,
    /// It is this version's.
    Current,
    /// A newer version migrated it, and says that this one can work with it.
    Newer,
}

/// Whether the role owns the table of migrations or, before the first one, the schema or the database.
pub(crate) const IS_OWNER: &str = "SELECT COALESCE(
        (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('_sqlx_migrations')),
        (SELECT bool_or(pg_has_role(owner, 'USAGE')) FROM (
            SELECT nspowner FROM pg_namespace WHERE nspname = current_schema()
            UNION ALL SELECT datdba FROM pg_database WHERE datname = current_database()
        ) AS owners (owner)))";

/// Compares the applied migrations with this version's.
///
/// # Errors
/// [`StoreError::Internal`] when one of them was changed, or a newer version migrated the database to a schema that this version can't
/// work with.
async fn schema(connection: &mut PgConnection, migrator: &Migrator) -> Result<Schema, StoreError> {
    let is_new = "SELECT to_regclass('_sqlx_migrations') IS NULL";
    if sqlx::query_scalar(is_new).fetch_one(&mut *connection).await.map_err(map_db_error)? {
        return Ok(Schema::Older);
    }
    let applied =
        sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations").fetch_all(&mut *connection);
    let applied: HashMap<i64, Vec<u8>> = applied.await.map_err(map_db_error)?.into_iter().collect();
    let mut is_older = false;
    for migration in migrator.iter() {
        match applied.get(&migration.version) {
            None => is_older = true,
            Some(checksum) if *checksum != *migration.checksum => {
                return Err(map_migration_error(MigrateError::VersionMismatch(migration.version)));
            }
            Some(_) => {}
        }
    }
    let Some(newest) = applied.keys().copied().filter(|version| !migrator.version_exists(*version)).max()
    else {
        return Ok(if is_older { Schema::Older } else { Schema::Current });
    };
    let own = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
    let oldest = "SELECT oldest_migration FROM schema_compatibility";
    let oldest: i64 = sqlx::query_scalar(oldest).fetch_one(connection).await.map_err(map_db_error)?;
    if !is_older && newest > own && oldest <= own {
        return Ok(Schema::Newer);
    }
    let what = format!(
        "the database has migration {newest} of another version, which works with programs that have migration {oldest} or later, and \
         this one has {own}"
    );
    Err(StoreError::Internal(Advised { what, advice: "start a newer version of this program" }.into()))
}
