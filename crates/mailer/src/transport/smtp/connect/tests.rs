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
