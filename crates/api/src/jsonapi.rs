//! JSON:API as the vendor speaks it: documents, errors, bodies and queries.

pub mod body;
mod causes;
pub mod document;
pub mod error;
pub mod negotiation;
pub mod query;

/// The media type of requests and answers (JSON:API 1.1 §5).
pub const MEDIA_TYPE: &str = "application/vnd.api+json";
