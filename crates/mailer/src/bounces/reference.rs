use lettre::Address;
use rekey_core::{
    ids::EventId,
    secrets::{KeyRing, bounce_mailbox},
};

use super::ProviderHeader;
use crate::message::{Mail, MessageError};

/// Makes a mail name its delivery to those who report on it: by the envelope's sender, if there is a domain for bounces, and by the headers
/// that providers repeat. Signatures do not cover these headers.
///
/// # Errors
/// [`MessageError::Sender`] when the domain makes no address.
pub fn name_delivery(
    mail: &mut Mail,
    delivery: EventId,
    domain: Option<&str>,
    headers: &[ProviderHeader],
    keys: &KeyRing,
) -> Result<(), MessageError> {
    if let Some(domain) = domain {
        mail.sender =
            Address::new(bounce_mailbox(delivery, keys), domain).map_err(|_| MessageError::Sender)?;
    }
    for header in headers {
        mail.content.splice(..0, header.line(delivery).into_bytes());
    }
    Ok(())
}
