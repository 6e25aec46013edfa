//! From a relay's name to a socket.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::timeout,
};

/// How long one address is tried alone before the next one is tried, too (the "connection attempt delay" of RFC 8305 §5).
const HEAD_START: Duration = Duration::from_millis(250);

/// A connection to the first of the host's addresses that answers, without Nagle's algorithm: that would hold up each mail's end
/// until the relay acknowledges what came before, some 40 ms.
pub(super) async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    first_of(lookup_host((host, port)).await?).await
}

/// Tries them in the resolver's order. One that does not answer, as where a network has no way for IPv6, does not use up the
/// time of the others.
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
mod tests {
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    /// An address that answers nothing: its queue of connections is full.
    async fn silent() -> (TcpListener, Vec<TcpStream>, SocketAddr) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queued = Vec::new();
        while let Ok(stream) = timeout(HEAD_START, TcpStream::connect(address)).await {
            queued.push(stream.unwrap());
        }
        (listener, queued, address)
    }

    #[tokio::test]
    async fn an_address_that_does_not_answer_leaves_the_relay_to_the_next_one() {
        let (_listener, _queued, silent) = silent().await;
        let good = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = good.local_addr().unwrap();
        let refusing = "127.0.0.1:1".parse().unwrap();
        for addresses in
            [vec![silent, good], vec![refusing, good], vec![good, refusing], vec![silent, refusing, good]]
        {
            let stream = first_of(addresses.into_iter()).await.unwrap();
            assert_eq!((stream.peer_addr().unwrap(), stream.nodelay().unwrap()), (good, true));
        }
    }

    #[tokio::test]
    async fn where_none_answers_the_last_one_says_why() {
        let refusing: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let error = first_of([refusing, refusing].into_iter()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(first_of([].into_iter()).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
