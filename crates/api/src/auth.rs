//! Authentication: access tokens, the clients they are issued to, and what each kind of caller may do.

pub mod bearer;
pub mod claims;
pub mod clients;
pub mod jwt;
pub mod principal;
