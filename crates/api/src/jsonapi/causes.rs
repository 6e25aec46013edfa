//! Maps errors of the core to problems. Their causes are logged here, once, and never sent.

use rekey_core::{
    error::StoreError,
    idempotency::BeginError,
    passwords::{HashError, PasswordRejected, PolicyViolation},
    secrets::UnsealError,
};

use super::error::{Problem, ValidationError};

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

/// Several callers may wait for one error.
impl From<&StoreError> for Problem {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => {
                tracing::warn!(%cause, "{error}");
                Self::Unavailable
            }
            StoreError::Internal(cause) => {
                tracing::error!(%cause, "{error}");
                Self::Internal
            }
        }
    }
}

impl From<HashError> for Problem {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::Busy,
            HashError::Unusable => {
                tracing::error!("{error}");
                Self::Internal
            }
            // The panic itself was logged.
            HashError::Panicked => Self::Internal,
        }
    }
}

impl From<UnsealError> for Problem {
    fn from(error: UnsealError) -> Self {
        tracing::error!("{error}");
        Self::Internal
    }
}

impl From<BeginError> for Problem {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::Unseal(error) => error.into(),
            BeginError::Store(error) => error.into(),
        }
    }
}

impl From<PasswordRejected> for ValidationError {
    fn from(PasswordRejected { violation, hints }: PasswordRejected) -> Self {
        match violation {
            PolicyViolation::TooShort(least) => Self::TooShort(least),
            PolicyViolation::MadeOfEmail => Self::MadeOfEmail(hints),
            PolicyViolation::MadeOfShopName => Self::MadeOfShopName(hints),
            PolicyViolation::TooSimple => Self::TooSimple(hints),
            PolicyViolation::TooCommon => Self::TooCommon(hints),
        }
    }
}
