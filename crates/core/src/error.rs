//! The errors that every port to the database returns, and how errors are logged.

use std::{error::Error, iter};

/// A boxed cause.
pub type Cause = Box<dyn Error + Send + Sync>;

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

/// Formats an error with all its causes on one line.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(Some(error), |error| (**error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
