//! The suites that every adapter of a port must pass.

pub mod bus;
pub mod stores;
