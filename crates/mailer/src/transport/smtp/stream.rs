//! A stream whose replies lettre can read.

use std::{
    collections::VecDeque,
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Octets of a reply's line that are kept. RFC 5321 §4.5.3.1.5 has at most 512; lettre refuses more than 1,000.
const LONGEST_LINE: usize = 900;
/// Octets of a line's code (RFC 5321 §4.2).
const CODE: usize = 3;

/// A stream to the relay, which brings what comes over it into the form that lettre reads.
///
/// lettre takes a reply in another form for a broken connection, and a mail whose taking is told in it would be sent again
/// and again. So a code may stand alone, as RFC 5321 §4.2 wants it, and a line may end without CR; octets that are no ASCII (some
/// relays speak Latin-1) become `?`, and of a long line the rest is left out: lettre would keep it in memory, however
/// long it is.
pub(super) struct Wire<S> {
    stream: S,
    peer: SocketAddr,
    /// What is to be read next.
    ready: VecDeque<u8>,
    /// Octets of the present line so far.
    column: usize,
}

impl<S> Wire<S> {
    pub(super) fn new(stream: S, peer: SocketAddr) -> Self {
        Self { stream, peer, ready: VecDeque::new(), column: 0 }
    }

    /// A stream on which the relay has greeted before, and does not again (RFC 3207 §4.2); lettre waits for a greeting.
    pub(super) fn greeted(stream: S, peer: SocketAddr) -> Self {
        Self { ready: VecDeque::from(*b"220 \r\n"), ..Self::new(stream, peer) }
    }

    fn take(&mut self, octet: u8) {
        match octet {
            b'\n' => {
                if self.column == CODE {
                    self.ready.push_back(b' ');
                }
                self.ready.extend(b"\r\n");
                self.column = 0;
            }
            // A line's end is its LF.
            b'\r' => {}
            _ => {
                if self.column < LONGEST_LINE {
                    self.ready.push_back(legible(octet));
                }
                self.column = self.column.saturating_add(1);
            }
        }
    }
}

/// What stands for that octet in a line.
fn legible(octet: u8) -> u8 {
    match octet {
        0x80.. => b'?',
        _ if octet.is_ascii_control() => b' ',
        _ => octet,
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.ready.is_empty() {
            let mut octets = [0; 1024];
            let mut read = ReadBuf::new(&mut octets);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            for octet in read.filled() {
                self.take(*octet);
            }
        }
        let length = self.ready.len().min(buffer.remaining());
        for octet in self.ready.drain(..length) {
            buffer.put_slice(&[octet]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> AsyncTokioStream for Wire<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl<S> fmt::Debug for Wire<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire({})", self.peer)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    async fn read(stream: impl AsyncRead + Unpin) -> String {
        let mut text = String::new();
        Wire::new(stream, SocketAddr::from(([127, 0, 0, 1], 25))).read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn replies_come_in_the_one_form_that_lettre_reads() {
        for (came, expected) in [
            (&b"250 2.0.0 Ok\r\n"[..], "250 2.0.0 Ok\r\n"),
            (b"250-one\r\n250 two\r\n", "250-one\r\n250 two\r\n"),
            (b"250\r\n", "250 \r\n"),
            (b"250\n", "250 \r\n"),
            (b"250 taken\n", "250 taken\r\n"),
            (b"550 unbekannter Empf\xe4nger\r\n", "550 unbekannter Empf?nger\r\n"),
            (b"250 a\tb\x00c\rd\r\n", "250 a b cd\r\n"),
            (b"250 cut off", "250 cut off"),
        ] {
            assert_eq!(read(came).await, expected);
        }
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_kept_in_part() {
        let endless = tokio::io::repeat(b'2').take(10 << 20).chain(&b"\r\n250 x\r\n"[..]);
        assert_eq!(read(endless).await, format!("{}\r\n250 x\r\n", "2".repeat(LONGEST_LINE)));
    }

    #[tokio::test]
    async fn what_is_read_comes_whole_whatever_the_size_of_the_buffer() {
        let mut wire = Wire::greeted(&b"250\r\n250 two\r\n"[..], SocketAddr::from(([127, 0, 0, 1], 25)));
        let mut text = Vec::new();
        while let Ok(octet) = wire.read_u8().await {
            text.push(octet);
        }
        assert_eq!(text, b"220 \r\n250 \r\n250 two\r\n");
    }
}
