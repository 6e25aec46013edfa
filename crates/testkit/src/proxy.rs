//! A TCP proxy with the faults of a network, in the words of Toxiproxy. It is our own because noxious, its port to Rust, has not been kept
//! since 2021, `toxiproxy_rust` only controls a server in Go, and turmoil simulates a network that real programs can't use.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use rekey_core::random::{OsRandom, RandomSource};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    task::JoinHandle,
    time::sleep,
};
use tokio_util::sync::CancellationToken;

/// The most bytes that are passed on at once.
const CHUNK: usize = 16 << 10;
/// The pause after each piece where the bandwidth is limited: a twentieth of a second.
const TICK: Duration = Duration::from_millis(50);

/// A proxy on loopback to one server.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    upstream: Arc<Mutex<String>>,
    shared: Arc<Mutex<Vec<Link>>>,
    acceptor: Mutex<Option<JoinHandle<()>>>,
}

/// What the proxy does to one direction of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toxic {
    /// Passes each chunk on after `delay`, and up to `jitter` more.
    Latency {
        /// The least delay.
        delay: Duration,
        /// The most that is added to it.
        jitter: Duration,
    },
    /// Passes on at most this many bytes a second; at least 20.
    Bandwidth(usize),
    /// Passes bytes on in pieces of at most `size`, with a pause after each.
    Slicer {
        /// Bytes of a piece.
        size: usize,
        /// The pause.
        pause: Duration,
    },
    /// Accepts bytes and never passes them on (Toxiproxy's "timeout"). As these are lost, a connection that swallowed any stays silent after
    /// the toxic is removed, like one to a host that is gone.
    Silence,
}

/// The connections that a toxic is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connections {
    /// Those that are open now.
    Open,
    /// Those that are open now, and all later ones.
    All,
}

/// A direction of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    Upstream,
    /// From the server to the client.
    Downstream,
}

/// Both directions.
pub const BOTH: [Direction; 2] = [Direction::Upstream, Direction::Downstream];

/// The toxic of each [`Direction`].
type Toxics = [Option<Toxic>; 2];

/// The switch of connections that share their toxics. The last link is that of new connections.
#[derive(Debug, Default)]
struct Link {
    toxics: watch::Sender<Toxics>,
    reset: CancellationToken,
}

impl Proxy {
    /// Starts a proxy to the server of a URL, or to `host:port`.
    pub async fn start(server: &str) -> Self {
        let upstream = Arc::new(Mutex::new(host(server).to_owned()));
        let listener = listen().await;
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Mutex::new(vec![Link::default()]));
        let proxy = Self { address, upstream, shared, acceptor: Mutex::default() };
        proxy.accept(listener);
        proxy
    }

    /// Returns the address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the same URL, through this proxy.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        url.replacen(host(url), &self.address.to_string(), 1)
    }

    /// Passes new connections to another server, given as in [`Proxy::start`]. Those that are open stay.
    pub fn redirect(&self, server: &str) {
        host(server).clone_into(&mut self.upstream.lock().unwrap());
    }

    /// Sets a toxic for these directions, in place of the one that each had.
    pub fn set(&self, toxic: Toxic, directions: &[Direction], connections: Connections) {
        let mut links = self.links();
        // New connections get a link of their own if the toxic is not for them, with the toxics that they had.
        let kept = *links.last().unwrap().toxics.borrow();
        for link in &*links {
            link.toxics.send_modify(|toxics| {
                for direction in directions {
                    toxics[*direction as usize] = Some(toxic);
                }
            });
        }
        if connections == Connections::Open {
            links.push(Link { toxics: watch::Sender::new(kept), ..Link::default() });
        }
    }

    /// Removes all toxics. What they held up is passed on at once.
    pub fn heal(&self) {
        for link in &*self.links() {
            link.toxics.send_replace(Toxics::default());
        }
    }

    /// Resets all open connections (TCP RST), on both sides. New ones are passed on.
    pub fn reset(&self) {
        let mut links = self.links();
        let kept = *links.last().unwrap().toxics.borrow();
        for link in links.drain(..) {
            link.reset.cancel();
        }
        links.push(Link { toxics: watch::Sender::new(kept), ..Link::default() });
    }

    /// Resets all open connections, and refuses new ones.
    pub async fn down(&self) {
        let acceptor = self.acceptor.lock().unwrap().take();
        if let Some(acceptor) = acceptor {
            acceptor.abort();
            // The listener is closed when the task has ended.
            assert!(acceptor.await.unwrap_err().is_cancelled());
        }
        self.reset();
    }

    /// Passes connections on again, at the same address.
    pub async fn up(&self) {
        self.accept(TcpListener::bind(self.address).await.unwrap());
    }

    fn accept(&self, listener: TcpListener) {
        let (shared, upstream) = (self.shared.clone(), self.upstream.clone());
        let acceptor = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (toxics, reset) = {
                    let links = shared.lock().unwrap();
                    let link = links.last().unwrap();
                    (link.toxics.subscribe(), link.reset.clone())
                };
                let upstream = upstream.lock().unwrap().clone();
                tokio::spawn(pass(client, upstream, toxics, reset));
            }
        });
        assert!(self.acceptor.lock().unwrap().replace(acceptor).is_none(), "the proxy is up already");
    }

    fn links(&self) -> MutexGuard<'_, Vec<Link>> {
        self.shared.lock().unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(acceptor) = self.acceptor.get_mut().unwrap() {
            acceptor.abort();
        }
        self.reset();
    }
}

/// Passes one connection on until it ends or is reset.
async fn pass(
    mut client: TcpStream,
    upstream: String,
    toxics: watch::Receiver<Toxics>,
    reset: CancellationToken,
) {
    let Ok(mut server) = TcpStream::connect(upstream).await else {
        client.set_zero_linger().unwrap();
        return;
    };
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
    let passed = async {
        tokio::try_join!(
            pump(from_client, to_server, Direction::Upstream, toxics.clone()),
            pump(from_server, to_client, Direction::Downstream, toxics)
        )
    };
    tokio::select! {
        // An error of either side ends both.
        _ = passed => {}
        () = reset.cancelled() => {
            for stream in [&client, &server] {
                stream.set_zero_linger().unwrap();
            }
        }
    }
}

/// Passes one direction on until its end.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    direction: Direction,
    mut toxics: watch::Receiver<Toxics>,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut is_silent = false;
    loop {
        let length = from.read(&mut chunk).await?;
        is_silent |= length > 0 && toxics.borrow()[direction as usize] == Some(Toxic::Silence);
        match (length, is_silent) {
            // A silent connection has no orderly end.
            (0, true) => return Err(io::ErrorKind::ConnectionReset.into()),
            (0, false) => return to.shutdown().await,
            (_, true) => continue,
            (_, false) => {}
        }
        let mut rest = &chunk[..length];
        while !rest.is_empty() && !is_silent {
            let toxic = toxics.borrow_and_update()[direction as usize];
            let (before, size, after) = effect(toxic, rest.len());
            wait(before, &mut toxics).await;
            let (piece, later) = rest.split_at(size.min(rest.len()));
            is_silent = toxic == Some(Toxic::Silence);
            if !is_silent {
                to.write_all(piece).await?;
            }
            rest = later;
            wait(after, &mut toxics).await;
        }
    }
}

/// Returns the wait before the next piece, its size in bytes, and the wait after it.
fn effect(toxic: Option<Toxic>, length: usize) -> (Duration, usize, Duration) {
    match toxic {
        None | Some(Toxic::Silence) => (Duration::ZERO, length, Duration::ZERO),
        Some(Toxic::Latency { delay, jitter }) => {
            let mut byte = [0];
            OsRandom.fill(&mut byte);
            (delay + jitter * u32::from(byte[0]) / 255, length, Duration::ZERO)
        }
        Some(Toxic::Bandwidth(rate)) => (Duration::ZERO, (rate / 20).max(1), TICK),
        Some(Toxic::Slicer { size, pause }) => (Duration::ZERO, size, pause),
    }
}

/// Waits, at most until other toxics are set.
async fn wait(pause: Duration, toxics: &mut watch::Receiver<Toxics>) {
    if !pause.is_zero() {
        tokio::select! {
            () = sleep(pause) => {}
            // The sender is gone when the connection is about to be reset.
            Ok(()) = toxics.changed() => {}
        }
    }
}

/// Listens on a port below the kernel's range for outgoing connections (32768 and up on Linux), so that no connection takes it while the
/// proxy is down.
async fn listen() -> TcpListener {
    loop {
        let mut bytes = [0; 2];
        OsRandom.fill(&mut bytes);
        if let Ok(listener) =
            TcpListener::bind(("127.0.0.1", 10_000 + u16::from_ne_bytes(bytes) % 22_000)).await
        {
            return listener;
        }
    }
}

/// Returns `host:port` of a URL.
fn host(url: &str) -> &str {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?']).next().unwrap();
    authority.rsplit('@').next().unwrap()
}

#[cfg(test)]
mod tests;
