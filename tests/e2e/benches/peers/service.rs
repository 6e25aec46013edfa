//! The programs that are measured.

use std::{fs, path::PathBuf, process::Command, thread};

use rekey_e2e::{
    bench::{
        CUSTOMERS, add_customers,
        wrk::{Requests, output},
    },
    client::{Api, http},
    process::{Program, free_ports, project},
    shop::Shop,
    smtp::SmtpServer,
};
use rekey_testkit::postgres::TestDatabase;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};

/// Names that addresses begin with.
pub const KNOWN: &str = "customer";
pub const UNKNOWN: &str = "nobody";

/// Programs that take requests for resets, with [`CUSTOMERS`] known addresses: customer1@example.com and so on.
pub struct Service {
    pub name: &'static str,
    /// What runs.
    pub note: String,
    /// With the name KIND in place of [`KNOWN`] or [`UNKNOWN`].
    requests: Requests,
    http: Client,
    _programs: Vec<Program>,
    _database: Option<TestDatabase>,
}

impl Service {
    pub async fn rekey(shop: &Shop) -> Self {
        let programs = vec![shop.stack.start_api().await, shop.stack.start_mailer().await];
        add_customers(&shop.stack.database.url(), CUSTOMERS).await;
        let token = shop.storefront.token(&shop.stack.api).await;
        let requests = Requests::resets(&shop.stack.api.url, &token, "KIND");
        let note = "one rekey-api and one rekey-mailer".to_owned();
        Self::new("Rekey", note, requests, programs, None)
    }

    /// Served by gunicorn, with as many workers as its documentation advises.
    pub async fn django(smtp: &SmtpServer) -> Self {
        let (database, folder) = (TestDatabase::create().await, folder("django"));
        let commands = project().join("target/django/bin");
        let [port] = free_ports();
        let command = |name: &str| {
            let mut command = Command::new(commands.join(name));
            set_environment(&mut command, &database, smtp);
            command.current_dir(&folder).env("DJANGO_SETTINGS_MODULE", "settings").env("SECRET_KEY", SECRET);
            command
        };
        let _ = output(command("python").args(["-m", "django", "migrate"]));
        // The hash is one of no password.
        let users = "INSERT INTO auth_user
             (username, email, password, is_superuser, first_name, last_name, is_staff, is_active, date_joined)
             SELECT n, address, 'pbkdf2_sha256$1000000$salt$hash', false, '', '', false, true, now() FROM addresses";
        add_users(&database, users).await;
        let workers = 2 * thread::available_parallelism().unwrap().get() + 1;
        let mut gunicorn = command("gunicorn");
        gunicorn.args(["--bind", &format!("127.0.0.1:{port}"), "--workers", &workers.to_string()]);
        let program = Program::spawn("gunicorn", gunicorn.arg("django.core.wsgi:get_wsgi_application()"));
        let url = format!("http://127.0.0.1:{port}");
        Api::new(&url).answers("/password_reset/").await;
        let requests = Requests {
            url: format!("{url}/password_reset/"),
            headers: vec![
                ("content-type", "application/x-www-form-urlencoded".to_owned()),
                ("cookie", format!("csrftoken={CSRF_TOKEN}")),
            ],
            body: format!("csrfmiddlewaretoken={CSRF_TOKEN}&email=KINDNUMBER@example.com"),
        };
        let version = output(command("python").args(["-m", "django", "--version"]));
        let note = format!("Django {} on gunicorn with {workers} workers", version.trim());
        Self::new("Django", note, requests, vec![program], Some(database))
    }

    pub async fn better_auth(smtp: &SmtpServer) -> Self {
        let (database, folder) = (TestDatabase::create().await, folder("better-auth"));
        let [port] = free_ports();
        let command = || {
            let mut command = Command::new("node");
            set_environment(&mut command, &database, smtp);
            command.arg("server.js").current_dir(&folder).env("PORT", port.to_string());
            command.env("NODE_ENV", "production").env("BETTER_AUTH_SECRET", SECRET);
            command
        };
        let _ = output(command().arg("migrate"));
        let users = r#"INSERT INTO "user" (id, name, email, "emailVerified") SELECT n, n, address, true FROM addresses;
             INSERT INTO account (id, "accountId", "providerId", "userId", password, "updatedAt")
             SELECT n, n, 'credential', n, 'hash', now() FROM addresses"#;
        add_users(&database, users).await;
        let program = Program::spawn("better-auth", &mut command());
        let url = format!("http://127.0.0.1:{port}");
        Api::new(&url).answers("/api/auth/ok").await;
        let requests = Requests {
            url: format!("{url}/api/auth/request-password-reset"),
            headers: vec![("content-type", "application/json".to_owned()), ("origin", url)],
            body: r#"{"email":"KINDNUMBER@example.com"}"#.to_owned(),
        };
        let package = fs::read(folder.join("node_modules/better-auth/package.json")).unwrap();
        let package: Value = serde_json::from_slice(&package).unwrap();
        let version = package["version"].as_str().unwrap();
        let note = format!("better-auth {version} on one process of Node.js");
        Self::new("better-auth", note, requests, vec![program], Some(database))
    }

    fn new(
        name: &'static str,
        note: String,
        requests: Requests,
        programs: Vec<Program>,
        database: Option<TestDatabase>,
    ) -> Self {
        let http = http(|builder| builder);
        Self { name, note, requests, http, _programs: programs, _database: database }
    }

    /// Returns requests for [`KNOWN`] or [`UNKNOWN`] addresses.
    pub fn requests(&self, kind: &str) -> Requests {
        let body = self.requests.body.replace("KIND", kind);
        Requests { body, ..self.requests.clone() }
    }

    /// Sends one request. Its answer is the same for known and unknown addresses.
    pub async fn send(&self, kind: &str, number: usize) {
        let Requests { url, headers, body } = self.requests(kind);
        let mut request = self.http.post(url).body(body.replace("NUMBER", &number.to_string()));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let status = request.send().await.unwrap().status();
        let expected = [StatusCode::OK, StatusCode::CREATED, StatusCode::FOUND];
        assert!(expected.contains(&status), "{}: {status}", self.name);
    }
}

/// Long enough for both.
const SECRET: &str = "a secret of the benchmark with more than 50 characters";
/// As a browser gets one with the form.
const CSRF_TOKEN: &str = "abcdefghijklmnopqrstuvwxyzABCDEF";

fn folder(name: &str) -> PathBuf {
    project().join("tests/e2e/benches/peers").join(name)
}

/// The database's server by the variables that libpq and pg read.
fn set_environment(command: &mut Command, database: &TestDatabase, smtp: &SmtpServer) {
    let server: PgConnectOptions = database.url().parse().unwrap();
    command.env("PGHOST", server.get_host()).env("PGPORT", server.get_port().to_string());
    command.env("PGUSER", server.get_username()).env("PGDATABASE", database.name());
    command.env("SMTP_PORT", smtp.port.to_string());
}

async fn add_users(database: &TestDatabase, insert: &str) {
    let addresses = format!(
        "CREATE TEMPORARY TABLE addresses AS
         SELECT n, format('{KNOWN}%s@example.com', n) AS address FROM generate_series(1, {CUSTOMERS}) n"
    );
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    for statements in [addresses.as_str(), insert, "VACUUM ANALYZE"] {
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.unwrap();
    }
}
