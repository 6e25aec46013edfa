//! What a failure means for the mail, for the relay, and for the next relay.

use std::{error, io};

use lettre::transport::smtp::Error;

use super::reply;
use crate::transport::{SendError, reason::clean};

/// Why a relay did not take a mail.
#[derive(Debug)]
pub(super) enum Setback {
    /// The relay can't be used, for whatever mail: it is left alone for a while, and the next one gets the mail.
    Relay(String),
    /// The relay did not take this mail, and has nothing of its text: the next one gets it.
    Mail(SendError),
    /// The answer is about the mail, or it is not known whether it was taken: no other relay may have it.
    Final(SendError),
}

/// Of MAIL FROM. It is about the sender, which differs by organization: that a relay refuses one of them must not stop the
/// others, nor is it the customer's fault.
pub(super) fn of_sender(error: &Error) -> Setback {
    let (reason, reply) = (told(error), reply::of_error(error));
    match reply.as_ref().map(|reply| reply.code) {
        Some(530 | 535) => Setback::Relay(reason),
        Some(_) | None => Setback::Mail(SendError::Transient { reason, reply }),
    }
}

/// Of RCPT TO, DATA and the message. About the mail, but for the replies that ask for credentials (RFC 4954 §6: 530
/// authentication required, 535 credentials invalid).
pub(super) fn of_mail(error: &Error) -> Setback {
    let reason = told(error);
    match reply::of_error(error) {
        Some(reply) if matches!(reply.code, 530 | 535) => Setback::Relay(reason),
        Some(reply) if reply.code >= 500 => {
            let address_is_bad = reply::address_is_bad(&reply);
            Setback::Final(SendError::Permanent { reason, reply: Some(reply), address_is_bad })
        }
        reply => Setback::Final(SendError::Transient { reason, reply }),
    }
}

/// Of a connection that broke, whether with a 421 or without a word.
pub(super) fn of_connection(error: &Error) -> SendError {
    SendError::Transient { reason: told(error), reply: reply::of_error(error) }
}

/// The reply as it was said, or else what went wrong.
pub(super) fn told(error: &Error) -> String {
    match (error.status(), error::Error::source(error)) {
        (Some(code), Some(text)) => clean(&format!("{code} {text}")),
        // lettre's word for a stream that ends where a reply is due.
        (None, Some(text)) if text.to_string() == "incomplete response" => {
            "the relay closed the connection".to_owned()
        }
        (None, Some(_)) if error.is_response() => "the relay's answer is no reply of SMTP".to_owned(),
        (Some(_) | None, Some(_) | None) => clean(&error.to_string()),
    }
}

/// Of a TLS handshake.
pub(super) fn of_handshake(error: &io::Error) -> String {
    clean(&format!("TLS with the relay failed: {error}"))
}
