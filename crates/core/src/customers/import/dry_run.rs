use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{ImportKey, ImportRecord, Importer, Outcome, SourceDigest, StartedImport};
use crate::{error::StoreError, ids::CustomerId, scope::Scope};

/// An importer that reports what an import into another one would do, and writes nothing. It remembers 59 bits of each
/// address: two different ones count as duplicates once in 2⁵⁹ pairs.
pub struct DryRun<I> {
    importer: I,
    seen: Mutex<HashSet<CustomerId>>,
}

impl<I> DryRun<I> {
    /// A dry run of one import, in any number of batches.
    #[must_use]
    pub fn new(importer: I) -> Self {
        Self { importer, seen: Mutex::default() }
    }
}

#[async_trait]
impl<I: Importer> Importer for DryRun<I> {
    async fn begin_import(
        &self,
        _scope: Scope,
        _source: &SourceDigest,
        key: &ImportKey,
    ) -> Result<StartedImport, StoreError> {
        Ok(StartedImport { key: key.clone(), is_resumed: false })
    }

    async fn import_customers(
        &self,
        scope: Scope,
        records: &[ImportRecord],
        updates_passwords: bool,
    ) -> Result<Vec<Outcome>, StoreError> {
        let outcomes = self.importer.preview_import(scope, records, updates_passwords).await?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = |(outcome, record): (Outcome, &ImportRecord)| match outcome {
            Outcome::Created | Outcome::Updated if !seen.insert(record.customer.id) => Outcome::Duplicate,
            outcome => outcome,
        };
        Ok(outcomes.into_iter().zip(records).map(outcome).collect())
    }

    async fn preview_import(
        &self,
        scope: Scope,
        records: &[ImportRecord],
        updates_passwords: bool,
    ) -> Result<Vec<Outcome>, StoreError> {
        self.importer.preview_import(scope, records, updates_passwords).await
    }

    async fn finish_import(&self, _scope: Scope, _source: &SourceDigest) -> Result<(), StoreError> {
        Ok(())
    }
}
