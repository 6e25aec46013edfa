//! A deployment as in production: PostgreSQL, RabbitMQ, an SMTP server, and the project's programs.

use std::{path::PathBuf, process::Command, time::Duration};

use rekey_broker::rabbitmq::{RabbitConfig, Topology};
use rekey_store_postgres::PostgresStore;
use rekey_testkit::postgres::TestDatabase;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

use crate::{
    broker::clear,
    client::Api,
    process::{Exit, Program, free_ports, programs, project},
    smtp::SmtpServer,
};

/// The servers and the configuration that the programs of one test share.
pub struct Stack {
    /// The API, once it is started.
    pub api: Api,
    /// The prefix of the broker's queue names.
    pub namespace: String,
    /// The server that receives the mails.
    pub smtp: SmtpServer,
    /// A database of its own.
    pub database: TestDatabase,
    /// The folder of the programs that are started from now on: those built by cargo, unless it is set.
    pub programs: PathBuf,
    /// Environment variables of every program.
    settings: Vec<(String, String)>,
    /// Of the admin listeners of `rekey-api` and `rekey-mailer`.
    admin_ports: [u16; 2],
    /// Keys, passwords and mails.
    folder: TempDir,
}

/// An API client that was registered.
#[derive(Debug, Clone)]
pub struct Registered {
    pub client_id: String,
    /// The secret of an integration.
    pub secret: Option<String>,
}

impl Stack {
    /// Starts the servers, with a database that is migrated.
    pub async fn prepare() -> Self {
        Self::prepare_on(&amqp_url(), &[]).await
    }

    /// Like [`Stack::prepare`], with another broker and options for the SMTP server.
    pub async fn prepare_on(amqp_url: &str, smtp_options: &[&str]) -> Self {
        let migrate = async |url: String| {
            let store = PostgresStore::connect(&url, 1, Duration::from_secs(30)).unwrap();
            store.migrate().await.unwrap();
        };
        Self::prepare_with(TestDatabase::create_migrated(migrate).await, amqp_url, smtp_options).await
    }

    /// Like [`Stack::prepare_on`], with this database.
    pub async fn prepare_with(database: TestDatabase, amqp_url: &str, smtp_options: &[&str]) -> Self {
        let stack = Self::unmigrated(database, amqp_url, smtp_options).await;
        stack.migrate().await;
        stack
    }

    /// Like [`Stack::prepare`], with the programs in that folder.
    pub async fn prepare_from(programs: PathBuf) -> Self {
        let mut stack = Self::unmigrated(TestDatabase::create().await, &amqp_url(), &[]).await;
        stack.programs = programs;
        stack.migrate().await;
        stack
    }

    async fn unmigrated(database: TestDatabase, amqp_url: &str, smtp_options: &[&str]) -> Self {
        let folder = TempDir::with_prefix("rekey-e2e.").unwrap();
        let smtp = SmtpServer::start(folder.path().join("mails"), smtp_options).await;
        database.create_roles().await;
        let [api_port, api_admin, mailer_admin] = free_ports();
        let api = Api::new(&format!("http://127.0.0.1:{api_port}"));
        // The namespace is as unique as the database's name.
        let namespace = database.name().to_owned();
        let settings = Vec::new();
        let admin_ports = [api_admin, mailer_admin];
        let mut stack =
            Self { api, namespace, smtp, database, programs: programs(), settings, admin_ports, folder };
        stack.configure(amqp_url, api_port);
        stack
    }

    /// Runs `rekey migrate`.
    pub async fn migrate(&self) {
        let migrated = self.tool(&["migrate"]).await;
        assert_eq!(migrated.code, Some(0), "rekey migrate: {migrated:?}");
    }

    fn configure(&mut self, amqp_url: &str, api_port: u16) {
        // Keys are made as for production.
        let secrets = self.folder.path().join("secrets");
        let made = Command::new(project().join("deploy/make-secrets.sh")).arg(&secrets).status().unwrap();
        assert!(made.success());
        let file = |name: &str| secrets.join(name).to_str().unwrap().to_owned();
        self.set("server.listen", &format!("127.0.0.1:{api_port}"));
        self.set("server.public_url", &self.api.url.clone());
        self.set("auth.signing_key_file", &file("signing_key"));
        self.set("keys.sealing_file", &file("sealing_keys"));
        self.set("database.url", &self.database.url());
        self.set("broker.url", amqp_url);
        self.set("broker.namespace", &self.namespace.clone());
        self.set("mail.from", "The Shop <no-reply@shop.example>");
        self.set("smtp.relays", &format!("smtp://127.0.0.1:{}?tls=none", self.smtp.port));
        // The tests make more calls from one address than the limits allow.
        for limit in ["token", "live", "test", "sales_channel", "page"] {
            self.set(&format!("limits.{limit}_per_minute"), "1000000");
        }
    }

    /// Sets a key of the configuration for programs started afterwards.
    pub fn set(&mut self, key: &str, value: &str) {
        self.unset(key);
        self.settings.push((variable(key), value.to_owned()));
    }

    /// Returns a key of the configuration, if it is set.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let set = self.settings.iter().find(|(name, _)| *name == variable(key));
        set.map(|(_, value)| value.as_str())
    }

    /// Removes a key from the configuration, and returns it with its value, if it was set.
    pub fn unset(&mut self, key: &str) -> Option<(String, String)> {
        let variable = variable(key);
        let at = self.settings.iter().position(|(name, _)| *name == variable)?;
        Some((key.to_owned(), self.settings.remove(at).1))
    }

    /// Starts `rekey-api` or `rekey-mailer` under its own database role, without waiting for it.
    #[must_use]
    pub fn spawn(&self, program: &str) -> Program {
        // Another URL, such as a pooler's, stays.
        let own_url = self.database.url();
        let has_role = self.get("database.url") == Some(&own_url);
        let url = has_role.then(|| ("database.url", self.database.url_as(&program.replace('-', "_"))));
        self.spawn_with(program, url.as_slice())
    }

    /// Starts a program with settings of its own, which override the shared ones.
    #[must_use]
    pub fn spawn_with(&self, program: &str, own: &[(&str, String)]) -> Program {
        let [api, mailer] = self.admin_ports;
        let port = match program {
            // A second API, which takes a free port.
            "rekey-api" if own.iter().any(|(key, _)| *key == "server.listen") => 0,
            "rekey-api" => api,
            _ => mailer,
        };
        let admin = [("admin.listen", format!("127.0.0.1:{port}"))];
        Program::start_from(&self.programs, program, &[], &self.settings_with(&[&admin, own].concat()))
    }

    /// Starts `rekey ARGUMENTS` under a database role, without waiting for it.
    #[must_use]
    pub fn spawn_tool(&self, role: &str, arguments: &[&str]) -> Program {
        self.spawn_tool_with(&[("database.url", self.database.url_as(role))], arguments)
    }

    /// Starts `rekey ARGUMENTS` with settings of its own, which override the shared ones.
    #[must_use]
    pub fn spawn_tool_with(&self, own: &[(&str, String)], arguments: &[&str]) -> Program {
        Program::start_from(&self.programs, "rekey", arguments, &self.settings_with(own))
    }

    fn settings_with(&self, own: &[(&str, String)]) -> Vec<(String, String)> {
        let own = own.iter().map(|(key, value)| (variable(key), value.clone()));
        // Of two values for a variable, the later one counts.
        self.settings.iter().cloned().chain(own).collect()
    }

    /// Starts `rekey-api`, and waits until it is ready.
    pub async fn start_api(&self) -> Program {
        let program = self.spawn("rekey-api");
        self.api.ready().await;
        program
    }

    /// Starts `rekey-mailer`, and waits until it is ready.
    pub async fn start_mailer(&self) -> Program {
        let program = self.spawn("rekey-mailer");
        self.mailer().ready().await;
        program
    }

    /// Starts one more `rekey-api` or `rekey-mailer` under its own database role, and waits until it is ready. Returns where that is: the
    /// API's public listener, the mailer's admin listener.
    pub async fn start_another(&self, program: &str) -> (Program, Api) {
        let [port, admin_port] = free_ports();
        let own = [
            ("server.listen", format!("127.0.0.1:{port}")),
            ("admin.listen", format!("127.0.0.1:{admin_port}")),
            ("database.url", self.database.url_as(&program.replace('-', "_"))),
        ];
        let started = self.spawn_with(program, &own);
        let port = if program == "rekey-api" { port } else { admin_port };
        let api = Api::new(&format!("http://127.0.0.1:{port}"));
        api.ready().await;
        (started, api)
    }

    /// The mailer's admin listener.
    #[must_use]
    pub fn mailer(&self) -> Api {
        let [_, mailer] = self.admin_ports;
        Api::new(&format!("http://127.0.0.1:{mailer}"))
    }

    /// The API's admin listener.
    #[must_use]
    pub fn api_admin(&self) -> Api {
        let [api, _] = self.admin_ports;
        Api::new(&format!("http://127.0.0.1:{api}"))
    }

    /// Registers an organization.
    pub async fn organization(&self, slug: &str) {
        let created = self.tool(&["organization", "create", "--slug", slug, "--name", "The Shop"]).await;
        assert_eq!(created.code, Some(0), "{created:?}");
    }

    /// Registers a client of that organization, in live mode: `kind` and more options of `rekey client create`.
    pub async fn client(&self, slug: &str, kind: &[&str]) -> Registered {
        let create =
            ["client", "create", "--organization", slug, "--mode", "live", "--name", "A client", "--kind"];
        let created = self.tool(&[&create, kind].concat()).await;
        assert_eq!(created.code, Some(0), "{created:?}");
        let value = |key: &str| {
            let mut lines = created.stdout.lines();
            lines.find_map(|line| Some(line.strip_prefix(key)?.strip_prefix('=')?.to_owned()))
        };
        Registered { client_id: value("CLIENT_ID").unwrap(), secret: value("CLIENT_SECRET") }
    }

    /// Returns the names of the broker's queues.
    #[must_use]
    pub fn topology(&self) -> Topology {
        // The names depend on the namespace only.
        RabbitConfig::new(["amqp://127.0.0.1"], &self.namespace).unwrap().topology().clone()
    }

    /// Returns the texts that a query of one column selects.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        let mut connection = PgConnection::connect(&self.database.url()).await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&mut connection).await.unwrap()
    }

    /// Runs `rekey ARGUMENTS` to its end, as the owner of the schema.
    pub async fn tool(&self, arguments: &[&str]) -> Exit {
        self.spawn_tool_with(&[], arguments).end().await
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if let Some(amqp_url) = self.get("broker.url") {
            clear(amqp_url.to_owned(), self.topology());
        }
    }
}

impl Registered {
    /// Requests a token for this client.
    pub async fn token(&self, api: &Api) -> String {
        api.token(&self.client_id, self.secret.as_deref()).await
    }
}

/// The URL of the RabbitMQ that the tests share.
///
/// # Panics
/// If `AMQP_URL` is not set.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "tests find their servers by the environment")]
pub fn amqp_url() -> String {
    std::env::var("AMQP_URL")
        .expect("AMQP_URL is not set: run the tests with `make test`, which starts a RabbitMQ for them")
}

/// The environment variable that sets a key of the configuration.
#[must_use]
pub fn variable(key: &str) -> String {
    format!("REKEY__{}", key.to_ascii_uppercase().replace('.', "__"))
}
