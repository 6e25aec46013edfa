//! Who calls: access tokens, the clients they are given to, and what each kind of caller may do.

pub mod bearer;
pub mod clients;
pub mod jwt;
pub mod oauth;
pub mod principal;
pub mod revocation_endpoint;
pub mod token_endpoint;
