//! What the three programs agree on: configuration by section.

pub mod config;
