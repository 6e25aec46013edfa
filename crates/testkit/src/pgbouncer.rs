//! A private PgBouncer in front of the tests' PostgreSQL.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;

/// How long it may take to start on a busy machine.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A running PgBouncer. Dropping it ends it.
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    process: Child,
    _folder: TempDir,
}

impl PgBouncer {
    /// Starts a PgBouncer with its defaults, `session` or `transaction` as its pool mode, in front of the server at `url`.
    ///
    /// # Panics
    /// If it does not start: `scripts/setup.sh` installs it.
    #[must_use]
    pub fn start(url: &str, pool_mode: &str) -> Self {
        let server: PgConnectOptions = url.parse().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = TempDir::with_prefix("rekey-pgbouncer.").unwrap();
        let (host, server_port, user) = (server.get_host(), server.get_port(), server.get_username());
        let settings = format!(
            "[databases]\n* = host={host} port={server_port} user={user}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nauth_type = any\npool_mode = {pool_mode}\nunix_socket_dir =\n"
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, settings).unwrap();
        // It refuses to run as root, and another user must be able to read its settings.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let is_root =
            fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        let mut command = Command::new(if is_root { "setpriv" } else { "pgbouncer" });
        if is_root {
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "pgbouncer"]);
        }
        let quiet = command.arg("--quiet").arg(file).stdin(Stdio::null()).stdout(Stdio::null());
        let process = quiet.spawn().unwrap();
        let bouncer = Self { port, process, _folder: folder };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < TIMEOUT, "PgBouncer did not start");
            sleep(Duration::from_millis(20));
        }
        bouncer
    }

    /// Returns the same URL, through this PgBouncer.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        let server: PgConnectOptions = url.parse().unwrap();
        let (host, port) = (server.get_host(), server.get_port());
        url.replacen(&format!("{host}:{port}"), &format!("127.0.0.1:{}", self.port), 1)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // Killing fails if the process has already ended, which is fine.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
