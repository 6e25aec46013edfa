//! A store of counts that nobody waits for too long.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    limits::{RateLimits, WindowCounts},
};
use tokio::time::timeout;

/// How long a call waits for the store to count it; every answer but a stuck one's comes in a hundredth of that.
const PATIENCE: Duration = Duration::from_millis(500);

/// Counts in another store; one that does not answer is unavailable.
pub struct Patient(Arc<dyn RateLimits>);

impl Patient {
    pub fn new(store: Arc<dyn RateLimits>) -> Self {
        Self(store)
    }
}

#[async_trait]
impl RateLimits for Patient {
    async fn count_hits(&self, window: &str, hits: i64) -> Result<WindowCounts, StoreError> {
        let counted = timeout(PATIENCE, self.0.count_hits(window, hits)).await;
        counted.unwrap_or_else(|late| Err(StoreError::Unavailable(Box::new(late))))
    }

    async fn sweep_hits(&self) -> Result<u64, StoreError> {
        self.0.sweep_hits().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Silent;

    #[async_trait]
    impl RateLimits for Silent {
        async fn count_hits(&self, _: &str, _: i64) -> Result<WindowCounts, StoreError> {
            std::future::pending().await
        }

        async fn sweep_hits(&self) -> Result<u64, StoreError> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_does_not_answer_is_unavailable_before_long() {
        let began = tokio::time::Instant::now();
        let counted = Patient::new(Arc::new(Silent)).count_hits("window", 1).await;
        assert!(matches!(counted, Err(StoreError::Unavailable(_))), "{counted:?}");
        assert_eq!(began.elapsed(), PATIENCE);
    }
}
