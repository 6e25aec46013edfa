//! What an error of the driver means for an operator: the cause, and where to look next.

use std::io;

use lapin::{
    Error, ErrorKind,
    protocol::{AMQPError, AMQPErrorKind, AMQPHardError, AMQPSoftError},
};

/// Whether the broker refused the user a right.
pub(super) fn is_missing_right(error: &Error) -> bool {
    soft_error(error) == Some(&AMQPSoftError::ACCESSREFUSED)
}

/// Whether an exchange or a queue is not there.
pub(super) fn is_not_found(error: &Error) -> bool {
    soft_error(error) == Some(&AMQPSoftError::NOTFOUND)
}

/// Whether something exists with other arguments.
pub(super) fn is_mismatch(error: &Error) -> bool {
    soft_error(error) == Some(&AMQPSoftError::PRECONDITIONFAILED)
}

/// Returns the broker's or the system's own words, followed by what to do.
pub(super) fn explain(error: &Error) -> String {
    match advice(error) {
        (what, Some(advice)) => format!("{what}: {advice}"),
        (what, None) => what,
    }
}

/// Returns the broker's or the system's own words, and what to do where that is known.
pub(super) fn advice(error: &Error) -> (String, Option<&'static str>) {
    match error.kind() {
        ErrorKind::ProtocolError(refusal) => {
            (refusal.get_message().to_string(), Some(after_refusal(refusal)))
        }
        ErrorKind::IOError(error) => (error.to_string(), Some(after_io_error(error))),
        _ => (error.to_string(), None),
    }
}

fn soft_error(error: &Error) -> Option<&AMQPSoftError> {
    match error.kind() {
        ErrorKind::ProtocolError(refusal) => match refusal.kind() {
            AMQPErrorKind::Soft(soft) => Some(soft),
            AMQPErrorKind::Hard(_) => None,
        },
        _ => None,
    }
}

fn after_refusal(refusal: &AMQPError) -> &'static str {
    let is_login = refusal.get_message().as_str().contains("Login was refused");
    match refusal.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) if is_login => {
            "check user and password in broker.url (the user guest can only log in on the broker's own machine)"
        }
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => {
            "grant the user of broker.url this right with rabbitmqctl set_permissions (rekey-api writes to the exchange, rekey-mailer and rekey-webhooks \
             read their queues and write to amq.default)"
        }
        AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => {
            "check the virtual host at the end of broker.url (\"/\" is written %2f there), and the user's access to it"
        }
        AMQPErrorKind::Hard(AMQPHardError::CONNECTIONFORCED) => {
            "the broker is stopping, or an operator closed the connection"
        }
        AMQPErrorKind::Soft(_) | AMQPErrorKind::Hard(_) => "the broker's log may say more",
    }
}

fn after_io_error(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "nothing listens there, so check host and port in broker.url, and whether the broker is running"
        }
        io::ErrorKind::InvalidData => {
            "TLS failed, so check that broker.url has the broker's port for amqps (5671), and that its certificate is valid for that host and \
             from an authority that this system trusts"
        }
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
            "the broker ended the connection, as one does that expects amqps:// at that port, so check broker.url and the broker's log"
        }
        _ if error.to_string().contains("lookup address") => {
            "check the host in broker.url, and this machine's DNS"
        }
        _ => "check host and port in broker.url, and the network between",
    }
}
