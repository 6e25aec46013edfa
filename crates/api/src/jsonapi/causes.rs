//! What each use case's errors are on the wire. Causes are logged here, once, and never sent.

use rekey_core::{
    customers::service::CustomerError,
    error::StoreError,
    idempotency::BeginError,
    passwords::{HashError, PolicyViolation, Refusal},
    resets::service::{CompleteError, RequestError},
    resources::{
        customer_password_resets::{CUSTOMER_EMAIL, CUSTOMER_PASSWORD, TOKEN},
        customers::{EMAIL, PASSWORD},
    },
    secrets::UnsealError,
    sessions::sign_in::{RefreshError, SignInError},
};

use super::error::{Fault, Problem};

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

/// An error that several callers wait for is lent to each.
impl From<&StoreError> for Problem {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => {
                tracing::warn!(%cause, "{error}");
                Self::Busy
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

impl From<Refusal> for Fault {
    fn from(Refusal { violation, hints }: Refusal) -> Self {
        match violation {
            PolicyViolation::TooShort(least) => Self::TooShort(least),
            PolicyViolation::MadeOfEmail => Self::MadeOfEmail(hints),
            PolicyViolation::MadeOfShopName => Self::MadeOfShopName(hints),
            PolicyViolation::TooSimple => Self::TooSimple(hints),
            PolicyViolation::TooCommon => Self::TooCommon(hints),
        }
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::UnknownCustomer => Self::attribute(CUSTOMER_EMAIL.name, Fault::Unknown),
            RequestError::Store(error) => error.into(),
        }
    }
}

impl From<CompleteError> for Problem {
    fn from(error: CompleteError) -> Self {
        match error {
            CompleteError::Token => Self::attribute(TOKEN.name, Fault::Invalid),
            CompleteError::Password(refusal) => Self::attribute(CUSTOMER_PASSWORD.name, refusal.into()),
            CompleteError::Hash(error) => error.into(),
            CompleteError::Sealed(error) => error.into(),
            CompleteError::Store(error) => error.into(),
        }
    }
}

impl From<CustomerError> for Problem {
    fn from(error: CustomerError) -> Self {
        match error {
            CustomerError::Taken => Self::attribute(EMAIL.name, Fault::Taken),
            CustomerError::Password(refusal) => Self::attribute(PASSWORD.name, refusal.into()),
            CustomerError::Hash(error) => error.into(),
            CustomerError::Store(error) => error.into(),
        }
    }
}

/// Why a log-in failed for another reason than its credentials.
impl TryFrom<SignInError> for Problem {
    type Error = WrongCredentials;

    fn try_from(error: SignInError) -> Result<Self, WrongCredentials> {
        match error {
            SignInError::Credentials => Err(WrongCredentials),
            SignInError::Hash(error) => Ok(error.into()),
            SignInError::Store(error) => Ok(error.into()),
        }
    }
}

/// Why a session was not prolonged for another reason than its token.
impl TryFrom<RefreshError> for Problem {
    type Error = WrongCredentials;

    fn try_from(error: RefreshError) -> Result<Self, WrongCredentials> {
        match error {
            RefreshError::Token => Err(WrongCredentials),
            RefreshError::Reused(session) => {
                tracing::warn!(%session, "{error}");
                Err(WrongCredentials)
            }
            RefreshError::Store(error) => Ok(error.into()),
        }
    }
}

/// Wrong address or password, or a wrong refresh token.
pub struct WrongCredentials;
