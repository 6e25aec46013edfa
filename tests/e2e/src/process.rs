//! The real programs, as processes.

use std::{
    collections::BTreeSet,
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::wait::{TIMEOUT, within};

/// A running program. Dropping it kills it; if the test is failing, its output is shown.
pub struct Program {
    name: String,
    child: Child,
    stdout: Output,
    stderr: Output,
}

/// How a program ended.
#[derive(Debug)]
pub struct Exit {
    /// The exit code; `None` if a signal killed it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Program {
    /// Starts one of the project's binaries, with only these variables in its environment.
    #[must_use]
    pub fn start(name: &str, arguments: &[&str], environment: &[(String, String)]) -> Self {
        Self::start_from(&programs(), name, arguments, environment)
    }

    /// Like [`Program::start`], with a binary in that folder.
    #[must_use]
    pub fn start_from(
        folder: &Path,
        name: &str,
        arguments: &[&str],
        environment: &[(String, String)],
    ) -> Self {
        let mut command = Command::new(binary_in(folder, name));
        command.args(arguments).env_clear().envs(environment.iter().cloned());
        Self::spawn(name, &mut command)
    }

    /// Starts any command.
    #[must_use]
    pub fn spawn(name: &str, command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap_or_else(|error| panic!("can't start {name}: {error}"));
        let stdout = Output::of(child.stdout.take().unwrap());
        let stderr = Output::of(child.stderr.take().unwrap());
        Self { name: name.to_owned(), child, stdout, stderr }
    }

    /// Returns the process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns the standard output so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Returns the standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Kills the program as a crash would (SIGKILL), and waits for its end.
    #[expect(clippy::must_use_candidate, reason = "most tests need no output of a killed program")]
    pub fn crash(mut self) -> Exit {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        Exit { code: status.code(), stdout: self.stdout.all(), stderr: self.stderr.all() }
    }

    /// Stops the program (SIGTERM), and waits for its end.
    pub async fn terminate(self) -> Exit {
        signal(self.pid(), "TERM");
        self.end().await
    }

    /// Like [`Program::terminate`], for one that must end well.
    pub async fn stop(self) {
        let exit = self.terminate().await;
        assert_eq!(exit.code, Some(0), "{exit:?}");
    }

    /// Waits for the program's end.
    pub async fn end(self) -> Exit {
        self.end_within(TIMEOUT).await
    }

    /// Like [`Program::end`], with another timeout.
    pub async fn end_within(mut self, timeout: Duration) -> Exit {
        let what = format!("{} to end", self.name);
        let status = within(timeout, &what, async || self.ended().ok_or("it runs")).await;
        Exit { code: status.code(), stdout: self.stdout.all(), stderr: self.stderr.all() }
    }

    /// Returns how it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Killing fails if the program has already ended, which is fine.
        let _ = self.child.kill();
        let status = self.child.wait();
        if thread::panicking() {
            let (name, stdout, stderr) = (&self.name, self.stdout.all(), self.stderr.all());
            eprintln!("--- {name}: {status:?}\n{stdout}--- {name}, standard error:\n{stderr}---");
        }
    }
}

/// Sends a signal to a process.
pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status().unwrap();
    assert!(sent.success(), "SIG{name} to {pid}");
}

/// Returns the resident memory of a process in megabytes, or `None` if it has ended.
#[must_use]
pub fn resident_megabytes(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = resident.split_whitespace().next()?.parse().ok()?;
    (kibibytes * 1024 / 1_000_000).try_into().ok()
}

/// Returns unused TCP ports on loopback, different from those of the other tests in this process.
#[must_use]
pub fn free_ports<const N: usize>() -> [u16; N] {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    [(); N].map(|()| {
        loop {
            let drawn = Command::new(project().join("scripts/free-ports.sh")).output().unwrap();
            let port = String::from_utf8(drawn.stdout).unwrap().trim().parse().unwrap();
            if GIVEN.lock().unwrap().insert(port) {
                break port;
            }
        }
    })
}

/// The project's folder.
#[must_use]
pub fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The folder of the programs built by cargo: that of the folder of the tests' executables.
#[must_use]
pub fn programs() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().to_owned()
}

/// The path of a program built by cargo.
///
/// # Panics
/// If it doesn't exist.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    binary_in(&programs(), name)
}

fn binary_in(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    assert!(path.exists(), "{} is not there: `cargo build --workspace --bins` builds it", path.display());
    path
}

/// The output of a process, read continuously, since a full pipe would block the process.
struct Output {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Output {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::<Mutex<Vec<u8>>>::default();
        let written = text.clone();
        let reader = thread::spawn(move || {
            let mut chunk = [0; 8192];
            while let Ok(length @ 1..) = pipe.read(&mut chunk) {
                written.lock().unwrap().extend_from_slice(&chunk[..length]);
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    /// Returns the whole output after the process has ended.
    fn all(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.text()
    }
}
