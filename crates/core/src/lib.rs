//! The domain of customer password resets, its use cases, and the ports they need.
//!
//! One folder for each slice: [`resets`], [`customers`], [`sessions`], [`deliveries`] (mails), [`webhooks`], [`events`] (from the outbox to the
//! bus, and the audit log), [`passwords`], [`secrets`], and [`resources`], the read side that all JSON:API resources share, with [`documents`], which shows records. A slice's
//! own file has its types; below it are its use cases (`service`, `sign_in`, `relay`) and its ports. The other files hold what all
//! slices share. Nothing here does I/O: no HTTP, SQL, AMQP or SMTP crate is a dependency.
#![warn(missing_docs)]

pub mod administration;
pub mod attributes;
pub mod caller;
pub mod cleanup;
pub mod clients;
pub mod clock;
pub mod customers;
pub mod deliveries;
pub mod documents;
pub mod email;
pub mod error;
pub mod events;
pub mod gauges;
pub mod idempotency;
pub mod ids;
pub mod key_rotation;
pub mod limits;
pub mod locale;
pub mod metrics;
pub mod name;
pub mod network;
mod newtypes;
pub mod operators;
pub mod organizations;
pub mod passwords;
pub mod ping;
pub mod random;
pub mod resets;
pub mod resources;
pub mod scope;
pub mod secrets;
pub mod sessions;
#[cfg(test)]
mod testing;
pub mod time_zone;
pub mod webhooks;
