//! What the three programs (`rekey-api`, `rekey-mailer`, `rekey`) share: configuration, logs and traces, start and stop.
//!
//! A main calls [`lifecycle::run`] with a function that loads its settings ([`config`]), calls [`telemetry::init`], and spawns its
//! work on [`lifecycle::Tasks`].

pub mod admin;
pub mod config;
pub mod health;
pub mod lifecycle;
pub mod proxies;
pub mod reload;
pub mod telemetry;

/// Makes ring the process's one TLS provider. Call it before anything opens a connection; a second call changes nothing.
pub fn install_crypto() {
    // The error is the provider that an earlier call has installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
