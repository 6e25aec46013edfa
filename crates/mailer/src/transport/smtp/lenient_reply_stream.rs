//! A stream that brings a relay's replies into the form that lettre reads.

use std::{
    collections::VecDeque,
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes kept of a reply's line. RFC 5321 §4.5.3.1.5 allows 512; lettre refuses more than 1,000.
const MAX_LINE: usize = 900;
/// Bytes of a line's code (RFC 5321 §4.2).
const CODE_LENGTH: usize = 3;

/// A stream to the relay that reads replies in more forms than lettre does.
///
/// lettre takes a reply in another form for a broken connection, and a mail that was accepted with one would be sent again and
/// again. So a code may stand alone, as RFC 5321 §4.2 allows, and a line may end without CR; bytes outside ASCII (some relays
/// send Latin-1) become `?`, and the rest of a long line is left out: lettre would keep it in memory, however long it is.
pub(super) struct LenientReplyStream<S> {
    stream: S,
    peer: SocketAddr,
    /// Bytes to be read next.
    ready: VecDeque<u8>,
    /// Bytes of the current line so far.
    column: usize,
}

impl<S> LenientReplyStream<S> {
    pub(super) fn new(stream: S, peer: SocketAddr) -> Self {
        Self { stream, peer, ready: VecDeque::new(), column: 0 }
    }

    /// Makes a stream on which the relay has sent its greeting before, and does not again (RFC 3207 §4.2); lettre waits for one.
    pub(super) fn greeted(stream: S, peer: SocketAddr) -> Self {
        Self { ready: VecDeque::from(*b"220 \r\n"), ..Self::new(stream, peer) }
    }

    fn push(&mut self, byte: u8) {
        match byte {
            b'\n' => {
                if self.column == CODE_LENGTH {
                    self.ready.push_back(b' ');
                }
                self.ready.extend(b"\r\n");
                self.column = 0;
            }
            // The LF ends the line.
            b'\r' => {}
            _ => {
                if self.column < MAX_LINE {
                    self.ready.push_back(printable(byte));
                }
                self.column = self.column.saturating_add(1);
            }
        }
    }
}

/// Replaces a byte that lettre can't read.
fn printable(byte: u8) -> u8 {
    match byte {
        0x80.. => b'?',
        _ if byte.is_ascii_control() => b' ',
        _ => byte,
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for LenientReplyStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.ready.is_empty() {
            let mut bytes = [0; 1024];
            let mut read = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            for byte in read.filled() {
                self.push(*byte);
            }
        }
        let length = self.ready.len().min(buffer.remaining());
        for byte in self.ready.drain(..length) {
            buffer.put_slice(&[byte]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for LenientReplyStream<S> {
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

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> AsyncTokioStream for LenientReplyStream<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl<S> fmt::Debug for LenientReplyStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LenientReplyStream({})", self.peer)
    }
}

#[cfg(test)]
mod tests;
