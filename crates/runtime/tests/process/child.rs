//! A child process that runs one of the test programs.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Far more than any program here needs; one that hangs fails the test.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A running test program.
pub struct Role {
    child: Child,
    /// The lines of its standard output. Both pipes are read continuously, since a full one would block the process.
    stdout: Receiver<String>,
    stderr: JoinHandle<String>,
}

/// How a program ended.
pub struct Exit {
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
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, stdout) = mpsc::channel();
        // The thread ends with the process or the receiver.
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
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
        self.stdout.recv_timeout(TIMEOUT).unwrap_or_else(|_| self.kill("it prints nothing"))
    }

    pub fn signal(&self, signal: &str) {
        let command = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
    }

    /// Waits for its end.
    pub fn end(mut self) -> Exit {
        let (start, mut stdout) = (Instant::now(), String::new());
        loop {
            match self.stdout.recv_timeout(TIMEOUT.saturating_sub(start.elapsed())) {
                Ok(line) => stdout += &(line + "\n"),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => self.kill("it does not end"),
            }
        }
        let status = self.child.wait().unwrap();
        Exit { code: status.code(), stdout, stderr: self.stderr.join().unwrap() }
    }

    fn kill(&mut self, why: &str) -> ! {
        // Killing fails if the process has already ended, which is fine.
        let _ = self.child.kill();
        panic!("the process hangs: {why}")
    }
}

/// Runs a program to its end.
pub fn play<V: AsRef<OsStr> + Copy>(role: &str, environment: &[(&str, V)]) -> Exit {
    Role::start(role, environment).end()
}
