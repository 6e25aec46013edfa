//! The cleanup of what self-service leaves in the database, so that requests for unknown addresses can't fill it.

use std::{convert::Infallible, sync::Arc};

use async_trait::async_trait;
use time::Duration;

use crate::error::StoreError;

/// The port that deletes what is no longer needed.
#[async_trait]
pub trait Cleanup: Send + Sync + 'static {
    /// Deletes decoys that were made at least `age` ago, with their events, mails and audit entries: at most `max` of them, the oldest
    /// first. Returns how many.
    async fn forget_decoys(&self, age: Duration, max: u32) -> Result<u32, StoreError>;

    /// Deletes self-service quotas that were last used at least `age` ago. Returns how many.
    async fn forget_quotas(&self, age: Duration) -> Result<u64, StoreError>;

    /// Deletes counts of guesses at short codes whose window began at least `age` ago. Returns how many.
    async fn forget_guesses(&self, age: Duration) -> Result<u64, StoreError>;
}

/// Runs the cleanup periodically.
#[derive(Clone)]
pub struct CleanupTask {
    /// The store to clean.
    pub store: Arc<dyn Cleanup>,
}

/// Longer than any token, self-service window or guess window lasts: each can be set to at most 7 days.
const AGE: Duration = Duration::days(8);
/// How often to look: often enough that a day's decoys are never deleted at once.
const INTERVAL: std::time::Duration = std::time::Duration::from_mins(10);
/// How many decoys are deleted in one transaction.
const BATCH: u32 = 500;

impl CleanupTask {
    /// Runs until it is dropped.
    pub async fn run(&self) -> Infallible {
        loop {
            if let Err(error) = self.clean().await {
                tracing::warn!(error = %error, "cleanup failed");
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    async fn clean(&self) -> Result<(), StoreError> {
        while self.store.forget_decoys(AGE, BATCH).await? == BATCH {}
        self.store.forget_quotas(AGE).await?;
        self.store.forget_guesses(AGE).await?;
        Ok(())
    }
}
