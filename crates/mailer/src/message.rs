//! The composed mail (RFC 5322, MIME).

use std::{
    fmt::{self, Display},
    time::SystemTime,
};

use email_encoding::headers::{rfc2047, writer::EmailWriter};
use lettre::{
    Address,
    address::Envelope,
    message::{
        Message, MessageBuilder, MultiPart, SinglePart,
        header::{Date, HeaderName, HeaderValue},
    },
};
use rekey_core::{
    email::EmailAddress,
    name::{is_invisible, one_line},
};
use rekey_runtime::config;
use rekey_texts::Language;
use time::OffsetDateTime;

use crate::render::Rendered;

/// A mail, ready to be handed over. It has one recipient.
#[derive(Clone)]
pub struct Mail {
    /// Its identity: sent again, it is the same mail. That of the event that leads to it, or of the opening of a webhook's circuit.
    pub id: String,
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

/// Composes the mail. The same id gives the same Message-ID and the same boundary, so a mail that arrives twice is recognized.
pub fn compose(
    id: impl Display,
    sender: &config::Mail,
    recipient: &EmailAddress,
    rendered: &Rendered,
    now: OffsetDateTime,
) -> Result<Mail, MessageError> {
    let id = id.to_string();
    // The better form comes last (RFC 2046 §5.1.4). The boundary can't occur in a part: no template knows the event's id.
    let parts = MultiPart::alternative()
        .boundary(format!("rekey-{id}"))
        .singlepart(SinglePart::plain(rendered.text.clone()))
        .singlepart(SinglePart::html(rendered.html.clone()));
    let head = Head { id, sender, recipient, subject: &rendered.subject, language: rendered.language, now };
    head.compose(|builder| builder.multipart(parts))
}

/// Composes a mail in English that is plain text only, like [`compose`].
pub(crate) fn compose_text(
    id: String,
    sender: &config::Mail,
    recipient: &EmailAddress,
    subject: &str,
    text: String,
    now: OffsetDateTime,
) -> Result<Mail, MessageError> {
    let head = Head { id, sender, recipient, subject, language: Language::English, now };
    head.compose(|builder| builder.singlepart(SinglePart::plain(text)))
}

/// What the headers of a mail say.
struct Head<'a> {
    id: String,
    sender: &'a config::Mail,
    recipient: &'a EmailAddress,
    subject: &'a str,
    language: Language,
    now: OffsetDateTime,
}

impl Head<'_> {
    /// Composes a mail with these headers and that body.
    fn compose(
        self,
        body: impl FnOnce(MessageBuilder) -> Result<Message, lettre::error::Error>,
    ) -> Result<Mail, MessageError> {
        let Self { id, sender, recipient, subject, language, now } = self;
        let to = address(recipient).ok_or(MessageError::Recipient)?;
        let from = address(&sender.from.address).ok_or(MessageError::Sender)?;
        let envelope_from = sender.envelope_from.as_ref().unwrap_or(&sender.from.address);
        let envelope_from = address(envelope_from).ok_or(MessageError::Sender)?;
        // lettre would derive the envelope from the headers, and can't parse quoted local parts there.
        let envelope = Envelope::new(Some(envelope_from.clone()), vec![to.clone()]);
        let mut builder = Message::builder()
            .envelope(envelope.map_err(|_| MessageError::Message)?)
            .raw_header(mailbox_header("From", sender.from.name.as_deref(), &from)?)
            .raw_header(mailbox_header("To", None, &to)?)
            .subject(single_line(subject))
            .header(Date::new(SystemTime::from(now)))
            .message_id(Some(format!("<{id}@{}>", from.domain())))
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("Content-Language", language.tag()));
        if let Some(reply_to) = &sender.reply_to {
            let address = address(&reply_to.address).ok_or(MessageError::Sender)?;
            builder = builder.raw_header(mailbox_header("Reply-To", reply_to.name.as_deref(), &address)?);
        }
        let message = body(builder).map_err(|_| MessageError::Message)?;
        Ok(Mail { id, written_at: now, sender: envelope_from, recipient: to, content: message.formatted() })
    }
}

/// Converts an address to lettre's type. lettre has a parser of its own: an address that it reads differently is refused.
fn address(email: &EmailAddress) -> Option<Address> {
    let mailbox = email.mailbox();
    mailbox.parse::<Address>().ok().filter(|address| AsRef::<str>::as_ref(address) == mailbox)
}

/// Returns a header with one mailbox: its name quoted if it is ASCII, else encoded (RFC 2047). lettre would encode every name with a
/// comma or parenthesis.
fn mailbox_header(
    header: &'static str,
    name: Option<&str>,
    address: &Address,
) -> Result<HeaderValue, MessageError> {
    let name = name.map(single_line).filter(|name| !name.is_empty());
    let value = match name {
        None => address.to_string(),
        Some(name) if name.is_ascii() => {
            format!("\"{}\" <{address}>", name.replace('\\', r"\\").replace('"', "\\\""))
        }
        Some(name) => format!("{} <{address}>", encoded(header, &name).map_err(|_| MessageError::Message)?),
    };
    // lettre parses the raw value of From, to check that there is one sender, and fails at a quoted local part.
    let raw = format!("sender@{}", address.domain());
    Ok(HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(header), raw, value))
}

/// Encodes a name for that header, in as many folded lines as it takes.
fn encoded(header: &str, name: &str) -> Result<String, fmt::Error> {
    let mut encoded = String::new();
    let mut writer = EmailWriter::new(&mut encoded, header.len() + ": ".len(), 0, false);
    rfc2047::encode(name, &mut writer)?;
    drop(writer);
    Ok(encoded)
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
