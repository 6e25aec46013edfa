//! The HTTP side of Rekey: the JSON:API resources, access tokens, and the page behind the link in the mail.

mod api;
mod app;
mod auth;
mod caller;
mod cors;
mod endpoints;
mod headers;
mod idempotency;
mod jsonapi;
mod limits;
pub mod openapi;
mod pages;
mod payload;
mod resources;
mod routes;
mod span;
mod swagger_ui;

pub use api::{ApiError, Config, Ports, Services};
pub use app::{Application, BuildError};
pub use auth::jwt::SigningKeyError;
