//! What a failure means for the mail, and for the mails after it.

use std::{error, io};

pub(super) use lettre::transport::smtp::Error;

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
        SendError::Transient(clean(&error.to_string()))
    }
}

/// Of AUTH: refused credentials, or no mechanism in common (which lettre calls a client's error).
pub(super) fn of_authentication(error: &Error) -> SendError {
    if error.is_permanent() || error.is_client() {
        SendError::Lane(clean(&error.to_string()))
    } else {
        SendError::Transient(clean(&error.to_string()))
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
        Some(500..=599) => SendError::Permanent(reason),
        _ => SendError::Transient(reason),
    }
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
