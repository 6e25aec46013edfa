//! Shared by the tests of several crates: their own servers, seeded data, and the suites that every adapter of a port must
//! pass.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "all of this is test code: a panic is how a test fails"
)]

pub mod backdoor;
pub mod conformance;
pub mod evaluator;
pub mod postgres;
pub mod proxy;
pub mod seed;
pub mod smtp;
pub mod statistics;
pub mod store;
