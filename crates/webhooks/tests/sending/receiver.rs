//! Receivers on this machine, which answer as a test asks.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

/// What a receiver does after the text that it answers.
#[derive(Clone, Copy)]
pub enum Then {
    KeepOpen,
    Close,
    Reset,
    /// Sends a byte now and then.
    Drip,
    /// Sends this again and again.
    Flood(&'static str),
}

#[derive(Default)]
struct Seen {
    connections: usize,
    requests: Vec<String>,
}

pub struct Receiver {
    pub address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

impl Receiver {
    pub async fn start(answer: &'static str, then: Then) -> Self {
        Self::start_at("127.0.0.1:0", None, answer, then).await
    }

    pub async fn start_at(
        address: &str,
        tls: Option<ServerConfig>,
        answer: &'static str,
        then: Then,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let (address, seen) = (listener.local_addr().unwrap(), Arc::<Mutex<Seen>>::default());
        let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
        let connections = seen.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.lock().unwrap().connections += 1;
                tokio::spawn(accept(stream, tls.clone(), connections.clone(), answer, then));
            }
        });
        Self { address, seen }
    }

    /// Returns a URL of this receiver by its address, with a secret in it.
    pub fn url(&self) -> String {
        format!("http://{}/hooks?token=marker", self.address)
    }

    pub fn connection_count(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }
}

async fn accept(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    seen: Arc<Mutex<Seen>>,
    answer: &'static str,
    then: Then,
) {
    if matches!(then, Then::Reset) {
        stream.set_zero_linger().unwrap();
    }
    match tls {
        None => serve(stream, &seen, answer, then).await,
        Some(tls) => {
            // A client that does not like the certificate leaves.
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, &seen, answer, then).await;
            }
        }
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    seen: &Mutex<Seen>,
    answer: &str,
    then: Then,
) {
    while let Some(request) = read_request(&mut stream).await {
        seen.lock().unwrap().requests.push(request);
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        match then {
            Then::KeepOpen => {}
            Then::Close | Then::Reset => return,
            Then::Drip => {
                while stream.write_all(b"x").await.is_ok() {
                    sleep(Duration::from_millis(20)).await;
                }
            }
            Then::Flood(text) => while stream.write_all(text.as_bytes()).await.is_ok() {},
        }
    }
}

/// Reads until the body has its length; `None` at the connection's end.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.unwrap().parse::<usize>().unwrap() {
                return Some(text.into_owned());
            }
        }
        if !matches!(stream.read_buf(&mut request).await, Ok(1..)) {
            return None;
        }
    }
}
