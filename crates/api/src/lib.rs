//! The HTTP side of Rekey: the JSON:API resources, access tokens, and the page behind the link in the mail.

mod app;
mod app_data;
mod auth;
mod caller;
mod cors;
mod endpoints;
mod idempotency;
mod json;
mod jsonapi;
mod limits;
mod methods;
mod metrics;
mod oauth;
pub mod openapi;
mod pages;
mod payload;
mod resources;
mod routes;
mod span;
mod swagger_ui;

pub use app::Application;
pub use app_data::{BuildError, Config, Database, Services, SharedOrganizations};
pub use auth::jwt::{SigningKeyError, signing_key_id};
pub use json::{JsonError, read as read_json};
pub use jsonapi::{
    body::{Attributes, read_document},
    error::Problem,
    query::{ListQuery, MAX_ORDERS, Query},
};
pub use limits::WithTimeout;
pub use pages::{CookieSpec, FormToken, PagesError, check_pages, is_same_origin};
