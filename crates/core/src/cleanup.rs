//! What self-service leaves behind is cleared away in time: whoever asks for addresses that nobody has must not fill the
//! database.

use std::{convert::Infallible, sync::Arc};

use async_trait::async_trait;
use time::Duration;

use crate::error::StoreError;

/// Clears away what is of no use to anybody any more.
#[async_trait]
pub trait Cleanup: Send + Sync + 'static {
    /// Forgets decoys that were made `age` ago or earlier, with their events, mails and audit entries: at most `most` of
    /// them, the oldest first. Returns how many.
    async fn forget_decoys(&self, age: Duration, most: u32) -> Result<u32, StoreError>;

    /// Forgets self-service turns that were last taken `age` ago or earlier; returns how many.
    async fn forget_turns(&self, age: Duration) -> Result<u64, StoreError>;

    /// Forgets the guesses of short codes whose window began `age` ago or earlier; returns of how many accounts.
    async fn forget_guesses(&self, age: Duration) -> Result<u64, StoreError>;
}

/// Does it from time to time.
#[derive(Clone)]
pub struct CleanupTask {
    /// Where it is done.
    pub store: Arc<dyn Cleanup>,
}

/// Longer than any token lives and any window of self-service or of guesses lasts: 7 days, the most that each can be configured to.
const AGE: Duration = Duration::days(8);
/// How often to look: often enough that a day's decoys never come at once.
const PAUSE: std::time::Duration = std::time::Duration::from_mins(10);
/// Decoys forgotten in one transaction.
const BATCH: u32 = 500;

impl CleanupTask {
    /// Until it is dropped.
    pub async fn run(&self) -> Infallible {
        loop {
            if let Err(error) = self.clear().await {
                tracing::warn!(error = %error, "old decoys are not cleared away");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn clear(&self) -> Result<(), StoreError> {
        while self.store.forget_decoys(AGE, BATCH).await? == BATCH {}
        self.store.forget_turns(AGE).await?;
        self.store.forget_guesses(AGE).await?;
        Ok(())
    }
}
