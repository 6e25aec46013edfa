//! Opening a socket to a relay by its name.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::timeout,
};

/// How long one address is tried alone before the next one is tried too (the "connection attempt delay" of RFC 8305 §5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first of the host's addresses that answers, without Nagle's algorithm: that would delay the end of each mail
/// until the relay acknowledges the data before it, some 40 ms.
pub(super) async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    first_of(lookup_host((host, port)).await?).await
}

/// Tries the addresses in the resolver's order. One that does not answer, as on a network without IPv6, does not use up the time
/// of the others.
async fn first_of(addresses: impl Iterator<Item = SocketAddr>) -> io::Result<TcpStream> {
    let mut addresses = addresses.peekable();
    let mut attempts = JoinSet::new();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
    loop {
        if let Some(address) = addresses.next() {
            attempts.spawn(TcpStream::connect(address));
        }
        let wait = if addresses.peek().is_some() { HEAD_START } else { Duration::MAX };
        match timeout(wait, attempts.join_next()).await {
            Ok(Some(Ok(Ok(stream)))) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Some(Ok(Err(error)))) => failure = error,
            Ok(Some(Err(error))) => failure = error.into(),
            Ok(None) => return Err(failure),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
