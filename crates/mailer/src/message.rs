//! The composed mail (RFC 5322, MIME).

use std::time::SystemTime;

use lettre::{
    Address,
    message::{
        Mailbox, Message, MultiPart, SinglePart,
        header::{Date, HeaderName, HeaderValue},
    },
};
use rekey_core::{
    email::EmailAddress,
    ids::EventId,
    name::{is_invisible, one_line},
};
use rekey_runtime::config;
use time::OffsetDateTime;

use crate::render::Rendered;

/// A mail, ready to be handed over. It has one recipient.
#[derive(Clone)]
pub struct Mail {
    /// The event that leads to it, and so its identity: sent again, it is the same mail.
    pub event: EventId,
    /// When it was composed, as in its `Date`.
    pub written_at: OffsetDateTime,
    /// The envelope's sender, where bounces go.
    pub sender: Address,
    /// The envelope's recipient.
    pub recipient: Address,
    /// Headers and body, ASCII, lines ended by CRLF.
    pub content: Vec<u8>,
}

rekey_core::redacted_debug!(Mail);

/// Why a mail can't be composed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// lettre parses the stored address differently, or rejects it.
    #[error("the recipient's address can't be used in a mail")]
    Recipient,
    /// The same for the configured sender.
    #[error("the sender's address can't be used")]
    Sender,
    /// lettre refuses the message.
    #[error("the message can't be composed")]
    Message,
}

/// Composes the mail. The same event gives the same Message-ID and the same boundary, so a mail that arrives twice is recognized.
pub fn compose(
    event: EventId,
    sender: &config::Mail,
    recipient: &EmailAddress,
    rendered: &Rendered,
    now: OffsetDateTime,
) -> Result<Mail, MessageError> {
    let from = mailbox(&sender.from)?;
    let to = address(recipient).ok_or(MessageError::Recipient)?;
    let envelope_from = sender.envelope_from.as_ref().unwrap_or(&sender.from.address);
    let mut builder = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(single_line(&rendered.subject))
        .header(Date::new(SystemTime::from(now)))
        .message_id(Some(format!("<{event}@{}>", from.email.domain())))
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("Content-Language", rendered.language.tag()));
    if let Some(reply_to) = &sender.reply_to {
        builder = builder.reply_to(mailbox(reply_to)?);
    }
    // The better form comes last (RFC 2046 §5.1.4). The boundary can't occur in a part: no template knows the event's id.
    let parts = MultiPart::alternative()
        .boundary(format!("rekey-{event}"))
        .singlepart(SinglePart::plain(rendered.text.clone()))
        .singlepart(SinglePart::html(rendered.html.clone()));
    let message = builder.multipart(parts).map_err(|_| MessageError::Message)?;
    let sender = address(envelope_from).ok_or(MessageError::Sender)?;
    Ok(Mail { event, written_at: now, sender, recipient: to, content: message.formatted() })
}

/// Converts an address to lettre's type. lettre has a parser of its own: an address that it reads differently is refused.
fn address(email: &EmailAddress) -> Option<Address> {
    let (local, domain) = email.as_str().split_once('@')?;
    Address::new(local, domain).ok().filter(|address| AsRef::<str>::as_ref(address) == email.as_str())
}

fn mailbox(from: &config::Mailbox) -> Result<Mailbox, MessageError> {
    let address = address(&from.address).ok_or(MessageError::Sender)?;
    Ok(Mailbox::new(from.name.clone(), address))
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// Makes a subject one line. The marks around a name of the other direction stay, or it would pull the words next to it along.
fn single_line(text: &str) -> String {
    one_line(text, |c| is_invisible(c) && !matches!(c, '\u{2068}' | '\u{2069}'))
}

#[cfg(test)]
mod tests;
