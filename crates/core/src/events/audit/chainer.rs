//! The task that chains the entries of the audit log.

use std::{collections::HashSet, convert::Infallible, sync::Arc, time::Duration};

use super::chain::{AuditChain, Chained};
use crate::{
    error::StoreError,
    metrics::{LastValue, gauge},
    scope::Scope,
    secrets::KeyRing,
};

/// Chains entries that were written meanwhile. Any number of processes may run it.
#[derive(Clone)]
pub struct Chainer {
    /// The chain.
    pub store: Arc<dyn AuditChain>,
    /// Sign the links.
    pub keys: KeyRing,
}

/// How often to look for new entries.
const INTERVAL: Duration = Duration::from_secs(2);
/// How many entries are chained in one statement: a purge deletes as many.
const BATCH: u32 = 500;

impl Chainer {
    /// Runs until it is dropped.
    pub async fn run(&self) -> Infallible {
        let mut forged = HashSet::new();
        let count = LastValue::<usize>::default();
        let value = count.clone();
        gauge("rekey.audit.forged", "Chains of the audit log that end in a forged link.", move |gauge| {
            value.with(|count| gauge.observe(count as u64, &[]));
        });
        loop {
            if let Err(error) = self.chain(&mut forged).await {
                tracing::warn!(%error, "looking for audit entries to chain failed");
            }
            count.set(Some(forged.len()));
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Chains all entries that wait. Keeps in `forged` the scopes with a forged link at the chain's end, and logs each new one.
    async fn chain(&self, forged: &mut HashSet<Scope>) -> Result<(), StoreError> {
        for scope in self.store.queued_scopes().await? {
            let Scope { organization, mode } = scope;
            match self.chain_scope(scope).await {
                Ok(None) => {
                    forged.remove(&scope);
                }
                Ok(Some(position)) => {
                    if forged.insert(scope) {
                        tracing::error!(
                            %organization, mode = mode.as_str(), position,
                            "the last link of the audit log's chain has a wrong signature, so no entry is chained: run `rekey audit verify`"
                        );
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, %organization, mode = mode.as_str(), "chaining audit entries failed");
                }
            }
        }
        Ok(())
    }

    /// Chains the entries of a scope, until none or another process has them. Returns the position of a forged link at the chain's end.
    async fn chain_scope(&self, scope: Scope) -> Result<Option<i64>, StoreError> {
        loop {
            match self.store.chain_entries(scope, &self.keys, BATCH).await? {
                Chained::Done(BATCH) => {}
                Chained::Done(_) | Chained::Busy => return Ok(None),
                Chained::Forged(position) => return Ok(Some(position)),
            }
        }
    }
}
