//! The gauges of the relays, and what a hand-over is counted as.

use std::sync::{Arc, Weak};

use opentelemetry::KeyValue;
use rekey_core::metrics::{gauge, seconds_gauge};
use rustls::pki_types::CertificateDer;

use super::{dialogue::DialogueError, failure::DeliveryFailure, relay::SmtpRelay, relay_health::Circuit};
use crate::transport::{Accepted, SendError, SendErrorKind};

/// Makes the gauges of the relays. They end with the relays.
pub(super) fn start(relays: &[Arc<SmtpRelay>]) {
    let relays: Vec<Weak<SmtpRelay>> = relays.iter().map(Arc::downgrade).collect();
    let observed = relays.clone();
    gauge("rekey.smtp.relay.usable", "Whether mails may use the relay: 1 if so.", move |gauge| {
        for relay in observed.iter().filter_map(Weak::upgrade) {
            let is_usable = relay.circuit() == Circuit::Closed;
            gauge.observe(is_usable.into(), &[KeyValue::new("relay", relay.name.clone())]);
        }
    });
    let description = "Time until the relay's certificate expires, as of the last connection.";
    seconds_gauge("rekey.smtp.relay.certificate_expiry", description, move |gauge| {
        for relay in relays.iter().filter_map(Weak::upgrade) {
            relay.certificate_expiry().with(|seconds| {
                gauge.observe(seconds, &[KeyValue::new("relay", relay.name.clone())]);
            });
        }
    });
}

/// Returns how many seconds are left until a certificate expires, if it can be read and has not expired.
pub(super) fn seconds_left(certificate: &CertificateDer<'_>) -> Option<f64> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(certificate.validity().time_to_expiration()?.as_seconds_f64())
}

/// Returns the name of a hand-over's outcome.
pub(super) fn outcome(result: &Result<Accepted, DeliveryFailure>) -> &'static str {
    match result {
        Ok(_) => "accepted",
        Err(DeliveryFailure::Relay(_)) => "unavailable",
        Err(DeliveryFailure::Mail(error) | DeliveryFailure::Final(error)) => match error.kind {
            SendErrorKind::BadAddress | SendErrorKind::Refused => "refused",
            SendErrorKind::Transient => "transient",
            SendErrorKind::InDoubt => "in_doubt",
            SendErrorKind::Unavailable => "unavailable",
        },
    }
}

/// Returns the code of the reply that ended a dialogue, if a reply did.
pub(super) fn reply_code(error: &DialogueError) -> Option<u16> {
    let error: &SendError = match error {
        DialogueError::Refused(DeliveryFailure::Mail(error) | DeliveryFailure::Final(error))
        | DialogueError::Lost(error) => error,
        DialogueError::Refused(DeliveryFailure::Relay(unusable)) => return unusable.reply_code,
    };
    error.reply.as_ref().map(|reply| reply.code)
}
