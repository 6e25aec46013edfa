//! Why a delivery has no answer, in words for the people who run the receiver.

use std::{error::Error, io, iter, time::Duration};

use rustls::CertificateError;

/// A delivery without an answer. The text names the host, but no other part of the URL, and no address that a name leads to: the network in
/// which Rekey runs is nothing that a shop's developers may map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host}: {reason}")]
pub struct SendFailure {
    pub host: String,
    pub reason: FailureReason,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FailureReason {
    #[error("the callback URL can't be used: {0}")]
    UnusableUrl(&'static str),
    #[error("refused: it is not at a public address")]
    Refused,
    #[error("it was not found: {0}")]
    NotFound(String),
    #[error("it refused the connection: nothing listens at the URL's port")]
    ConnectionRefused,
    #[error("it can't be reached: {0}")]
    Unreachable(io::ErrorKind),
    #[error("it sent no complete answer within {0:?}")]
    TimedOut(Duration),
    #[error("its certificate {0}")]
    Certificate(String),
    #[error("TLS failed: {0}")]
    Tls(String),
    #[error("it closed the connection before its answer was complete")]
    Closed,
    #[error("its answer is not valid HTTP: {0}")]
    InvalidAnswer(String),
    #[error("the request failed: {0}")]
    Other(String),
}

impl FailureReason {
    /// Returns why a request with this time limit failed.
    pub(crate) fn from_error(error: &reqwest::Error, limit: Duration) -> Self {
        if error.is_timeout() {
            return Self::TimedOut(limit);
        }
        // The innermost cause has no URL, unlike the error itself.
        let innermost = || causes(error).last().map(ToString::to_string).unwrap_or_default();
        causes(error).find_map(Self::from_cause).unwrap_or_else(|| Self::Other(innermost()))
    }

    fn from_cause(cause: &(dyn Error + 'static)) -> Option<Self> {
        if let Some(reason) = cause.downcast_ref::<Self>() {
            Some(reason.clone())
        } else if let Some(error) = cause.downcast_ref::<rustls::Error>() {
            Some(Self::from_tls(error))
        } else if let Some(error) = cause.downcast_ref::<hyper::Error>() {
            Self::from_http(error)
        } else {
            Self::from_io(cause.downcast_ref::<io::Error>()?.kind())
        }
    }

    fn from_tls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(error) => Self::Certificate(certificate_reason(error)),
            rustls::Error::AlertReceived(alert) => {
                Self::Tls(format!("it ended the handshake with the alert {alert:?}"))
            }
            rustls::Error::InvalidMessage(_) => Self::Tls("what it sent is not TLS".to_owned()),
            other => Self::Tls(other.to_string()),
        }
    }

    fn from_http(error: &hyper::Error) -> Option<Self> {
        if error.is_parse() {
            return Some(Self::InvalidAnswer(error.to_string()));
        }
        let is_closed = error.is_incomplete_message() || error.is_closed() || error.is_canceled();
        is_closed.then_some(Self::Closed)
    }

    fn from_io(kind: io::ErrorKind) -> Option<Self> {
        use io::ErrorKind as Kind;
        match kind {
            Kind::ConnectionRefused => Some(Self::ConnectionRefused),
            Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof => {
                Some(Self::Closed)
            }
            Kind::HostUnreachable | Kind::NetworkUnreachable => Some(Self::Unreachable(kind)),
            _ => None,
        }
    }
}

const UNKNOWN_ISSUER: &str =
    "is self-signed or from an unknown authority, or the server does not send the intermediate certificate";

fn certificate_reason(error: &CertificateError) -> String {
    use CertificateError as Invalid;
    let reason = match error {
        Invalid::Expired | Invalid::ExpiredContext { .. } => "has expired",
        Invalid::NotValidYet | Invalid::NotValidYetContext { .. } => "is not valid yet",
        Invalid::NotValidForName | Invalid::NotValidForNameContext { .. } => "is for another name",
        Invalid::Revoked => "is revoked",
        // rustls has no name for what webpki finds wrong with most self-signed certificates.
        Invalid::Other(other) if other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity) => {
            UNKNOWN_ISSUER
        }
        Invalid::UnknownIssuer => UNKNOWN_ISSUER,
        Invalid::InvalidPurpose | Invalid::InvalidPurposeContext { .. } => "is not for a server",
        other => return format!("is not valid: {other}"),
    };
    reason.to_owned()
}

/// Returns an error and its causes, the innermost last.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&cause| {
        // The source of an `io::Error` is that of the error in it, which would be left out.
        match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => cause.source(),
        }
    })
}
