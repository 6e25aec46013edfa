//! The errors that every port to the database returns, and how errors are logged.

use std::{error::Error, iter};

/// A boxed cause.
pub type Cause = Box<dyn Error + Send + Sync>;

/// A cause, and what an operator can do about it.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {advice}")]
pub struct Advised {
    /// What went wrong.
    pub what: String,
    /// What to do.
    pub advice: &'static str,
}

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

impl StoreError {
    /// Returns what went wrong, and what an operator can do about it where that is known.
    #[must_use]
    pub fn advice(&self) -> (String, Option<&'static str>) {
        let (Self::Unavailable(cause) | Self::Internal(cause)) = self;
        match cause.downcast_ref() {
            Some(Advised { what, advice }) => (what.clone(), Some(advice)),
            None => (chain(&**cause), None),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_with_its_causes_or_with_what_to_do() {
        let advised = Advised { what: "the disk is full".to_owned(), advice: "make room" };
        let known = StoreError::Internal(Box::new(advised)).advice();
        assert_eq!(known, ("the disk is full".to_owned(), Some("make room")));
        let cause = CreateError::Store(StoreError::Unavailable("no route".into()));
        let unknown = StoreError::Unavailable(Box::new(cause)).advice();
        assert_eq!(unknown, ("the store is unavailable: no route".to_owned(), None));
    }
}
