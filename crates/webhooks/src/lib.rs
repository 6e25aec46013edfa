//! Webhooks: one attempt to deliver an event to a receiver.
//!
//! [`client`] sends the request and reads the answer, [`signature`] signs it, [`target`] says which addresses it may reach, [`lookup`] finds
//! and checks them, [`failure`] says in words why there is no answer.

pub mod answer;
pub mod client;
pub mod failure;
pub mod lookup;
pub mod signature;
pub mod target;

pub use self::{
    answer::Answer,
    client::{ClientOptions, Request, WebhookClient},
    failure::{FailureReason, SendFailure},
    lookup::{Lookup, SystemLookup},
    signature::{MalformedSecret, Secrets, SharedSecret},
    target::Targets,
};
