//! Sockets as lettre wants them.

use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The first octet of a TLS handshake record (RFC 8446 §5.1). No SMTP command begins with it.
const HANDSHAKE: u8 = 0x16;

/// A stream to the relay.
pub(super) struct Wire<S> {
    stream: S,
    peer: SocketAddr,
    /// Whether each read gives one octet only.
    ///
    /// lettre reads ahead, and keeps what it has read when STARTTLS succeeds: a reply that somebody on the path put behind
    /// the server's own would later pass for an encrypted one (the "response injection" of CVE-2021-33515 and its kin).
    /// Read by the octet, nothing is left over; what was injected meets the TLS handshake, and that fails.
    by_octet: bool,
}

impl<S> Wire<S> {
    /// A stream that stays as it is.
    pub(super) fn new(stream: S, peer: SocketAddr) -> Self {
        Self { stream, peer, by_octet: false }
    }

    /// A stream that is to be encrypted on its way.
    pub(super) fn before_starttls(stream: S, peer: SocketAddr) -> Self {
        Self { stream, peer, by_octet: true }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.by_octet {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let mut octet = [0];
        let mut one = ReadBuf::new(&mut octet);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut one))?;
        buffer.put_slice(one.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        if data.first() == Some(&HANDSHAKE) {
            self.by_octet = false;
        }
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
