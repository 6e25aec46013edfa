use std::{collections::HashSet, sync::Arc};

use super::{ImportKey, ImportedCustomer, Importer, Outcome};
use crate::{error::StoreError, ids::CustomerId, scope::Scope};

/// Tells what an import would do, and writes nothing. It remembers 59 bits of each line, so it may take one line in a
/// million million million for a duplicate of another.
pub struct DryRun {
    importer: Arc<dyn Importer>,
    scope: Scope,
    key: ImportKey,
    seen: HashSet<CustomerId>,
}

impl DryRun {
    /// Of an import into that scope. The key may be any.
    #[must_use]
    pub fn new(importer: Arc<dyn Importer>, scope: Scope, key: ImportKey) -> Self {
        Self { importer, scope, key, seen: HashSet::new() }
    }

    /// What would become of that batch after those before it; the outcomes are in its order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn check(&mut self, batch: &[ImportedCustomer]) -> Result<Vec<Outcome>, StoreError> {
        let emails: Vec<_> = batch.iter().map(|customer| &customer.email).collect();
        let taken = self.importer.are_taken(self.scope, &emails).await?;
        let outcome = |(taken, customer): (bool, &ImportedCustomer)| {
            if taken {
                Outcome::Taken
            } else if self.seen.insert(self.key.customer_id(&customer.email)) {
                Outcome::Created
            } else {
                Outcome::Duplicate
            }
        };
        Ok(taken.into_iter().zip(batch).map(outcome).collect())
    }
}
