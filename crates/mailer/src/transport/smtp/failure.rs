//! What a failure means for the mail, for the relay, and for the next relay.

use std::{error, io};

use lettre::transport::smtp::Error;

use super::{relay_health::Cause, reply};
use crate::transport::{SendError, SendErrorKind, clean::clean};

/// Why a relay did not accept a mail.
#[derive(Debug)]
pub(super) enum DeliveryFailure {
    /// The relay can't be used for any mail: it is paused for a while, and the next one gets the mail.
    Relay(Unusable),
    /// The relay did not accept this mail, and has kept nothing of its text: the next one gets it.
    Mail(SendError),
    /// The answer is about the mail, or it is unknown whether it was accepted: no other relay may have it.
    Final(SendError),
}

/// Why a relay can't be used.
#[derive(Debug)]
pub(super) struct Unusable {
    /// What went wrong, fit to be logged.
    pub(super) reason: String,
    pub(super) cause: Cause,
    /// The code of the reply to a mail that showed it, if one did.
    pub(super) reply_code: Option<u16>,
}

impl Unusable {
    pub(super) fn denied(reason: String) -> Self {
        Self { reason, cause: Cause::Denied, reply_code: None }
    }

    pub(super) fn failing(error: SendError) -> Self {
        let reply_code = error.reply.map(|reply| reply.code);
        Self { reason: error.reason, cause: Cause::Failing, reply_code }
    }

    /// Classifies a reply to something else than a mail: a permanent one denies us the use of the relay.
    pub(super) fn from_error(error: &Error) -> Self {
        let cause = if error.is_permanent() { Cause::Denied } else { Cause::Unreachable };
        Self { reason: reason(error), cause, reply_code: None }
    }

    /// Classifies a failed TLS handshake: one that did not just break off is trouble with a certificate or a version.
    pub(super) fn from_handshake(error: &io::Error) -> Self {
        let cause =
            if error.kind() == io::ErrorKind::InvalidData { Cause::Denied } else { Cause::Unreachable };
        Self { reason: clean(&format!("TLS with the relay failed: {error}")), cause, reply_code: None }
    }
}

impl From<String> for Unusable {
    fn from(reason: String) -> Self {
        Self { reason, cause: Cause::Unreachable, reply_code: None }
    }
}

/// Classifies the answer to MAIL FROM, which is never about the recipient.
pub(super) fn from_sender_refused(error: &Error) -> DeliveryFailure {
    let error = transient(error);
    match &error.reply {
        Some(reply) if asks_for_credentials(reply.code) => DeliveryFailure::Relay(Unusable::failing(error)),
        Some(reply) if reply.code >= 500 => {
            DeliveryFailure::Mail(SendError { kind: SendErrorKind::Refused, ..error })
        }
        Some(_) | None => DeliveryFailure::Mail(error),
    }
}

/// Classifies the answer to RCPT TO, DATA or the message. Only an address that is bad is so for every relay.
pub(super) fn from_mail_refused(error: &Error) -> DeliveryFailure {
    let error = transient(error);
    match &error.reply {
        Some(reply) if asks_for_credentials(reply.code) => DeliveryFailure::Relay(Unusable::failing(error)),
        Some(reply) if reply.code >= 500 && reply::address_is_bad(reply) => {
            DeliveryFailure::Final(SendError { kind: SendErrorKind::BadAddress, ..error })
        }
        Some(reply) if reply.code >= 500 => {
            DeliveryFailure::Mail(SendError { kind: SendErrorKind::Refused, ..error })
        }
        Some(_) | None => DeliveryFailure::Final(error),
    }
}

/// RFC 4954 §6: 530 authentication required, 535 credentials invalid.
fn asks_for_credentials(code: u16) -> bool {
    matches!(code, 530 | 535)
}

/// Describes a failure as a transient one, such as a connection that broke with a 421 or without a reply.
pub(super) fn transient(error: &Error) -> SendError {
    SendError { reply: reply::from_error(error), ..SendError::transient(reason(error)) }
}

/// Returns the relay's reply, or else what went wrong.
pub(super) fn reason(error: &Error) -> String {
    match (error.status(), error::Error::source(error)) {
        (Some(code), Some(text)) => clean(&format!("{code} {text}")),
        // What lettre calls a stream that ends where a reply is expected.
        (None, Some(text)) if text.to_string() == "incomplete response" => {
            "the relay closed the connection".to_owned()
        }
        (None, Some(_)) if error.is_response() => "the relay's answer is no reply of SMTP".to_owned(),
        (Some(_) | None, Some(_) | None) => clean(&error.to_string()),
    }
}
