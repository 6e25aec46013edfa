//! The SMTP commands for one mail, over an open connection.

use lettre::transport::smtp::{
    Error,
    client::AsyncSmtpConnection,
    commands::{Data, Mail as MailFrom, Rcpt, Rset},
    response::Response,
};
use rekey_core::deliveries::Reply;

use super::{
    failure::{self, DeliveryFailure},
    reply,
};
use crate::{
    message::Mail,
    transport::{SendError, clean::clean},
};

pub(super) type Connection = AsyncSmtpConnection;

/// Classes of replies (RFC 5321 §4.2.1).
const COMPLETED: u16 = 2;
const INTERMEDIATE: u16 = 3;

/// Why a dialogue ended early.
pub(super) enum DialogueError {
    /// By a reply of the relay, which accepts another mail on this connection.
    Refused(DeliveryFailure),
    /// The connection is gone, or about to be.
    Lost(SendError),
}

impl From<DialogueError> for SendError {
    fn from(error: DialogueError) -> Self {
        match error {
            DialogueError::Lost(error)
            | DialogueError::Refused(DeliveryFailure::Mail(error) | DeliveryFailure::Final(error)) => error,
            DialogueError::Refused(DeliveryFailure::Relay(unusable)) => Self::unavailable(unusable.reason),
        }
    }
}

/// Names sender and recipient and announces the message. Until this has succeeded, the relay can't have accepted anything.
pub(super) async fn start(connection: &mut Connection, mail: &Mail) -> Result<(), DialogueError> {
    let from = MailFrom::new(Some(mail.sender.clone()), Vec::new());
    let answer = connection.command(from).await;
    expect(COMPLETED, answer, failure::from_sender_refused)?;
    let to = Rcpt::new(mail.recipient.clone(), Vec::new());
    let answer = connection.command(to).await;
    expect(COMPLETED, answer, failure::from_mail_refused)?;
    let answer = connection.command(Data).await;
    expect(INTERMEDIATE, answer, failure::from_mail_refused)?;
    Ok(())
}

/// Sends the message itself and returns the relay's reply, as text and as codes. After a failure without a reply the message may
/// have been accepted all the same.
pub(super) async fn transfer(
    connection: &mut Connection,
    mail: &Mail,
) -> Result<(String, Reply), DialogueError> {
    let answer = connection.message(&mail.content).await;
    let response = expect(COMPLETED, answer, failure::from_mail_refused)?;
    Ok((text(&response), reply::from_response(&response)))
}

/// Makes the relay forget a refused mail. Returns whether it agreed.
pub(super) async fn reset(connection: &mut Connection) -> bool {
    connection.command(Rset).await.is_ok()
}

/// Returns the reply if it is of the expected class. After one reply too many, each reply would be taken for the next command's:
/// the wrong class is how that shows, and such a connection is dropped.
fn expect(
    class: u16,
    answer: Result<Response, Error>,
    classify: fn(&Error) -> DeliveryFailure,
) -> Result<Response, DialogueError> {
    let response = answer.map_err(|error| match error.status().map(u16::from) {
        // 421: the relay closes the connection (RFC 5321 §4.2.3). A polite relay does so on an idle one.
        Some(421) | None => DialogueError::Lost(failure::transient(&error)),
        Some(_) => DialogueError::Refused(classify(&error)),
    })?;
    if u16::from(response.code()) / 100 == class {
        return Ok(response);
    }
    let reason = format!("an answer that does not belong there: {}", text(&response));
    Err(DialogueError::Lost(SendError::transient(clean(&reason))))
}

fn text(response: &Response) -> String {
    let lines: Vec<_> = response.message().collect();
    clean(&format!("{} {}", response.code(), lines.join(" ")))
}
