//! A private PostgreSQL that a test may kill.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use sqlx::{AssertSqlSafe, ConnectOptions, postgres::PgConnectOptions};
use tempfile::TempDir;

use crate::process::{free_ports, project};

/// A private PostgreSQL, whose data survive a crash.
pub struct Postgres {
    url: String,
    port: u16,
    folder: TempDir,
}

impl Postgres {
    /// Starts the server.
    #[must_use]
    pub fn start() -> Self {
        Self::start_by("start", &[])
    }

    /// Starts a server that has all commits of this one, and takes none of its own until it is promoted (`pg_promote()`).
    #[must_use]
    pub fn start_standby(&self) -> Self {
        Self::start_by("standby", &[self.folder.path()])
    }

    fn start_by(command: &str, arguments: &[&Path]) -> Self {
        let [port] = free_ports();
        let mut server =
            Self { url: String::new(), port, folder: TempDir::with_prefix("rekey-postgres.").unwrap() };
        server.url = server.run(command, arguments);
        server
    }

    /// Returns how to connect as a superuser, to a database that no program uses.
    #[must_use]
    pub fn options(&self) -> PgConnectOptions {
        self.url.parse().unwrap()
    }

    /// Returns the URL of a superuser.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes the server ask this role for its password, unlike all others.
    pub async fn require_passwords(&self, role: &str) {
        let file = self.folder.path().join("data/pg_hba.conf");
        let rules = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("host all {role} all scram-sha-256\n{rules}")).unwrap();
        self.execute("SELECT pg_reload_conf()").await;
    }

    /// Sends a signal to the server and all its processes; KILL ends them as a crash would.
    pub fn signal(&self, name: &str) {
        let pid = fs::read_to_string(self.folder.path().join("pid")).unwrap();
        let pid = pid.trim();
        // Processes that have ended are no failure.
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let pids = [pid].into_iter().chain(children.split_whitespace());
        let sent = Command::new("kill").arg(format!("-{name}")).args(pids).stderr(Stdio::null()).status();
        sent.unwrap();
    }

    /// Starts the server again on the same data.
    pub fn restart(&self) {
        assert_eq!(self.run("start", &[]), self.url);
    }

    /// Executes statements as a superuser.
    pub async fn execute(&self, statements: &str) {
        let mut connection = self.options().connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.unwrap();
    }

    fn run(&self, command: &str, arguments: &[&Path]) -> String {
        let mut script = Command::new(project().join("scripts/postgres.sh"));
        script.arg(command).arg(self.folder.path()).arg(self.port.to_string()).args(arguments);
        // What is committed must survive a SIGKILL.
        let output = script.env("POSTGRES_FSYNC", "on").stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let stop =
            Command::new(project().join("scripts/postgres.sh")).arg("stop").arg(self.folder.path()).status();
        // A failure to stop is ignored: the test is failing already.
        drop(stop);
    }
}
