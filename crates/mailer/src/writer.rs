//! Writes a claimed mail: its recipient, language and content, and its signature.

use std::sync::Arc;

use rekey_core::{
    clock::Clock,
    deliveries::{ClaimedDelivery, MailName, Recipient},
    events::{Event, EventBody},
    organizations::PerOrganization,
    secrets::KeyRing,
};
use rekey_runtime::config::{OrganizationMailSettings, PublicUrl};

use crate::{
    bounces::{ProviderHeader, name_delivery},
    dkim::{Signer, SigningFailed},
    mails::{self, ContentError, MailSource},
    message::{Mail, MessageError, compose},
    render::Renderer,
};

/// Writes mails.
pub(crate) struct Writer {
    pub renderers: PerOrganization<Renderer>,
    pub organizations: PerOrganization<OrganizationMailSettings>,
    pub signers: PerOrganization<Option<Signer>>,
    pub provider_headers: Vec<ProviderHeader>,
    pub public_url: PublicUrl,
    pub keys: KeyRing,
    pub clock: Arc<dyn Clock>,
}

/// Why a mail can't be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error(transparent)]
    Content(#[from] ContentError),
    /// A template and its values disagree. Only the kind of the error: the whole one can show the values, and so the token.
    #[error("the template can't be rendered: {0}")]
    Template(minijinja::ErrorKind),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error(transparent)]
    Signing(#[from] SigningFailed),
}

impl Writer {
    /// Writes the mail that this event leads to. Written again, it has the same link and the same Message-ID.
    pub async fn write(
        &self,
        mail: MailName,
        event: &Event,
        delivery: &ClaimedDelivery,
    ) -> Result<Mail, WriteError> {
        let slug = &delivery.organization.slug;
        let settings = self.organizations.get(slug);
        let renderer = self.renderers.get(slug);
        let reader = renderer.reader(delivery.recipient.locale().into_iter().chain(&event.locales));
        let now = self.clock.now();
        // Without the key for the event's address, the mail must not go to the customer's present one.
        let named = event.recipient(&self.keys).map_err(ContentError::from)?;
        let (mail, recipient) = match (&delivery.recipient, &event.body) {
            (Recipient::Customer { email, .. }, _) => (mail, named.unwrap_or_else(|| email.clone())),
            (Recipient::Unknown, EventBody::ResetCreated(created)) => {
                let sealed = created.address.as_ref().ok_or(ContentError::NoMail)?;
                let typed = sealed.unseal(event.scope.organization, created.reset, &self.keys);
                (MailName::NoAccount, typed.map_err(ContentError::from)?)
            }
            (Recipient::Unknown, _) => return Err(ContentError::NoMail.into()),
        };
        let (public_url, keys) = (&self.public_url, &self.keys);
        let source = MailSource { event, delivery, settings, public_url, keys, reader: &reader };
        let content = (mails::definition(mail).content)(&source)?;
        let parts = renderer.render(&reader, content).map_err(|error| WriteError::Template(error.kind()))?;
        let mut mail = compose(event.id, &settings.mail, &recipient, &parts, now)?;
        let domain = settings.mail.bounce_domain.as_deref();
        name_delivery(&mut mail, event.id, domain, &self.provider_headers, keys)?;
        match self.signers.get(slug) {
            Some(signer) => Ok(signer.sign(mail).await?),
            None => Ok(mail),
        }
    }
}
