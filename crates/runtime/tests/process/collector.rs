//! A collector of telemetry, with as much HTTP as OTLP needs.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use prost::Message;

/// What has been received, by path.
#[derive(Clone)]
pub struct Collector {
    pub url: String,
    received: Arc<Mutex<Vec<Request>>>,
}

/// A path and a body.
type Request = (String, Vec<u8>);

impl Collector {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self { url, received: Arc::default() };
        let acceptor = collector.clone();
        thread::spawn(move || {
            for connection in listener.incoming() {
                let collector = acceptor.clone();
                thread::spawn(move || collector.serve(&connection.unwrap()));
            }
        });
        collector
    }

    /// Returns every request.
    pub fn paths(&self) -> Vec<String> {
        self.received.lock().unwrap().iter().map(|(path, _)| path.clone()).collect()
    }

    /// Returns the decoded bodies of the requests to a path.
    pub fn bodies<M: Message + Default>(&self, path: &str) -> Vec<M> {
        let received = self.received.lock().unwrap();
        let bodies = received.iter().filter(|(to, _)| to == path);
        bodies.map(|(_, body)| M::decode(body.as_slice()).unwrap()).collect()
    }

    fn serve(&self, connection: &TcpStream) {
        let mut reader = BufReader::new(connection);
        loop {
            let head: Vec<String> =
                reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let Some(path) = head.first().and_then(|request| request.split(' ').nth(1)) else {
                return;
            };
            let header = |name: &str| {
                let named = |line: &&String| line.to_ascii_lowercase().starts_with(&format!("{name}: "));
                head.iter().find(named).map(|line| line[name.len() + 2..].to_owned())
            };
            assert_eq!(header("content-type").as_deref(), Some("application/x-protobuf"));
            let mut body = vec![0; header("content-length").unwrap().parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            self.received.lock().unwrap().push((path.to_owned(), body));
            let answer =
                "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    }
}
