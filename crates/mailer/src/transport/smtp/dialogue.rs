//! One mail over an open connection.

use lettre::transport::smtp::{
    client::AsyncSmtpConnection,
    commands::{Data, Mail as MailFrom, Rcpt, Rset},
    response::Response,
};
use rekey_core::delivery::Reply;

use super::{
    failure::{self, Error, Setback},
    reply,
};
use crate::{
    message::Mail,
    transport::{SendError, reason::clean},
};

pub(super) type Connection = AsyncSmtpConnection;

/// Why a dialogue ended early.
pub(super) enum Broken {
    /// By a reply of the relay, which will listen to another mail on this connection.
    Refused(Setback),
    /// The connection is gone, or about to be.
    Lost(SendError),
}

/// Names sender and recipient and announces the message. As long as this has not succeeded, the relay can't have taken
/// anything.
pub(super) async fn begin(connection: &mut Connection, mail: &Mail) -> Result<(), Broken> {
    let from = MailFrom::new(Some(mail.sender.clone()), Vec::new());
    connection.command(from).await.map_err(|error| broken(&error, failure::of_sender))?;
    let to = Rcpt::new(mail.recipient.clone(), Vec::new());
    connection.command(to).await.map_err(|error| broken(&error, failure::of_recipient))?;
    connection.command(Data).await.map_err(|error| broken(&error, failure::of_message))?;
    Ok(())
}

/// Sends the message itself: the relay's reply in its words and its codes. What fails without a reply here may have been
/// taken all the same.
pub(super) async fn transfer(connection: &mut Connection, mail: &Mail) -> Result<(String, Reply), Broken> {
    let sent = connection.message(&mail.content).await;
    let response = sent.map_err(|error| broken(&error, failure::of_message))?;
    Ok((words(&response), reply::of_response(&response)))
}

/// Makes the connection forget a refused mail; whether the relay agreed.
pub(super) async fn reset(connection: &mut Connection) -> bool {
    connection.command(Rset).await.is_ok()
}

fn broken(error: &Error, classify: fn(&Error) -> Setback) -> Broken {
    match error.status().map(u16::from) {
        // 421: the relay closes the connection (RFC 5321 §4.2.3). On a connection that lay idle, that is what staleness
        // looks like with a relay that is polite.
        Some(421) | None => Broken::Lost(failure::of_connection(error)),
        Some(_) => Broken::Refused(classify(error)),
    }
}

fn words(response: &Response) -> String {
    let lines: Vec<_> = response.message().collect();
    clean(&format!("{} {}", response.code(), lines.join(" ")))
}
