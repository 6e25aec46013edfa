//! From a claimed mail to its written form: what to say, and the link.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rekey_core::{
    ambient::Clock,
    delivery::Assignment,
    event::{Event, EventBody},
    ids::ResetId,
    secret::{KeyRing, ResetToken, SealedToken, UnsealError},
};
use rekey_runtime::config::{self, LinkTemplate};
use rekey_texts::{Language, Reader, SayError};

use crate::{
    message::{Mail, MessageError, compose},
    render::{PasswordChanged, RenderError, Rendered, Renderer, ResetRequested},
};

/// Writes mails.
pub struct Writer {
    pub(crate) renderer: Renderer,
    pub(crate) sender: config::Mail,
    pub(crate) link: LinkTemplate,
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
    /// A text and its template disagree.
    #[error(transparent)]
    Text(SayError),
    #[error(transparent)]
    Message(#[from] MessageError),
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
    pub fn write(&self, event: &Event, assignment: &Assignment) -> Result<Mail, WriteError> {
        let rendered = match &event.body {
            EventBody::ResetCreated { reset, token } => {
                self.reset_requested(event, *reset, token, assignment)?
            }
            EventBody::ResetUsed { .. } | EventBody::CustomerPasswordCreated { .. } => {
                let reader = self.reader();
                self.renderer.render(&reader, &PasswordChanged {
                    shop: assignment.organization.name.clone(),
                    changed: reader.moment(event.occurred_at).map_err(RenderError::from)?,
                    forgot_link: None,
                })?
            }
            EventBody::ResetDestroyed { .. }
            | EventBody::CustomerCreated { .. }
            | EventBody::CustomerDestroyed { .. } => {
                return Err(WriteError::NoMail);
            }
        };
        Ok(compose(event.id, &self.sender, &assignment.recipient, &rendered, self.clock.now())?)
    }

    fn reset_requested(
        &self,
        event: &Event,
        reset: ResetId,
        token: &SealedToken,
        assignment: &Assignment,
    ) -> Result<Rendered, WriteError> {
        let token = token.unseal(event.scope.organization, reset, &self.keys)?;
        // A link has an expiry in every store; were it missing, the mail would promise the reader nothing.
        let now = self.clock.now();
        let expires_at = assignment.expires_at.unwrap_or(now);
        let reader = self.reader();
        Ok(self.renderer.render(&reader, &ResetRequested {
            shop: assignment.organization.name.clone(),
            link: link(&self.link, reset, &token, reader.language()),
            life: reader.span(expires_at - now).map_err(RenderError::from)?,
            until: reader.moment(expires_at).map_err(RenderError::from)?,
            code: None,
            not_me_link: None,
        })?)
    }

    /// The texts in the language that the mail is written in.
    fn reader(&self) -> Reader {
        let texts = self.renderer.texts();
        texts.reader(texts.choose(&[]))
    }
}

fn link(template: &LinkTemplate, reset: ResetId, token: &ResetToken, language: Language) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    template
        .as_str()
        .replace("{id}", &encode(reset.as_str()))
        .replace("{token}", &encode(token.expose()))
        .replace("{locale}", &encode(language.tag()))
}

#[cfg(test)]
mod tests;
