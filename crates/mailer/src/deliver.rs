//! From a claimed mail to its written form: what to say, and the link.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rekey_core::{
    clock::Clock,
    deliveries::{ClaimedDelivery, Recipient},
    events::{Event, EventBody, ResetCreated},
    ids::ResetId,
    name::visible,
    organizations::{Organization, PerOrganization},
    secrets::{KeyRing, RejectionProof, UnsealError},
};
use rekey_runtime::config::{LinkValues, OrganizationMailSettings, PublicUrl};
use rekey_texts::{Language, Reader, SayError};

use crate::{
    dkim::Unsigned,
    message::{Mail, MessageError, compose},
    render::{NoAccount, PasswordChanged, RenderError, Renderer, ResetRequested},
};

/// Writes mails.
pub struct Writer {
    pub(crate) renderers: PerOrganization<Renderer>,
    pub(crate) organizations: PerOrganization<OrganizationMailSettings>,
    pub(crate) public_url: PublicUrl,
    pub(crate) keys: KeyRing,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Why a mail can't be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The token's key is gone, or it belongs to another reset.
    #[error(transparent)]
    Sealed(#[from] UnsealError),
    /// A template and its context disagree.
    #[error("the template can't be rendered: {0}")]
    Template(minijinja::ErrorKind),
    /// There is no text of what is to be said.
    #[error(transparent)]
    Text(#[from] SayError),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error(transparent)]
    Unsigned(#[from] Unsigned),
    /// The event leads to no mail.
    #[error("no mail belongs to this event")]
    NoMail,
}

impl From<RenderError> for WriteError {
    /// A template's kind of error alone: the whole one can show the context, and so the token.
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Template(error) => Self::Template(error.kind()),
            RenderError::Text(error) => Self::Text(error),
        }
    }
}

impl Writer {
    /// Writes the mail that this event leads to. Written again, it has the same link and the same Message-ID.
    pub fn write(&self, event: &Event, assignment: &ClaimedDelivery) -> Result<Mail, WriteError> {
        let organization = &assignment.organization;
        let renderer = self.renderers.get(&organization.slug);
        let reader = renderer.reader(assignment.recipient.locale().into_iter().chain(&event.locales));
        let (recipient, words) = match (&event.body, &assignment.recipient) {
            (EventBody::ResetCreated(created), Recipient::Customer { email, .. }) => {
                let mail = self.reset_requested(event, created, assignment, &reader)?;
                (email.clone(), renderer.render(&reader, &mail)?)
            }
            (EventBody::ResetCreated(created), Recipient::Unknown) => {
                let typed = created.address.as_ref().ok_or(WriteError::NoMail)?;
                let typed = typed.unseal(event.scope.organization, created.reset, &self.keys)?;
                (typed, renderer.render(&reader, &self.no_account(organization, &reader))?)
            }
            (
                EventBody::ResetUsed { .. } | EventBody::CustomerPasswordCreated { .. },
                Recipient::Customer { email, .. },
            ) => {
                let mail = self.password_changed(event, organization, &reader)?;
                (email.clone(), renderer.render(&reader, &mail)?)
            }
            (EventBody::ResetUsed { .. } | EventBody::CustomerPasswordCreated { .. }, Recipient::Unknown)
            | (
                EventBody::ResetDestroyed { .. }
                | EventBody::ResetDisavowed { .. }
                | EventBody::CustomerCreated { .. }
                | EventBody::CustomerDestroyed { .. },
                _,
            ) => return Err(WriteError::NoMail),
        };
        let sender = &self.organizations.get(&organization.slug).mail;
        Ok(compose(event.id, sender, &recipient, &words, self.clock.now())?)
    }

    fn reset_requested(
        &self,
        event: &Event,
        created: &ResetCreated,
        assignment: &ClaimedDelivery,
        reader: &Reader,
    ) -> Result<ResetRequested, WriteError> {
        let token = created.token.unseal(event.scope.organization, created.reset, &self.keys)?;
        // A link has an expiry in every store; were it missing, the mail would promise the reader nothing.
        let now = self.clock.now();
        let expires_at = assignment.expires_at.unwrap_or(now);
        let organization = &assignment.organization;
        let links = &self.organizations.get(&organization.slug).organization.links;
        let template = links.reset_template(&self.public_url, created.client_id.as_deref());
        Ok(ResetRequested {
            shop: visible(&organization.name),
            link: template.fill(LinkValues {
                id: created.reset.as_str(),
                token: token.expose(),
                locale: reader.language().tag(),
                organization: organization.slug.as_str(),
            }),
            life: reader.span(expires_at - now)?,
            until: reader.moment(expires_at)?,
            code: self.code(event, created, assignment)?,
            not_me_link: Some(self.not_me_link(created.reset, reader.language())),
        })
    }

    /// The short code, unless it died before its mail is sent.
    fn code(
        &self,
        event: &Event,
        created: &ResetCreated,
        assignment: &ClaimedDelivery,
    ) -> Result<Option<String>, WriteError> {
        let Some(sealed) = created.code.as_ref().filter(|_| assignment.has_code) else { return Ok(None) };
        let code = sealed.unseal(event.scope.organization, created.reset, &self.keys)?;
        Ok(Some(code.expose().to_string()))
    }

    fn password_changed(
        &self,
        event: &Event,
        organization: &Organization,
        reader: &Reader,
    ) -> Result<PasswordChanged, WriteError> {
        Ok(PasswordChanged {
            shop: visible(&organization.name),
            changed: reader.moment(event.occurred_at)?,
            forgot_link: self.forgot_link(organization, reader.language()),
        })
    }

    fn no_account(&self, organization: &Organization, reader: &Reader) -> NoAccount {
        NoAccount {
            shop: visible(&organization.name),
            forgot_link: self.forgot_link(organization, reader.language()),
        }
    }

    /// The hosted page where the reader says that somebody else asked. The proof in it can end this one reset, no more.
    fn not_me_link(&self, reset: ResetId, language: Language) -> String {
        let proof = RejectionProof::for_reset(reset, &self.keys).expose();
        let proof = utf8_percent_encode(&proof, NON_ALPHANUMERIC);
        format!("{}/not-me?id={reset}&proof={proof}&locale={language}", self.public_url)
    }

    /// The hosted page that takes requests for resets, where the organization has named the client that it asks as.
    fn forgot_link(&self, organization: &Organization, language: Language) -> Option<String> {
        self.organizations.get(&organization.slug).organization.pages.client_id.as_ref()?;
        let Organization { slug, .. } = organization;
        Some(format!("{}/forgot-password?organization={slug}&locale={language}", self.public_url))
    }
}

#[cfg(test)]
mod tests;
