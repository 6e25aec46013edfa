//! The domain of customer password resets, its use cases, and the ports they need.
//!
//! Nouns: [`email`], [`ids`], [`secret`], [`password`], [`organization`], [`access`], [`origin`], [`customer`], [`reset`],
//! [`rules`], [`delivery`], [`suppression`], [`resource`], [`record`], [`listing`], [`event`], [`audit`], [`journal`], [`locale`]. Ports: [`catalog`],
//! [`store`], [`session`], [`outbox`], [`ledger`], [`limits`], [`bus`], [`retry_ladder`], [`ambient`].
//! Verbs: [`administration`], [`recovery`], [`registration`], [`sign_in`], [`relay`], and with their ports [`idempotency`],
//! [`import`] and [`housekeeping`]. Nothing here does I/O: no HTTP, SQL, AMQP or SMTP crate is a dependency.
#![warn(missing_docs)]

pub mod access;
pub mod administration;
pub mod ambient;
pub mod audit;
pub mod bus;
pub mod catalog;
pub mod customer;
pub mod delivery;
pub mod email;
pub mod event;
pub mod housekeeping;
pub mod idempotency;
pub mod ids;
pub mod import;
pub mod journal;
pub mod ledger;
pub mod limits;
pub mod listing;
pub mod locale;
pub mod name;
pub mod organization;
pub mod origin;
pub mod outbox;
pub mod password;
pub mod record;
pub mod recovery;
pub mod registration;
pub mod relay;
pub mod reset;
pub mod resource;
pub mod retry_ladder;
pub mod rules;
pub mod secret;
pub mod session;
pub mod sign_in;
pub mod store;
pub mod suppression;
pub mod time_zone;
