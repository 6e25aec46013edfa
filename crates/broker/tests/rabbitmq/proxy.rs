//! A proxy to the broker. A test can cut its connections.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

/// A proxy to the broker. While it is down, it refuses connections.
pub struct Proxy {
    address: SocketAddr,
    up: Arc<AtomicBool>,
    /// Cuts the connections that were opened before it was replaced.
    cut: Arc<Mutex<CancellationToken>>,
}

impl Proxy {
    /// Starts a proxy to the server of an AMQP URL.
    pub async fn to(url: &str) -> Self {
        let upstream = authority(url).rsplit('@').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (up, cut) = (Arc::new(AtomicBool::new(true)), Arc::<Mutex<CancellationToken>>::default());
        let proxy = Self { address, up: up.clone(), cut: cut.clone() };
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (upstream, cut) = (upstream.clone(), cut.lock().unwrap().clone());
                // While the proxy is down, it closes the connection at once.
                if up.load(Ordering::SeqCst) {
                    tokio::spawn(async move {
                        let mut server = TcpStream::connect(upstream).await.unwrap();
                        tokio::select! {
                            _ = copy_bidirectional(&mut client, &mut server) => {}
                            () = cut.cancelled() => {}
                        }
                    });
                }
            }
        });
        proxy
    }

    /// Returns the same URL, through this proxy.
    pub fn url(&self, url: &str) -> String {
        let host = authority(url).rsplit('@').next().unwrap();
        url.replacen(host, &self.address.to_string(), 1)
    }

    /// Cuts all open connections. New ones are passed on.
    pub fn cut(&self) {
        std::mem::take(&mut *self.cut.lock().unwrap()).cancel();
    }

    /// Cuts all open connections, and refuses new ones.
    pub fn down(&self) {
        self.up.store(false, Ordering::SeqCst);
        self.cut();
    }

    /// Passes connections on again.
    pub fn up(&self) {
        self.up.store(true, Ordering::SeqCst);
    }
}

fn authority(url: &str) -> &str {
    url.split_once("://").unwrap().1.split('/').next().unwrap()
}
