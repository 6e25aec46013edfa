use actix_web::http::StatusCode;
use strum::EnumIter;

/// The request header.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// What is wrong with an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter)]
pub enum KeyProblem {
    /// It is empty, too long, malformed, or sent twice.
    Invalid,
    /// The caller has used it for another request.
    Reused,
    /// The first request with it is still running.
    InUse,
}

impl KeyProblem {
    /// Status, code, title and detail.
    pub fn told(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        match self {
            Self::Invalid => (
                StatusCode::BAD_REQUEST,
                "INVALID_IDEMPOTENCY_KEY",
                "Invalid idempotency key",
                "An idempotency key is one value of 1 to 255 visible ASCII characters.",
            ),
            Self::Reused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "IDEMPOTENCY_KEY_REUSED",
                "Idempotency key reused",
                "This idempotency key was used for another request.",
            ),
            Self::InUse => (
                StatusCode::CONFLICT,
                "IDEMPOTENCY_KEY_IN_USE",
                "Idempotency key in use",
                "The first request with this idempotency key is still being worked on. Try again later.",
            ),
        }
    }
}
