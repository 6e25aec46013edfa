//! What the three programs (`rekey-api`, `rekey-mailer`, `rekey`) agree on: how they are configured, what they tell about
//! themselves, how they start and how they stop.
//!
//! A main is three lines: [`lifecycle::run`] around a function that loads its settings ([`config`]), calls
//! [`telemetry::init`], and spawns what it does on [`lifecycle::Tasks`].

pub mod config;
pub mod health;
pub mod lifecycle;
pub mod telemetry;

/// Makes ring the process's one TLS provider. Call it before anything opens a connection; a second call changes nothing.
pub fn install_crypto() {
    // The error is the provider that is there already, by this very call.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
