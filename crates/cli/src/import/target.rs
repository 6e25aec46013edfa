use std::{path::Path, sync::Arc};

use anyhow::Context;
use rekey_core::{clock::SystemClock, customers::import::Importer, store::Store};
use rekey_runtime::config::Source;
use rekey_store_postgres::PostgresStore;
use rekey_store_sqlite::SqliteStore;

use crate::operator;

/// The database to import into.
pub enum Target {
    Production(Box<PostgresStore>),
    Embedded(Box<SqliteStore>),
}

impl Target {
    /// The production database, or that in a data directory of `rekey dev`, which may be running.
    pub async fn open(data_dir: Option<&Path>, source: &Source) -> anyhow::Result<Self> {
        let Some(data_dir) = data_dir else {
            return Ok(Self::Production(Box::new(operator::connect(source).await?)));
        };
        let path = data_dir.join("rekey.db");
        anyhow::ensure!(path.exists(), "{} is not there: `rekey dev` makes it", path.display());
        let store = SqliteStore::open(&path, Arc::new(SystemClock))?;
        store.migrate().await.context("the database could not be brought up to date")?;
        Ok(Self::Embedded(Box::new(store)))
    }

    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Production(store) => Arc::new((**store).clone()),
            Self::Embedded(store) => Arc::new((**store).clone()),
        }
    }

    pub fn importer(&self) -> Arc<dyn Importer> {
        match self {
            Self::Production(store) => Arc::new((**store).clone()),
            Self::Embedded(store) => Arc::new((**store).clone()),
        }
    }

    pub async fn close(&self) {
        match self {
            Self::Production(store) => store.close().await,
            Self::Embedded(store) => store.close().await,
        }
    }
}
