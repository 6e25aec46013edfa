//! Webhooks: from an event on the bus to a signed POST to each receiver.
//!
//! [`handler`] receives an event and records a callback for each webhook of its topic. [`worker`] claims those that are due and records their
//! outcomes. [`client`] makes one attempt: [`signature`] signs it, [`target`] says which addresses it may reach, [`lookup`] finds and checks
//! them, [`failure`] says in words why there is no answer.

pub mod answer;
pub mod client;
pub mod failure;
pub mod handler;
pub mod lookup;
mod metrics;
pub mod signature;
pub mod target;
pub mod worker;

use std::sync::Arc;

use rekey_core::{
    clock::Clock,
    random::RandomSource,
    resources::catalog::Catalog,
    secrets::KeyRing,
    webhooks::{
        fan_out::FanOut,
        queue::{CallbackQueue, ClaimLimits},
        store::CallbackStore,
    },
};
use rekey_runtime::config::Webhooks;
use tokio::sync::Notify;

pub use self::{
    answer::Answer,
    client::{ClientOptions, Request, WebhookClient},
    failure::{FailureReason, SendFailure},
    handler::FanOutHandler,
    lookup::{Lookup, SystemLookup},
    signature::Secrets,
    target::Targets,
    worker::Worker,
};

/// Makes the two parts: what records callbacks, and what makes them.
///
/// # Errors
/// When TLS can't be set up.
pub fn webhooks<S: CallbackStore + CallbackQueue + Catalog>(
    store: Arc<S>,
    settings: Webhooks,
    keys: KeyRing,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
) -> Result<(Arc<FanOutHandler>, Arc<Worker>), reqwest::Error> {
    metrics::start();
    let added = Arc::new(Notify::new());
    let client = WebhookClient::new(ClientOptions {
        allowed_networks: settings.allowed_networks,
        ..ClientOptions::default()
    })?;
    let fan_out = FanOut::new(store.clone(), store.clone(), keys.clone(), random.clone());
    let handler = FanOutHandler { fan_out, added: added.clone() };
    let limits = ClaimLimits {
        total: settings.concurrency,
        per_webhook: settings.webhook_concurrency,
        per_organization: settings.organization_concurrency,
    };
    let worker = Worker { queue: store, client, keys, clock, random, limits, added };
    Ok((Arc::new(handler), Arc::new(worker)))
}
