//! A process that plays a role, seen from outside.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Far more than any role needs, and far less than one that hangs would take.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A role being played.
pub struct Role {
    child: Child,
    /// The lines of its standard output. Both pipes are read all the while: a full one would stop the process.
    stdout: Receiver<String>,
    stderr: JoinHandle<String>,
}

/// How a role ended.
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
        // It ends with the process, or with the one who listens.
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
        // It is this value's own child; one that has ended already can't be killed, which is fine.
        let _ = self.child.kill();
        panic!("the process hangs: {why}")
    }
}

/// Plays a role to its end.
pub fn play<V: AsRef<OsStr> + Copy>(role: &str, environment: &[(&str, V)]) -> Exit {
    Role::start(role, environment).end()
}
