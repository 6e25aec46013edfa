use rekey_core::{
    customers::import::{DryRun, Import, ImportKey, ImportedCustomer, Outcome, SourceDigest},
    error::StoreError,
    random::OsRandom,
    scope::Scope,
};

use super::target::Target;

/// Where the customers go.
pub enum Sink {
    /// Into the store. What is known again after an interruption has a digest.
    Store { import: Import, source: Option<SourceDigest>, resumed: bool },
    /// Nowhere.
    Nowhere(DryRun),
}

impl Sink {
    pub async fn begin(
        target: &Target,
        scope: Scope,
        source: Option<SourceDigest>,
        dry_run: bool,
    ) -> Result<Self, StoreError> {
        let (importer, key) = (target.importer(), ImportKey::generate(&OsRandom));
        if dry_run {
            return Ok(Self::Nowhere(DryRun::new(importer, scope, key)));
        }
        let (key, resumed) = match &source {
            Some(source) => {
                let begun = importer.begin_import(scope, source, &key).await?;
                (begun.key, begun.resumed)
            }
            None => (key, false),
        };
        Ok(Self::Store { import: Import { importer, scope, key }, source, resumed })
    }

    /// Whether an interrupted import goes on.
    pub fn is_resumed(&self) -> bool {
        matches!(self, Self::Store { resumed: true, .. })
    }

    pub async fn write(&mut self, batch: Vec<ImportedCustomer>) -> Result<Vec<Outcome>, StoreError> {
        match self {
            Self::Store { import, .. } => import.write(batch).await,
            Self::Nowhere(rehearsal) => rehearsal.check(&batch).await,
        }
    }

    /// The same file imported again is another import from now on.
    pub async fn finish(&self) -> Result<(), StoreError> {
        match self {
            Self::Store { import, source: Some(source), .. } => {
                import.importer.finish_import(import.scope, source).await
            }
            Self::Store { source: None, .. } | Self::Nowhere(_) => Ok(()),
        }
    }
}
