//! What a failure means for the mail, and for the mails after it.

use std::{error, io};

use rekey_core::delivery::Reply;

pub(super) use lettre::transport::smtp::Error;
use lettre::transport::smtp::response::Response;

use crate::transport::{SendError, reason::clean};

/// The reply's code, if there was a reply.
pub(super) fn code(error: &Error) -> Option<u16> {
    error.status().map(u16::from)
}

/// Of greeting, EHLO and STARTTLS: a relay that refuses these for good takes no mail of ours.
pub(super) fn of_opening(error: &Error) -> SendError {
    if error.is_permanent() || is_about_certificate(error) {
        SendError::Lane(clean(&error.to_string()))
    } else {
        transient(error)
    }
}

/// Of AUTH: refused credentials, or no mechanism in common (which lettre calls a client's error).
pub(super) fn of_authentication(error: &Error) -> SendError {
    if error.is_permanent() || error.is_client() {
        SendError::Lane(clean(&error.to_string()))
    } else {
        transient(error)
    }
}

/// Of MAIL FROM: the sender is the same in every mail, so a relay that refuses it for good refuses all.
pub(super) fn of_sender(error: &Error) -> SendError {
    of_opening(error)
}

/// Of RCPT TO, DATA and the message: about this mail, but for the replies that ask for credentials (RFC 4954 §6: 530
/// authentication required, 535 credentials invalid).
pub(super) fn of_mail(error: &Error) -> SendError {
    let reason = clean(&error.to_string());
    match code(error) {
        Some(530 | 535) => SendError::Lane(reason),
        Some(500..=599) => {
            let reply = reply(error);
            let address_is_bad = reply.as_ref().is_some_and(is_about_address);
            SendError::Permanent { reason, reply, address_is_bad }
        }
        _ => transient(error),
    }
}

fn transient(error: &Error) -> SendError {
    SendError::Transient { reason: clean(&error.to_string()), reply: reply(error) }
}

/// The reply, if there was one; lettre keeps its text behind the error.
fn reply(error: &Error) -> Option<Reply> {
    let code = code(error)?;
    let text = error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    Some(Reply { code, enhanced: enhanced(&text, code) })
}

/// A reply that is no failure.
pub(super) fn of_response(response: &Response) -> Reply {
    let code = response.code().into();
    Reply { code, enhanced: enhanced(response.message().next().unwrap_or_default(), code) }
}

/// The enhanced status code that a reply's text begins with (RFC 2034 §4): of the reply's own class.
fn enhanced(text: &str, code: u16) -> Option<String> {
    let word = text.split_whitespace().next()?;
    let parts: Vec<&str> = word.split('.').collect();
    let is_number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let of_class = parts.first().is_some_and(|class| *class == (code / 100).to_string());
    (parts.len() == 3 && of_class && parts.iter().all(is_number)).then(|| word.to_owned())
}

/// There is no such mailbox or domain, or it takes no mail for good (RFC 3463 §3.2 and §3.3, RFC 7505 §4.2).
fn is_about_address(reply: &Reply) -> bool {
    matches!(reply.enhanced.as_deref(), Some("5.1.1" | "5.1.2" | "5.1.3" | "5.1.6" | "5.1.10" | "5.2.1"))
}

/// Whether the relay's certificate is the cause: somewhere down the chain, inside an I/O error.
pub(super) fn is_about_certificate(error: &(dyn error::Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return matches!(error, rustls::Error::InvalidCertificate(_));
    }
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match inner {
        Some(inner) => is_about_certificate(inner),
        None => error.source().is_some_and(is_about_certificate),
    }
}
