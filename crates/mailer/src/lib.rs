//! The mailer: from an event on the bus to a mail at the relay.
//!
//! [`handler`] receives an event, claims its mail and records the outcome. `writer` writes the mail: `mails` says what is in it,
//! [`render`] fills the templates, [`message`] composes the message, [`dkim`] signs it. [`transport`] hands it over. [`bounces`] receives
//! what is reported of it later. `circuits` mails organizations that a webhook's circuit opened.

pub mod bounces;
mod circuits;
pub mod dkim;
pub mod handler;
mod mails;
pub mod message;
mod metrics;
pub mod render;
pub mod transport;
mod writer;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;
use rekey_core::{
    clock::Clock, deliveries::ledger::Ledger, organizations::PerOrganization, random::RandomSource,
    secrets::KeyRing,
};
use rekey_runtime::config::{OrganizationMailSettings, PublicUrl};
use tokio::time::Instant;

pub use self::handler::MailHandler;
use self::{
    bounces::ProviderHeader,
    dkim::Signer,
    render::{Renderer, RendererError},
    transport::Router,
    writer::Writer,
};

/// The parts of a mailer.
pub struct Mailer {
    /// Records which mails are due, and their outcomes.
    pub ledger: Arc<dyn Ledger>,
    /// Where mails are handed over.
    pub router: Router,
    /// Verifies events and opens the secrets in them.
    pub keys: KeyRing,
    /// Dates mails.
    pub clock: Arc<dyn Clock>,
    /// Spreads retries.
    pub random: Arc<dyn RandomSource>,
    /// The settings of each organization.
    pub organizations: PerOrganization<OrganizationMailSettings>,
    /// Signs each organization's mails, if they are to be signed.
    pub signers: PerOrganization<Option<Signer>>,
    /// The headers by which providers name the delivery in their reports.
    pub provider_headers: Vec<ProviderHeader>,
    /// The address of the hosted pages.
    pub public_url: PublicUrl,
    /// How long a claim on a mail holds; longer than any transport takes for a mail.
    pub lease: Duration,
}

impl Mailer {
    /// Makes the handler for a bus.
    ///
    /// # Errors
    /// [`RendererError`] when an organization's texts or templates have a mistake.
    pub fn build(self) -> Result<Arc<MailHandler>, RendererError> {
        let writer = Writer {
            renderers: Renderer::for_all(&self.organizations)?,
            organizations: self.organizations,
            signers: self.signers,
            provider_headers: self.provider_headers,
            public_url: self.public_url,
            keys: self.keys.clone(),
            clock: self.clock,
        };
        Ok(Arc::new(MailHandler {
            ledger: self.ledger,
            router: self.router,
            writer: ArcSwap::from_pointee(writer),
            keys: self.keys,
            random: self.random,
            lease: self.lease.try_into().unwrap_or(time::Duration::MAX),
            last_message_at: Mutex::new(Instant::now()),
        }))
    }
}
