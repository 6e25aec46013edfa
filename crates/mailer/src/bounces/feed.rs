//! What the webhooks of providers have in common.

use serde::de::DeserializeOwned;

use super::notice::Notice;

/// An event of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The mail's envelope sender: an address for bounces, unless the provider needs another one.
    pub sender: Option<String>,
    /// What begins with the delivery's id: the Message-ID, or the content of a header of ours.
    pub ids: Vec<String>,
    /// What the event says.
    pub notice: Notice,
}

/// Why a provider's request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// Somebody else sent it, or another key is configured.
    #[error("{0}")]
    Refused(&'static str),
    /// It has not the provider's form.
    #[error("{0}")]
    Malformed(String),
    /// A file of the provider's can't be fetched now.
    #[error("{0}")]
    Unavailable(String),
}

/// Reads a body.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, FeedError> {
    serde_json::from_slice(body).map_err(|error| {
        FeedError::Malformed(format!("the body is not the provider's JSON: {}", without_values(&error)))
    })
}

/// Returns where JSON is wrong. serde's text repeats values, which may be addresses.
fn without_values(error: &serde_json::Error) -> String {
    format!("{:?} error at line {}, column {}", error.classify(), error.line(), error.column())
}
