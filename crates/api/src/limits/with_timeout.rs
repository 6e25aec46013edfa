//! A time limit on counting requests.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    limits::{RateLimits, WindowCounts},
};
use tokio::time::timeout;

/// How long a request waits for the store to count it. Unless the store is stuck, it answers in a hundredth of that.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Counts in another store, and reports one that doesn't answer in time as unavailable.
pub struct WithTimeout(Arc<dyn RateLimits>);

impl WithTimeout {
    pub fn new(store: Arc<dyn RateLimits>) -> Self {
        Self(store)
    }
}

#[async_trait]
impl RateLimits for WithTimeout {
    async fn count_hits(&self, window: &str, hits: &[i64]) -> Result<WindowCounts, StoreError> {
        let counted = timeout(TIMEOUT, self.0.count_hits(window, hits)).await;
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
        async fn count_hits(&self, _: &str, _: &[i64]) -> Result<WindowCounts, StoreError> {
            std::future::pending().await
        }

        async fn sweep_hits(&self) -> Result<u64, StoreError> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_does_not_answer_is_unavailable_before_long() {
        let started = tokio::time::Instant::now();
        let counted = WithTimeout::new(Arc::new(Silent)).count_hits("window", &[1]).await;
        assert!(matches!(counted, Err(StoreError::Unavailable(_))), "{counted:?}");
        assert_eq!(started.elapsed(), TIMEOUT);
    }
}
