//! Shared by the end-to-end tests: the real programs as processes, their servers, and their clients.
//!
//! The programs must be built: run `cargo build --workspace --bins` first, or `make test`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    reason = "all of this is test code: a panic is how a test fails"
)]

pub mod bench;
pub mod broker;
pub mod chaos;
pub mod client;
pub mod dev;
pub mod dice;
pub mod dns;
pub mod evidence;
pub mod large_shop;
pub mod load;
pub mod mail;
pub mod metrics;
pub mod page;
pub mod postgres;
pub mod process;
pub mod receiver;
pub mod shop;
pub mod smtp;
pub mod stack;
pub mod wait;
#[expect(clippy::must_use_candidate, reason = "it is the guide's code")]
pub mod webhook_signature;
