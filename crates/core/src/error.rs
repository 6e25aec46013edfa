//! The errors that every port to the database returns.

/// A boxed cause.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A store that could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It can't be reached, or has no connection free in time: try again later (HTTP 503).
    #[error("the store is unavailable")]
    Unavailable(#[source] Cause),
    /// It answered with something that should not happen.
    #[error("the store failed")]
    Internal(#[source] Cause),
}

/// A record that can't be made because another has its unique value.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The unique value (a slug, an address) is taken.
    #[error("already taken")]
    Taken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
