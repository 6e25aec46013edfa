//! One mail over an open connection.

use lettre::transport::smtp::{
    client::AsyncSmtpConnection,
    commands::{Data, Mail as MailFrom, Rcpt, Rset},
    response::Response,
};

use super::failure;
use crate::{
    message::Mail,
    transport::{Accepted, SendError, reason::clean},
};

pub(super) type Connection = AsyncSmtpConnection;

/// Why a dialogue ended early.
pub(super) enum Broken {
    /// By a reply of the relay.
    Refused(Refused),
    /// Without one: the connection is gone.
    Lost(String),
}

/// The relay said no.
pub(super) struct Refused {
    pub error: SendError,
    /// Whether it will listen to another mail on this connection.
    pub goes_on: bool,
}

/// Names sender and recipient and announces the message. As long as this has not succeeded, the relay can't have taken
/// anything.
pub(super) async fn begin(connection: &mut Connection, mail: &Mail) -> Result<(), Broken> {
    let from = MailFrom::new(Some(mail.sender.clone()), Vec::new());
    connection.command(from).await.map_err(|error| broken(&error, failure::of_sender))?;
    let to = Rcpt::new(mail.recipient.clone(), Vec::new());
    connection.command(to).await.map_err(|error| broken(&error, failure::of_mail))?;
    connection.command(Data).await.map_err(|error| broken(&error, failure::of_mail))?;
    Ok(())
}

/// Sends the message itself. What fails without a reply here may have been taken all the same.
pub(super) async fn transfer(
    connection: &mut Connection,
    mail: &Mail,
    relay: &str,
) -> Result<Accepted, Broken> {
    let reply = connection.message(&mail.content).await.map_err(|error| broken(&error, failure::of_mail))?;
    Ok(Accepted {
        response: words(&reply),
        reply: Some(failure::of_response(&reply)),
        relay: relay.to_owned(),
    })
}

/// Makes the connection forget a refused mail; whether the relay agreed.
pub(super) async fn reset(connection: &mut Connection) -> bool {
    connection.command(Rset).await.is_ok()
}

fn broken(error: &failure::Error, classify: fn(&failure::Error) -> SendError) -> Broken {
    match failure::code(error) {
        // 421: the relay closes the connection (RFC 5321 §4.2.3). On a connection that lay idle, that is what staleness
        // looks like with a relay that is polite.
        Some(421) | None => Broken::Lost(clean(&error.to_string())),
        Some(_) => Broken::Refused(Refused { error: classify(error), goes_on: true }),
    }
}

fn words(reply: &Response) -> String {
    let lines: Vec<_> = reply.message().collect();
    clean(&format!("{} {}", reply.code(), lines.join(" ")))
}
