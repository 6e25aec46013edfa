//! The import of customers from another system, many at a time.
//!
//! An import that was killed can be run again from the start, and continues where it stopped. For that it stores a key, not a
//! position. A customer's id is derived from the key and the address, the id of the audit entry from the key and the line. So a store
//! recognizes lines that it wrote before, whatever happened to the customer since.

mod dry_run;
mod key;

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use serde_json::{Map, Value as Json};

pub use self::{
    dry_run::DryRun,
    key::{ImportKey, SourceDigest},
};
use crate::{
    attributes::{CommonAttributes, set_names},
    customers::{CustomerAttributes, NewCustomer},
    email::EmailAddress,
    error::StoreError,
    ids::AuditId,
    locale::Locale,
    passwords::{PasswordHash, SchemeName},
    resources::customers::{EMAIL, PASSWORD},
    scope::Scope,
};

/// A customer to import.
#[derive(Debug, Clone)]
pub struct ImportedCustomer {
    /// The number of its line, from 1.
    pub line: u64,
    /// Its address.
    pub email: EmailAddress,
    /// Its password's hash, if it has one.
    pub password: Option<PasswordHash>,
    /// The shop's own identifiers and data.
    pub reference: Reference,
    /// The language that it reads.
    pub locale: Option<Locale>,
}

/// What a shop attaches to a customer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reference {
    /// The identifier in another system.
    pub reference: Option<String>,
    /// Which system that is.
    pub reference_origin: Option<String>,
    /// Free key-value pairs.
    pub metadata: Map<String, Json>,
}

impl Reference {
    /// Returns the attributes that are set.
    fn attributes(self) -> CommonAttributes {
        CommonAttributes {
            reference: self.reference.into(),
            reference_origin: self.reference_origin.into(),
            metadata: (!self.metadata.is_empty()).then_some(self.metadata),
        }
    }
}

/// A customer to write, with the audit entry that goes with it: `create`, by [`crate::caller::Actor::Operator`].
#[derive(Debug, Clone)]
pub struct ImportRecord {
    /// The customer.
    pub customer: NewCustomer,
    /// The id of the audit entry.
    pub audit: AuditId,
    /// Which attributes are written, by their names on the wire.
    pub attributes: Vec<&'static str>,
}

/// The outcome of importing a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// It was created, now or by an earlier run of this import.
    Created,
    /// A customer that is not from this import has the address, had no password or still an imported one, and got this one.
    Updated,
    /// A customer that is not from this import has the address; nothing was changed.
    Taken,
    /// An earlier line of this import has the address; nothing was changed.
    Duplicate,
}

/// An import that was started.
#[derive(Debug)]
pub struct StartedImport {
    /// Its key.
    pub key: ImportKey,
    /// Whether an earlier run started it and did not finish.
    pub is_resumed: bool,
}

/// The store of imports.
#[async_trait]
pub trait Importer: Send + Sync + 'static {
    /// Starts an import of that source into that scope with that key, or resumes an unfinished one with its own key.
    async fn begin_import(
        &self,
        scope: Scope,
        source: &SourceDigest,
        key: &ImportKey,
    ) -> Result<StartedImport, StoreError>;

    /// Writes customers with their passwords and audit entries in one transaction, except those whose addresses are taken and those
    /// whose audit entries exist, which were written before. It writes no event, so no mail follows. The records' addresses must
    /// differ from each other. With `updates_passwords`, a customer who has the address already, and has not logged in with a password
    /// yet, gets the record's, which ends its pending tokens; not a customer whose password was ended by an undone change of its
    /// address. The outcomes are in the records' order.
    async fn import_customers(
        &self,
        scope: Scope,
        records: &[ImportRecord],
        updates_passwords: bool,
    ) -> Result<Vec<Outcome>, StoreError>;

    /// Returns what [`Self::import_customers`] would do with records that were not written before, and writes nothing.
    async fn preview_import(
        &self,
        scope: Scope,
        records: &[ImportRecord],
        updates_passwords: bool,
    ) -> Result<Vec<Outcome>, StoreError>;

    /// Refreshes the database's statistics of what was imported. Stores that plan without statistics do nothing.
    async fn refresh_statistics(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Removes a finished import: the same source imported again is another import.
    async fn finish_import(&self, scope: Scope, source: &SourceDigest) -> Result<(), StoreError>;
}

/// Writes the customers of one source into one scope.
#[derive(Clone)]
pub struct Import {
    /// The store that they are written to.
    pub importer: Arc<dyn Importer>,
    /// Their scope.
    pub scope: Scope,
    /// The import's key.
    pub key: ImportKey,
    /// Whether existing customers who have not logged in with a password yet get the imported one.
    pub updates_passwords: bool,
}

impl ImportRecord {
    /// Returns the hash, and the key of its scheme.
    #[must_use]
    pub fn hash(&self, scope: Scope) -> Option<(&PasswordHash, String)> {
        let hash = self.customer.password.as_ref()?;
        Some((hash, SchemeName::imported(hash).key(scope.organization)))
    }
}

impl Import {
    /// Writes a batch; the outcomes are in its order. Only the first line with an address is imported.
    ///
    /// # Errors
    /// When the store fails. Then nothing of the batch is written, and it can be retried.
    pub async fn write(&self, batch: Vec<ImportedCustomer>) -> Result<Vec<Outcome>, StoreError> {
        let mut firsts = HashMap::with_capacity(batch.len());
        let mut records = Vec::with_capacity(batch.len());
        // For each line, the record with its address, and whether that is an earlier line's.
        let mut places = Vec::with_capacity(batch.len());
        for imported in batch {
            let next = records.len();
            let place = *firsts.entry(imported.email.clone()).or_insert(next);
            places.push((place, place != next));
            if place == next {
                records.push(self.record(imported));
            }
        }
        let outcomes = self.importer.import_customers(self.scope, &records, self.updates_passwords).await?;
        let outcome = |(place, again): (usize, bool)| match outcomes.get(place) {
            Some(Outcome::Created | Outcome::Updated) if again => Some(Outcome::Duplicate),
            outcome => outcome.copied(),
        };
        let outcomes: Option<Vec<_>> = places.into_iter().map(outcome).collect();
        outcomes.ok_or_else(|| StoreError::Internal("the store returned too few outcomes".into()))
    }

    fn record(&self, imported: ImportedCustomer) -> ImportRecord {
        let ImportedCustomer { line, email, password, reference, locale } = imported;
        let attributes = CustomerAttributes { locale: locale.into(), common: reference.attributes() };
        let own = set_names([(EMAIL.name, true), (PASSWORD.name, password.is_some())]);
        ImportRecord {
            audit: self.key.audit_id(line),
            attributes: own.chain(attributes.names()).collect(),
            customer: NewCustomer { id: self.key.customer_id(&email), email, password, attributes },
        }
    }
}

#[cfg(test)]
mod tests;
