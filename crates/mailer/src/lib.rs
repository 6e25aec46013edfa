//! The mailer: from an event on the bus to a mail at the relay.
//!
//! [`handler`] takes an event and decides; [`deliver`] and [`render`] write the mail, [`message`] puts it in its form on the
//! wire, [`dkim`] signs it, [`transport`] hands it over.

pub mod deliver;
pub mod dkim;
pub mod handler;
pub mod message;
pub mod render;
pub mod transport;

use std::{sync::Arc, time::Duration};

use rekey_core::{
    clock::Clock, deliveries::ledger::Ledger, organizations::PerOrganization, random::RandomSource,
    secrets::KeyRing,
};
use rekey_runtime::config::{OrganizationMailSettings, PublicUrl};
use rekey_texts::{Language, Texts};

pub use self::handler::MailHandler;
use self::{
    deliver::Writer,
    dkim::Signer,
    render::{Renderer, UnfitError},
    transport::Router,
};

/// What a mailer is made of.
pub struct Mailer {
    /// Who may send what.
    pub ledger: Arc<dyn Ledger>,
    /// Where mails go.
    pub router: Router,
    /// Opens tokens, verifies events.
    pub keys: KeyRing,
    /// Dates mails.
    pub clock: Arc<dyn Clock>,
    /// Spreads retries.
    pub random: Arc<dyn RandomSource>,
    /// The settings of organizations.
    pub organizations: PerOrganization<OrganizationMailSettings>,
    /// What signs its mails, if they are to be signed.
    pub signers: PerOrganization<Option<Signer>>,
    /// Where the pages are that this service hosts.
    pub public_url: PublicUrl,
    /// How long a claim on a mail holds; longer than any transport takes for a mail.
    pub lease: Duration,
}

impl Mailer {
    /// The handler for a bus.
    ///
    /// # Errors
    /// When an organization's texts or templates are not fit for use.
    pub fn build(self) -> Result<Arc<MailHandler>, UnfitError> {
        let texts = Texts::built_in(Language::English)?;
        let writer = Writer {
            renderers: self
                .organizations
                .try_map(|own| Renderer::for_organization(&texts, &own.organization))?,
            organizations: self.organizations,
            public_url: self.public_url,
            keys: self.keys.clone(),
            clock: Arc::clone(&self.clock),
        };
        Ok(Arc::new(MailHandler {
            ledger: self.ledger,
            router: self.router,
            writer,
            signers: self.signers,
            keys: self.keys,
            clock: self.clock,
            random: self.random,
            lease: self.lease.try_into().unwrap_or(time::Duration::MAX),
        }))
    }
}
