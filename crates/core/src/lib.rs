//! The domain of customer password resets, its use cases, and the ports they need.
//!
//! Nouns: [`email`], [`ids`], [`secret`], [`password`], [`organization`], [`access`], [`customer`], [`reset`],
//! [`delivery`], [`listing`], [`event`], [`audit`], [`journal`], [`locale`]. Ports: [`store`], [`outbox`], [`ledger`], [`import`],
//! [`bus`], [`ambient`]. Verbs: [`administration`], [`import`], [`recovery`], [`registration`], [`sign_in`], [`relay`]. Nothing here does I/O: no HTTP, SQL, AMQP or SMTP crate is a dependency.
#![warn(missing_docs)]

pub mod access;
pub mod administration;
pub mod ambient;
pub mod audit;
pub mod bus;
pub mod customer;
pub mod delivery;
pub mod email;
pub mod event;
pub mod ids;
pub mod import;
pub mod journal;
pub mod ledger;
pub mod listing;
pub mod locale;
pub mod organization;
pub mod outbox;
pub mod password;
pub mod recovery;
pub mod registration;
pub mod relay;
pub mod reset;
pub mod secret;
pub mod sign_in;
pub mod store;
