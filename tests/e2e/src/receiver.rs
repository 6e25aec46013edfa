//! A receiver of webhooks: it records each request, and answers as it is asked to.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

use crate::wait::eventually;

/// A running receiver.
pub struct Receiver {
    /// Its address.
    pub url: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Received {
    /// When its last byte was read.
    pub at: Instant,
    /// The first line.
    pub line: String,
    /// By their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The bytes of the body.
    pub body: String,
}

/// How a request is answered.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    /// Whole lines.
    pub headers: &'static str,
    pub body: &'static str,
    /// How long it takes.
    pub after: Duration,
}

#[derive(Default)]
struct State {
    received: Vec<Received>,
    replies: VecDeque<Reply>,
}

impl Reply {
    /// An answer with that status, at once.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, headers: "", body: "an answer", after: Duration::ZERO }
    }
}

impl Receiver {
    /// Starts one that answers 200, on a free port of this machine.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { url, state, task }
    }

    /// Answers the next requests so; those after them with 200.
    pub fn reply(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.lock().unwrap().replies.extend(replies);
    }

    /// Returns what came so far.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.state.lock().unwrap().received.clone()
    }

    /// Returns how many came so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.state.lock().unwrap().received.len()
    }

    /// Waits until that many requests came, and returns them.
    pub async fn requests(&self, count: usize) -> Vec<Received> {
        self.arrive(count).await;
        self.received()
    }

    /// Waits until that many requests came.
    pub async fn arrive(&self, count: usize) {
        eventually(&format!("{count} requests"), async || match self.count() {
            arrived if arrived >= count => Ok(()),
            arrived => Err(arrived),
        })
        .await;
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves a connection, until it is closed.
async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut stream = BufStream::new(stream);
    while let Some(request) = read(&mut stream).await {
        let reply = {
            let mut state = state.lock().unwrap();
            state.received.push(request);
            state.replies.pop_front().unwrap_or(Reply::status(200))
        };
        sleep(reply.after).await;
        let Reply { status, headers, body, .. } = reply;
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut BufStream<TcpStream>) -> Option<Received> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|length| *length > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut lines = lines.into_iter();
    let line = lines.next()?;
    let header = |line: String| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers: BTreeMap<_, _> = lines.filter_map(header).collect();
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received { at: Instant::now(), line, headers, body: String::from_utf8(body).ok()? })
}
