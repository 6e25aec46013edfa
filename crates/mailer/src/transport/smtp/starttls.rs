//! The readable beginning of a connection that is to be encrypted (RFC 3207).

use std::io;

use lettre::transport::smtp::extension::ClientId;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::transport::reason::clean;

/// Octets of a reply, at most; a relay that offers much has some 400.
const LONGEST_REPLY: usize = 8192;

/// Has the relay greet and agree to STARTTLS; what comes next on the stream is the handshake's. Or tells why not.
pub(super) async fn ask<S>(stream: &mut S, hello: &ClientId) -> Result<(), String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    reply(stream).await?;
    let offers = command(stream, &format!("EHLO {hello}")).await?;
    if !offers.lines().any(is_starttls) {
        return Err("the relay offers no STARTTLS".to_owned());
    }
    command(stream, "STARTTLS").await.map(drop)
}

fn is_starttls(line: &str) -> bool {
    line.get(4..).is_some_and(|offer| offer.trim_end().eq_ignore_ascii_case("STARTTLS"))
}

async fn command<S>(stream: &mut S, line: &str) -> Result<String, String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let sent = stream.write_all(format!("{line}\r\n").as_bytes()).await;
    sent.map_err(|error| broken(&error))?;
    reply(stream).await
}

/// A reply that agrees; any other is the error.
///
/// It is read octet by octet, so that nothing behind it is: a reply that somebody on the path put there would later pass
/// for an encrypted one (the "response injection" of CVE-2021-33515 and its kin). So it meets the handshake, which then fails.
async fn reply<S: AsyncRead + Unpin>(stream: &mut S) -> Result<String, String> {
    let (mut text, mut line) = (String::new(), String::new());
    while text.len() + line.len() < LONGEST_REPLY {
        let octet = stream.read_u8().await.map_err(|error| broken(&error))?;
        line.push(if octet.is_ascii() { char::from(octet) } else { '?' });
        if octet == b'\n' {
            let goes_on = line.get(3..4) == Some("-");
            text.push_str(&line);
            line.clear();
            if !goes_on {
                return if text.starts_with('2') { Ok(text) } else { Err(clean(&text)) };
            }
        }
    }
    Err("the relay's reply is too long".to_owned())
}

fn broken(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the relay closed the connection".to_owned(),
        _ => clean(&format!("the connection broke: {error}")),
    }
}
