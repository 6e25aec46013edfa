use std::{io::ErrorKind, time::Instant};

use tokio::time::timeout;

use super::*;

/// Far longer than any test.
const LONG: Duration = Duration::from_hours(1);
/// Long enough to see that nothing comes.
const A_WHILE: Duration = Duration::from_millis(200);
/// How long a test waits for what must come.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A server that returns every byte, and a proxy to it.
struct Stage {
    proxy: Proxy,
    server: JoinHandle<()>,
}

impl Stage {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        Self { proxy: Proxy::start(&address.to_string()).await, server }
    }

    /// Opens a connection.
    async fn open(&self) -> TcpStream {
        TcpStream::connect(self.proxy.address()).await.unwrap()
    }

    /// Opens a connection and waits until a byte has been passed on.
    async fn connect(&self) -> TcpStream {
        let mut client = self.open().await;
        client.write_all(b".").await.unwrap();
        assert_eq!(read(&mut client, 1).await, b".");
        client
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn read(client: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    timeout(TIMEOUT, client.read_exact(&mut bytes)).await.expect("bytes from the proxy").unwrap();
    bytes
}

async fn assert_nothing_comes(client: &mut TcpStream) {
    let read = timeout(A_WHILE, client.read(&mut [0; 16])).await;
    assert!(read.is_err(), "{read:?}");
}

#[tokio::test]
async fn without_a_toxic_bytes_and_ends_are_passed_on() {
    let stage = Stage::new().await;
    let mut client = stage.connect().await;
    let large = vec![7; 1 << 20];
    let (mut from, mut to) = client.split();
    let sent = async {
        to.write_all(&large).await.unwrap();
        to.shutdown().await.unwrap();
    };
    let mut received = Vec::new();
    let ((), got) = tokio::join!(sent, from.read_to_end(&mut received));
    got.unwrap();
    assert!(received == large, "{} bytes", received.len());
    assert_eq!(
        stage.proxy.url("amqp://guest:guest@127.0.0.1:1/%2f"),
        format!("amqp://guest:guest@{}/%2f", stage.proxy.address())
    );
}

#[tokio::test]
async fn latency_delays_each_direction_and_ends_when_it_is_removed() {
    let stage = Stage::new().await;
    let mut client = stage.connect().await;
    let delay = Duration::from_millis(100);
    let toxic = Toxic::Latency { delay, jitter: Duration::from_millis(20) };
    stage.proxy.set(toxic, &BOTH, Connections::All);
    for mut client in [client, stage.open().await] {
        let start = Instant::now();
        client.write_all(b"there and back").await.unwrap();
        read(&mut client, 14).await;
        assert!(start.elapsed() >= 2 * delay, "{:?}", start.elapsed());
    }
    stage.proxy.heal();
    client = stage.connect().await;
    let toxic = Toxic::Latency { delay: LONG, jitter: Duration::ZERO };
    stage.proxy.set(toxic, &[Direction::Downstream], Connections::Open);
    client.write_all(b"late").await.unwrap();
    assert_nothing_comes(&mut client).await;
    // New connections are not concerned.
    stage.connect().await;
    stage.proxy.heal();
    assert_eq!(read(&mut client, 4).await, b"late");
}

#[tokio::test]
async fn bandwidth_limits_the_bytes_of_a_second() {
    let stage = Stage::new().await;
    let mut client = stage.connect().await;
    stage.proxy.set(Toxic::Bandwidth(10_000), &[Direction::Upstream], Connections::All);
    let start = Instant::now();
    client.write_all(&[7; 5_000]).await.unwrap();
    read(&mut client, 5_000).await;
    // The last piece is passed on before its pause.
    assert!(start.elapsed() >= Duration::from_millis(450), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_slicer_passes_on_pieces() {
    let stage = Stage::new().await;
    let mut client = stage.connect().await;
    stage.proxy.set(Toxic::Slicer { size: 3, pause: LONG }, &[Direction::Downstream], Connections::All);
    client.write_all(b"sliced").await.unwrap();
    assert_eq!(read(&mut client, 3).await, b"sli");
    assert_nothing_comes(&mut client).await;
    stage.proxy.heal();
    assert_eq!(read(&mut client, 3).await, b"ced");
}

#[tokio::test]
async fn a_silent_connection_swallows_bytes_for_good() {
    let stage = Stage::new().await;
    let mut client = stage.connect().await;
    stage.proxy.set(Toxic::Silence, &BOTH, Connections::Open);
    client.write_all(b"hello?").await.unwrap();
    assert_nothing_comes(&mut client).await;
    // New connections are not concerned, until the toxic is for all.
    stage.connect().await;
    stage.proxy.set(Toxic::Silence, &BOTH, Connections::All);
    let mut other = stage.open().await;
    other.write_all(b"hello?").await.unwrap();
    assert_nothing_comes(&mut other).await;
    stage.proxy.heal();
    assert_nothing_comes(&mut client).await;
    stage.connect().await;
}

#[tokio::test]
async fn a_reset_is_one_for_the_client_and_spares_new_connections() {
    let stage = Stage::new().await;
    let mut client = stage.connect().await;
    stage.proxy.reset();
    let read = timeout(TIMEOUT, client.read(&mut [0])).await.unwrap();
    assert_eq!(read.unwrap_err().kind(), ErrorKind::ConnectionReset);
    stage.connect().await;
}

#[tokio::test]
async fn a_proxy_that_is_down_refuses_until_it_is_up_again() {
    let stage = Stage::new().await;
    let mut client = stage.connect().await;
    stage.proxy.down().await;
    let read = timeout(TIMEOUT, client.read(&mut [0])).await.unwrap();
    assert_eq!(read.unwrap_err().kind(), ErrorKind::ConnectionReset);
    let refused = TcpStream::connect(stage.proxy.address()).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    stage.proxy.up().await;
    stage.connect().await;
}

#[tokio::test]
async fn a_redirected_proxy_leads_new_connections_to_the_other_server_and_leaves_open_ones() {
    let stage = Stage::new().await;
    let mut client = stage.connect().await;
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    stage.proxy.redirect(&format!("postgres://{}/app", other.local_addr().unwrap()));
    let mut redirected = stage.open().await;
    let (mut accepted, _) = timeout(TIMEOUT, other.accept()).await.unwrap().unwrap();
    accepted.write_all(b"other").await.unwrap();
    assert_eq!(read(&mut redirected, 5).await, b"other");
    client.write_all(b"first").await.unwrap();
    assert_eq!(read(&mut client, 5).await, b"first");
}
