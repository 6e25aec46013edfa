//! A process that plays a role, seen from outside.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

/// Far more than any role needs, and far less than one that hangs would take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A role being played.
pub struct Role {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Read all the while: a full pipe would stop the process.
    stderr: JoinHandle<String>,
}

/// How a role ended.
pub struct Ending {
    /// The exit code; `None` if a signal killed it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Role {
    /// Starts this program again, with nothing in its environment but these variables.
    pub fn start<V: AsRef<OsStr> + Copy>(role: &str, environment: &[(&str, V)]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--role", role])
            .env_clear()
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        Self { child, stdout, stderr }
    }

    /// Waits for the next line it prints.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub fn signal(&self, signal: &str) {
        let command = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ending {
        let pid = self.child.id();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut rest = String::new();
            self.stdout.read_to_string(&mut rest).unwrap();
            let status = self.child.wait().unwrap();
            sender.send(Ending { code: status.code(), stdout: rest, stderr: self.stderr.join().unwrap() })
        });
        receiver.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            let _ = Command::new("sh").args(["-c", &format!("kill -KILL {pid}")]).status();
            panic!("the process hangs")
        })
    }
}

/// Plays a role to its end.
pub fn play<V: AsRef<OsStr> + Copy>(role: &str, environment: &[(&str, V)]) -> Ending {
    Role::start(role, environment).end()
}
