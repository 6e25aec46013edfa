//! The unencrypted beginning of a STARTTLS connection (RFC 3207).

use std::io;

use lettre::transport::smtp::extension::ClientId;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::failure::Unusable;
use crate::transport::clean::clean;

/// The longest reply, in bytes; that of a relay with many extensions has some 400.
const MAX_REPLY: usize = 8192;

/// Reads the greeting and makes the relay agree to STARTTLS; the TLS handshake comes next on the stream. The error says why the
/// relay did not agree.
pub(super) async fn negotiate(stream: &mut TcpStream, hello: &ClientId) -> Result<(), Unusable> {
    reply(stream).await?;
    let offers = command(stream, &format!("EHLO {hello}")).await?;
    if !offers.lines().any(is_starttls) {
        return Err(Unusable::denied("the relay offers no STARTTLS".to_owned()));
    }
    command(stream, "STARTTLS").await?;
    Ok(())
}

fn is_starttls(line: &str) -> bool {
    line.get(4..).is_some_and(|offer| offer.trim_end().eq_ignore_ascii_case("STARTTLS"))
}

async fn command(stream: &mut TcpStream, line: &str) -> Result<String, Unusable> {
    let sent = stream.write_all(format!("{line}\r\n").as_bytes()).await;
    sent.map_err(|error| broken(&error))?;
    reply(stream).await
}

/// Returns a positive reply; any other is the error.
///
/// It is read byte by byte, so that nothing behind it is: a reply that an attacker on the path appends would later pass for an
/// encrypted one (the "response injection" of CVE-2021-33515 and similar). Left unread, it goes to the handshake, which fails.
async fn reply(stream: &mut TcpStream) -> Result<String, Unusable> {
    let (mut text, mut line) = (String::new(), String::new());
    while text.len() + line.len() < MAX_REPLY {
        let byte = stream.read_u8().await.map_err(|error| broken(&error))?;
        line.push(if byte.is_ascii() { char::from(byte) } else { '?' });
        if byte == b'\n' {
            let has_more = line.get(3..4) == Some("-");
            text.push_str(&line);
            line.clear();
            if !has_more {
                return match text.as_bytes().first() {
                    Some(b'2') => Ok(text),
                    Some(b'5') => Err(Unusable::denied(clean(&text))),
                    _ => Err(clean(&text).into()),
                };
            }
        }
    }
    Err("the relay's reply is too long".to_owned().into())
}

fn broken(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the relay closed the connection".to_owned(),
        _ => clean(&format!("the connection broke: {error}")),
    }
}
