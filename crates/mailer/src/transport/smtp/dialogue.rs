//! One mail over an open connection.

use lettre::transport::smtp::{
    Error,
    client::AsyncSmtpConnection,
    commands::{Data, Mail as MailFrom, Rcpt, Rset},
    response::Response,
};
use rekey_core::deliveries::Reply;

use super::{
    failure::{self, Setback},
    reply,
};
use crate::{
    message::Mail,
    transport::{SendError, reason::clean},
};

pub(super) type Connection = AsyncSmtpConnection;

/// Classes of replies (RFC 5321 §4.2.1): done, and go on.
const COMPLETED: u16 = 2;
const INTERMEDIATE: u16 = 3;

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
    let answer = connection.command(from).await;
    expect(COMPLETED, answer, failure::of_sender)?;
    let to = Rcpt::new(mail.recipient.clone(), Vec::new());
    let answer = connection.command(to).await;
    expect(COMPLETED, answer, failure::of_mail)?;
    let answer = connection.command(Data).await;
    expect(INTERMEDIATE, answer, failure::of_mail)?;
    Ok(())
}

/// Sends the message itself: the relay's reply in its words and its codes. What fails without a reply here may have been
/// taken all the same.
pub(super) async fn transfer(connection: &mut Connection, mail: &Mail) -> Result<(String, Reply), Broken> {
    let answer = connection.message(&mail.content).await;
    let response = expect(COMPLETED, answer, failure::of_mail)?;
    Ok((words(&response), reply::of_response(&response)))
}

/// Makes the connection forget a refused mail; whether the relay agreed.
pub(super) async fn reset(connection: &mut Connection) -> bool {
    connection.command(Rset).await.is_ok()
}

/// The reply, if it is of the class that is due. After a reply too many, each one would be taken for the next command's answer:
/// the wrong class is how that shows, and such a connection is left.
fn expect(
    class: u16,
    answer: Result<Response, Error>,
    classify: fn(&Error) -> Setback,
) -> Result<Response, Broken> {
    let response = answer.map_err(|error| broken(&error, classify))?;
    if u16::from(response.code()) / 100 == class {
        return Ok(response);
    }
    let reason = format!("an answer that does not belong there: {}", words(&response));
    Err(Broken::Lost(SendError::unanswered(clean(&reason))))
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
