//! From a claimed mail to its written form: what to say, and the link.

use std::sync::Arc;

use rekey_core::{
    ambient::Clock,
    delivery::Assignment,
    event::{Event, EventBody, ResetCreated},
    organization::PerOrganization,
    secret::{KeyRing, UnsealError},
};
use rekey_runtime::config::{LinkValues, MailingShop, PublicUrl};
use time::{Duration, OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

use crate::{
    message::{Mail, MessageError, compose},
    render::{LANGUAGE, PasswordChanged, Rendered, Renderer, ResetRequested},
};

/// Writes mails.
pub struct Writer {
    pub(crate) renderer: Renderer,
    pub(crate) shops: PerOrganization<MailingShop>,
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
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The event leads to no mail.
    #[error("no mail belongs to this event")]
    NoMail,
}

impl From<minijinja::Error> for WriteError {
    /// The kind alone: the whole error can show the context, and so the token.
    fn from(error: minijinja::Error) -> Self {
        Self::Template(error.kind())
    }
}

impl Writer {
    /// Writes the mail that this event leads to. Written again, it has the same link and the same Message-ID.
    pub fn write(&self, event: &Event, assignment: &Assignment) -> Result<Mail, WriteError> {
        let rendered = match &event.body {
            EventBody::ResetCreated(created) => self.reset_requested(event, created, assignment)?,
            EventBody::ResetUsed { .. } | EventBody::CustomerPasswordCreated { .. } => {
                self.renderer.render(&PasswordChanged {
                    shop: assignment.organization.name.clone(),
                    changed: moment(event.occurred_at),
                })?
            }
            EventBody::ResetDestroyed { .. }
            | EventBody::ResetDisavowed { .. }
            | EventBody::CustomerCreated { .. }
            | EventBody::CustomerDestroyed { .. } => {
                return Err(WriteError::NoMail);
            }
        };
        Ok(compose(
            event.id,
            &self.shops.of(&assignment.organization.slug).mail,
            &assignment.recipient,
            &rendered,
            self.clock.now(),
        )?)
    }

    fn reset_requested(
        &self,
        event: &Event,
        created: &ResetCreated,
        assignment: &Assignment,
    ) -> Result<Rendered, WriteError> {
        let reset = created.reset;
        let token = created.token.unseal(event.scope.organization, reset, &self.keys)?;
        // A link has an expiry in every store; were it missing, the mail would promise the reader nothing.
        let now = self.clock.now();
        let expires_at = assignment.expires_at.unwrap_or(now);
        let organization = &assignment.organization;
        let template = self
            .shops
            .of(&organization.slug)
            .shop
            .links
            .reset_template(&self.public_url, created.client_id.as_deref());
        let values = LinkValues {
            id: reset.as_str(),
            token: token.expose(),
            locale: LANGUAGE,
            organization: organization.slug.as_str(),
        };
        Ok(self.renderer.render(&ResetRequested {
            shop: assignment.organization.name.clone(),
            link: template.fill(values),
            life: in_words(expires_at - now),
            expires: moment(expires_at),
        })?)
    }
}

/// A span of time as a reader would say it, to the nearest unit.
fn in_words(span: Duration) -> String {
    let minutes = (span.whole_seconds() + 30) / 60;
    let (count, unit) = match minutes {
        ..=1 => (1, "minute"),
        2..=90 => (minutes, "minute"),
        91..=2879 => ((minutes + 30) / 60, "hour"),
        _ => ((minutes + 720) / 1440, "day"),
    };
    match (count, unit) {
        (60, "minute") => "1 hour".to_owned(),
        (1, unit) => format!("1 {unit}"),
        (count, unit) => format!("{count} {unit}s"),
    }
}

/// A moment as a reader would say it.
fn moment(at: OffsetDateTime) -> String {
    const FORMAT: &[BorrowedFormatItem<'_>] =
        format_description!("[day padding:none] [month repr:long] [year] at [hour]:[minute] UTC");
    at.to_utc().format(FORMAT).unwrap_or_default()
}

#[cfg(test)]
mod tests;
