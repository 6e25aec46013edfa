//! The errors that every port to the database returns.

/// A boxed cause.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database can't be reached, or no connection became free in time: try again later (HTTP 503).
    #[error("the store is unavailable")]
    Unavailable(#[source] Cause),
    /// The database returned an unexpected error.
    #[error("the store failed")]
    Internal(#[source] Cause),
}

/// Why a record can't be created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Another record has the same unique value (a slug, an address).
    #[error("already taken")]
    Taken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
