//! A connection on which the framework's own refusals are told in the contract's form.
//!
//! What can't be read as a request never reaches the app: the framework answers with a bare head (400, 408, 431), and closes. It
//! has no hook for that. But such an answer is the last thing that it writes to a connection, and it carries none of the
//! headers that every answer of the app has. So it is known when it is written, and a whole answer is written in its place.

use std::{
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_web::{
    ResponseError,
    body::MessageBody,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
    web::{Buf, Bytes},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

use crate::{headers, jsonapi::error::Problem};

/// A TCP connection.
pub struct Stream {
    tcp: TcpStream,
    refusals: Rc<Refusals>,
    end: Option<End>,
}

/// The end of a connection on which a request was refused.
enum End {
    /// What is still to be written.
    Answer(Bytes),
    /// What still arrives is thrown away for so long: closed on unread data, a connection is reset, and a client that is
    /// still sending would lose the answer.
    Linger(Pin<Box<Sleep>>),
    Done,
}

/// How long a client may go on sending after a refusal.
const LINGER: Duration = Duration::from_secs(1);

impl Stream {
    pub fn new(tcp: TcpStream, refusals: Rc<Refusals>) -> Self {
        Self { tcp, refusals, end: None }
    }

    /// Brings the connection to its end.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match &mut self.end {
                Some(End::Answer(rest)) if rest.has_remaining() => {
                    let written = ready!(Pin::new(&mut self.tcp).poll_write(cx, rest))?;
                    if written == 0 {
                        return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                    }
                    rest.advance(written);
                }
                Some(End::Answer(_)) => {
                    ready!(Pin::new(&mut self.tcp).poll_shutdown(cx))?;
                    self.end = Some(End::Linger(Box::pin(sleep(LINGER))));
                }
                Some(End::Linger(timer)) => {
                    if timer.as_mut().poll(cx).is_pending() && discard(&mut self.tcp, cx).is_pending() {
                        return Poll::Pending;
                    }
                    self.end = Some(End::Done);
                }
                Some(End::Done) | None => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.end.is_none() {
            let Some(bare) = Bare::at_end_of(buffer) else {
                return Pin::new(&mut this.tcp).poll_write(cx, buffer);
            };
            if !bare.before.is_empty() {
                return Pin::new(&mut this.tcp).poll_write(cx, bare.before);
            }
            this.end = Some(End::Answer(this.refusals.whole(&bare)));
        }
        ready!(this.poll_end(cx))?;
        Poll::Ready(Ok(buffer.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match this.end {
            None => Pin::new(&mut this.tcp).poll_shutdown(cx),
            Some(_) => this.poll_end(cx),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_read(cx, buffer)
    }
}

/// Reads until there is nothing more to come.
fn discard(tcp: &mut TcpStream, cx: &mut Context<'_>) -> Poll<()> {
    let mut space = [0; 4096];
    loop {
        let mut buffer = ReadBuf::new(&mut space);
        let read = ready!(Pin::new(&mut *tcp).poll_read(cx, &mut buffer));
        if read.is_err() || buffer.filled().is_empty() {
            return Poll::Ready(());
        }
    }
}

/// An answer of the framework's own, without a body.
#[derive(Debug, PartialEq, Eq)]
struct Bare<'a> {
    /// What is to be written first: the answers to earlier requests.
    before: &'a [u8],
    /// `HTTP/1.1 400 Bad Request`
    status_line: &'a str,
    /// `date: …`
    date: &'a str,
}

impl<'a> Bare<'a> {
    /// The one that these bytes end with, if they do. Most answers have a body, and are told by their last octets.
    fn at_end_of(written: &'a [u8]) -> Option<Self> {
        let head = written.strip_suffix(b"\r\n\r\n")?;
        let start = head.windows(7).rposition(|part| part == b"HTTP/1.")?;
        let (before, head) = head.split_at_checked(start)?;
        let mut lines = str::from_utf8(head).ok()?.split("\r\n");
        let (status_line, length, connection) = (lines.next()?, lines.next()?, lines.next()?);
        let (date, rest) = match connection.strip_prefix("connection: ") {
            Some(_) => (lines.next()?, lines.next()),
            None => (connection, lines.next()),
        };
        let is_bare = length == "content-length: 0" && date.starts_with("date: ") && rest.is_none();
        is_bare.then_some(Self { before, status_line, date })
    }

    fn status(&self) -> &'a str {
        self.status_line.split(' ').nth(1).unwrap_or_default()
    }
}

/// The whole answers: for each status the headers after the date, and the body.
pub struct Refusals {
    answers: Vec<(StatusCode, String)>,
    unknown: String,
}

impl Refusals {
    /// `https`: the world sees the service by https.
    pub fn new(https: bool) -> Self {
        let problems = [Problem::BadRequest, Problem::RequestTimeout, Problem::HeadTooLarge];
        Self {
            answers: problems.iter().map(|problem| (problem.status_code(), rest(problem, https))).collect(),
            unknown: rest(&Problem::Internal, https),
        }
    }

    fn whole(&self, bare: &Bare<'_>) -> Bytes {
        let known = self.answers.iter().find(|(status, _)| status.as_str() == bare.status());
        let rest = known.map_or(&self.unknown, |(_, rest)| rest);
        format!("{}\r\nconnection: close\r\n{}\r\n{rest}", bare.status_line, bare.date).into()
    }
}

/// What follows the date: headers and body.
fn rest(problem: &Problem, https: bool) -> String {
    let mut response = problem.error_response();
    headers::complete(response.headers_mut(), https);
    let (response, body) = response.into_parts();
    let body = body.try_into_bytes().unwrap_or_default();
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        format!("{name}: {}\r\n", value.to_str().unwrap_or_default())
    };
    let headers: String = response.headers().iter().map(header).collect();
    format!("content-length: {}\r\n{headers}\r\n{}", body.len(), String::from_utf8_lossy(&body))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: &str =
        "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\ndate: Tue\r\n\r\n";

    #[test]
    fn a_bare_answer_is_known_alone_and_after_others() {
        let bare = Bare { before: b"", status_line: "HTTP/1.1 400 Bad Request", date: "date: Tue" };
        assert_eq!(Bare::at_end_of(BARE.as_bytes()), Some(bare));
        let without = BARE.replace("connection: close\r\n", "");
        assert_eq!(Bare::at_end_of(without.as_bytes()).unwrap().status(), "400");
        let first = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(Bare::at_end_of(format!("{first}{BARE}").as_bytes()).unwrap().before, first.as_bytes());
    }

    #[test]
    fn the_answers_of_the_app_are_left_as_they_are() {
        for answer in [
            "",
            "\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 204 No Content\r\nx-content-type-options: nosniff\r\ndate: Tue\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nx-content-type-options: nosniff\r\ndate: Tue\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 120\r\ndate: Tue\r\n\r\n",
            &BARE[..BARE.len() - 1],
            &BARE[1..],
            &format!("{BARE}x"),
        ] {
            assert_eq!(Bare::at_end_of(answer.as_bytes()), None, "{answer:?}");
        }
    }
}
