//! The event contract: message types generated from `proto/rekey/events/v1/event.proto`.
//!
//! This crate knows bytes and fields only. What an event means, and whether its tag is right, is
//! `rekey_core::events`'s business.

/// Version 1 of the contract. Fields are documented in the `.proto` file.
#[expect(clippy::all, clippy::pedantic, missing_docs, reason = "generated code")]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/rekey.events.v1.rs"));
}

/// The one schema version that this build writes and reads.
pub const SCHEMA_VERSION: u32 = 1;
