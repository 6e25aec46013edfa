//! The API over real HTTP, on a real SQLite store, each test with a server and a database of its own.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "all of this is test code: a panic is how a test fails"
)]

mod anonymization;
mod answer;
mod app;
mod clock;
mod codes;
mod connections;
mod cors;
mod customers;
mod deliveries;
mod email_input;
mod framework;
mod fresh_sign_in;
mod guesses;
mod health;
mod idempotency;
mod keys;
mod limits;
mod lists;
mod log_in_time;
mod oauth;
mod openapi;
mod organization;
mod page;
mod page_code;
mod page_forgot;
mod page_form;
mod page_link;
mod page_look;
mod page_not_me;
mod page_restore_email;
mod permissions;
mod refresh;
mod refusals;
mod resets;
mod revoke;
mod self_service;
mod sign_in_audit;
mod tenants;
mod tokens;
mod webhooks;
