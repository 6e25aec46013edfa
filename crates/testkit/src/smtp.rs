//! SMTP servers: a real one, and a scripted one for behaviour that a real one doesn't show on demand.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{sleep, timeout},
};

/// How long a test waits for something that must happen.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The interval between two checks of it.
const LOOK: Duration = Duration::from_millis(2);

/// The scripted server's action at one step of a connection.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    /// Replies with this text; line breaks inside it are written as `\r\n`.
    Reply(&'static str),
    /// Replies with this text and closes the connection.
    ReplyAndClose(&'static str),
    /// Replies with this text, then stays silent and keeps the connection open.
    ReplyAndHang(&'static str),
    /// Closes the connection without a reply.
    Close,
    /// Stays silent and keeps the connection open.
    Hang,
}

/// The script of one connection: the steps at which the server differs from an ordinary one. A step is a command's verb,
/// `GREETING` for the connection's start, or `.` for the end of a message.
pub type Scene = &'static [(&'static str, Act)];

/// A server on loopback that plays one script per connection, and repeats the last one.
#[derive(Debug)]
pub struct ScriptedSmtp {
    /// The address it listens on.
    pub port: u16,
    seen: Arc<Mutex<Seen>>,
    is_repaired: Arc<AtomicBool>,
    server: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seen {
    connections: usize,
    commands: Vec<String>,
    messages: Vec<String>,
}

impl ScriptedSmtp {
    /// Starts the server.
    pub async fn start(scenes: &'static [Scene]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let recorder = Arc::clone(&seen);
        let is_repaired = Arc::new(AtomicBool::new(false));
        let repaired = Arc::clone(&is_repaired);
        let server = tokio::spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                recorder.lock().unwrap().connections += 1;
                let scene = scenes.get(number).or(scenes.last()).copied().unwrap_or_default();
                // A client may hang up at any time.
                tokio::spawn(play(stream, scene, Arc::clone(&recorder), Arc::clone(&repaired)));
            }
        });
        Self { port, seen, is_repaired, server }
    }

    /// Makes it an ordinary server from now on, also on open connections.
    pub fn repair(&self) {
        self.is_repaired.store(true, Ordering::Relaxed);
    }

    /// Returns the number of connections so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    /// Returns the commands of all connections so far.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        self.seen.lock().unwrap().commands.clone()
    }

    /// Waits for a command with this verb or, for `.`, the end of a message.
    ///
    /// # Panics
    /// If none comes within a minute.
    pub async fn reached(&self, step: &str) {
        let is_it = |command: &String| command.to_ascii_uppercase().starts_with(step);
        let reached = async {
            while !(self.commands().iter().any(is_it) || step == "." && !self.messages().is_empty()) {
                sleep(LOOK).await;
            }
        };
        assert!(timeout(TIMEOUT, reached).await.is_ok(), "no {step} came: {:?}", self.commands());
    }

    /// Returns the complete messages, whatever the replies were.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        self.seen.lock().unwrap().messages.clone()
    }
}

impl Drop for ScriptedSmtp {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn play(
    stream: TcpStream,
    scene: Scene,
    seen: Arc<Mutex<Seen>>,
    is_repaired: Arc<AtomicBool>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufStream::new(stream);
    let mut step = "GREETING".to_owned();
    loop {
        let scene = if is_repaired.load(Ordering::Relaxed) { &[] } else { scene };
        let act =
            scene.iter().find(|(name, _)| *name == step).map_or_else(|| ordinary(&step), |(_, act)| *act);
        match act {
            Act::Reply(text) => say(&mut stream, text).await?,
            Act::ReplyAndClose(text) => return say(&mut stream, text).await,
            Act::Close => return Ok(()),
            Act::ReplyAndHang(text) => {
                say(&mut stream, text).await?;
                return stream.read_to_end(&mut Vec::new()).await.map(drop);
            }
            Act::Hang => return stream.read_to_end(&mut Vec::new()).await.map(drop),
        }
        if step == "DATA" && matches!(act, Act::Reply(text) if text.starts_with("354")) {
            let message = message(&mut stream).await?;
            seen.lock().unwrap().messages.push(message);
            ".".clone_into(&mut step);
            continue;
        }
        let mut command = String::new();
        if stream.read_line(&mut command).await? == 0 {
            return Ok(());
        }
        let command = command.trim_end().to_owned();
        step = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        seen.lock().unwrap().commands.push(command);
    }
}

fn ordinary(step: &str) -> Act {
    match step {
        "GREETING" => Act::Reply("220 scripted"),
        "DATA" => Act::Reply("354 go ahead"),
        "." => Act::Reply("250 2.0.0 taken"),
        "QUIT" => Act::ReplyAndClose("221 bye"),
        _ => Act::Reply("250 2.0.0 fine"),
    }
}

async fn say(stream: &mut BufStream<TcpStream>, text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes()).await?;
    stream.write_all(b"\r\n").await?;
    stream.flush().await
}

/// Reads a message up to its final dot, which is not part of it.
async fn message(stream: &mut BufStream<TcpStream>) -> std::io::Result<String> {
    let mut message = String::new();
    while !message.ends_with("\r\n.\r\n") {
        if stream.read_line(&mut message).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    message.truncate(message.len() - 3);
    Ok(message)
}

/// The project's server for tests, `scripts/smtp-server.py`: aiosmtpd behind a command line.
#[derive(Debug)]
pub struct RealSmtp {
    /// The port it listens on, on loopback.
    pub port: u16,
    folder: TempDir,
    process: Child,
}

impl RealSmtp {
    /// Starts the server with its folder and these options.
    ///
    /// # Panics
    /// If it does not start: `scripts/setup.sh` installs its dependencies.
    #[must_use]
    pub fn start(options: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/smtp-server.py");
        let folder = TempDir::new().unwrap();
        let mut process = Command::new("/usr/bin/python3")
            .arg(script)
            .arg("--dir")
            .arg(folder.path())
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port =
            line.trim().strip_prefix("listening on ").expect("the SMTP server starts").parse().unwrap();
        Self { port, folder, process }
    }

    /// Returns the accepted mails in order, byte for byte.
    #[must_use]
    pub fn mails(&self) -> Vec<String> {
        self.files("eml").iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }

    /// Returns its log: a JSON object for each accepted mail.
    #[must_use]
    pub fn log(&self) -> Vec<serde_json::Value> {
        let log = std::fs::read_to_string(self.folder.path().join("log.jsonl")).unwrap_or_default();
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn files(&self, extension: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let is_whole = |path: &PathBuf| {
            path.extension().is_some_and(|known| known == extension)
                && !path.file_name().unwrap().to_string_lossy().starts_with('.')
        };
        let mut files: Vec<_> = entries.filter(is_whole).collect();
        files.sort();
        files
    }
}

impl Drop for RealSmtp {
    fn drop(&mut self) {
        // Killing fails if the process has already ended, which is fine.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
