//! The port for readiness checks.

use async_trait::async_trait;

use crate::error::StoreError;

/// A database that can be asked whether it answers.
#[async_trait]
pub trait Ping: Send + Sync + 'static {
    /// Succeeds when the database answers and can be written.
    async fn ping(&self) -> Result<(), StoreError>;
}
