//! A deployment, and what happens to it while the pages are read.

use std::{
    fs::{self, File},
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    process::{Command, Stdio},
    thread,
};

use lapin::BasicProperties;
use rekey_e2e::{
    broker::{Broker, move_all, publish, waiting},
    client::Api,
    page::Browser,
    postgres::Postgres,
    process::{Exit, free_ports, project},
    smtp::SmtpServer,
    wait::eventually,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions};
use tempfile::TempDir;

use crate::shell::Shell;

/// The queues that deploy/rabbitmq/definitions.json declares.
const QUEUE: &str = "rekey.mailer";
const DEAD: &str = "rekey.mailer.dead";

/// A deployment: the files, and what runs.
pub struct Site {
    folder: TempDir,
    postgres: Postgres,
    broker: Broker,
    smtp: SmtpServer,
    api: Api,
    /// The client that asks for resets.
    client_id: String,
    /// How many customers have asked.
    asked: u32,
}

impl Site {
    pub async fn new() -> Self {
        let broker = thread::spawn(Broker::start);
        let postgres = Postgres::start();
        postgres.execute("CREATE ROLE postgres SUPERUSER LOGIN").await;
        let roles = "rekey,rekey_api,rekey_mailer,rekey_maintenance,rekey_console,rekey_webhooks";
        postgres.require_passwords(roles).await;
        let folder = TempDir::with_prefix("rekey-operator.").unwrap();
        let smtp = SmtpServer::start(folder.path().join("mails"), &[]).await;
        let [port, api_admin, mailer_admin, console, webhooks] = free_ports();
        let api = Api::new(&format!("http://127.0.0.1:{port}"));
        let broker = broker.join().unwrap();
        let site = Self { folder, postgres, broker, smtp, api, client_id: String::new(), asked: 0 };
        for folder in ["site", "bin", "state/run", "state/secrets", "state/mailbox", "state/backups"] {
            fs::create_dir_all(site.path(folder)).unwrap();
        }
        let mut copy = Command::new("cp");
        copy.arg("-r")
            .args(["deploy", "docker-compose.yml"].map(|name| project().join(name)))
            .arg(site.path("site"));
        assert!(copy.status().unwrap().success());
        for own in ["site/deploy/secrets", "site/deploy/organizations"] {
            let _ = fs::remove_dir_all(site.path(own));
        }
        fs::create_dir_all(site.path("site/deploy/organizations/acme")).unwrap();
        symlink(project().join("tests/e2e/docker.py"), site.path("bin/docker")).unwrap();
        // Another owner would be of no use here, and needs root.
        fs::write(site.path("bin/sudo"), "#!/bin/sh\n[ \"$1\" = chown ] && [ -e \"$3\" ]\n").unwrap();
        fs::set_permissions(site.path("bin/sudo"), fs::Permissions::from_mode(0o755)).unwrap();
        // What is typed when a command asks.
        fs::write(site.path("state/keyboard"), "yes\n").unwrap();
        let here = json!({
            "postgres:5432": format!("127.0.0.1:{}", site.postgres.options().get_port()),
            "rabbitmq:5672": site.broker.url.split(['@', '/']).nth(3),
            "mailpit:1025": format!("127.0.0.1:{}", site.smtp.port),
            "collector:4318": "127.0.0.1:9",
            "localhost:8080": format!("127.0.0.1:{port}"),
            "0.0.0.0:8080": format!("127.0.0.1:{port}"),
            "0.0.0.0:8081": format!("127.0.0.1:{mailer_admin}"),
            "0.0.0.0:8082": format!("127.0.0.1:{api_admin}"),
            "console 0.0.0.0:8083": format!("127.0.0.1:{console}"),
            "webhooks 0.0.0.0:8088": format!("127.0.0.1:{webhooks}"),
            "/run/secrets": site.path("state/secrets"),
            "/etc/rekey/organizations": site.path("site/deploy/organizations"),
            "/docker-entrypoint-initdb.d": site.path("site/deploy/postgres"),
            "/var/lib/rekey/mailbox": site.path("state/mailbox"),
            "/var/lib/rabbitmq": site.broker.folder(),
        });
        fs::write(site.path("state/here.json"), here.to_string()).unwrap();
        fs::write(site.path("state/compose.json"), compose()).unwrap();
        site
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces the addresses and paths of the pages that are on the machine itself.
    pub fn here(&self, command: &str) -> String {
        let backups = self.path("state/backups");
        command
            .replace("http://localhost:8080", &self.api.url)
            .replace("/srv/backups", backups.to_str().unwrap())
    }

    pub fn append_environment(&self, text: &str) {
        let file = self.path("site/.env");
        fs::write(&file, fs::read_to_string(&file).unwrap() + text).unwrap();
    }

    /// Makes `.env` what it was at the start: the runbooks need none of the settings.
    pub fn restore_environment(&self) {
        fs::write(self.path("site/.env"), "COMPOSE_PROFILES=mailcatcher\n").unwrap();
    }

    pub fn write_settings(&self, text: &str, client_id: &str) {
        let file = self.path("site/deploy/organizations/acme/organization.toml");
        fs::write(file, text.replace('…', client_id.trim())).unwrap();
    }

    /// Brings about what a command is for.
    pub async fn before(&mut self, command: &str, shell: &mut Shell) {
        let url = self.broker.url.clone();
        if command.ends_with("--dry-run < customers.csv") {
            let customers: Vec<_> = (0..30).map(|n| format!("customer{n}@example.com")).collect();
            fs::write(self.path("site/customers.csv"), format!("email\n{}", customers.join("\n"))).unwrap();
        } else if command.ends_with("--dry-run < customers.json") {
            let record = |n| json!({ "id": format!("exported{n}"), "type": "customers", "email": format!("exported{n}@example.com") });
            let export: Vec<Value> = (10..20).map(record).collect();
            fs::write(self.path("site/customers.json"), json!(export).to_string()).unwrap();
        } else if command.ends_with("--status deferred") {
            self.smtp.set_fault(Some("rcpt 450 4.2.0 try later"));
            self.ask().await;
            self.eventually("SELECT status FROM deliveries WHERE status = 'deferred'").await;
            self.smtp.set_fault(None);
            // It would try again by itself.
            assert_eq!(shell.run("docker compose kill --signal SIGSTOP mailer").code, Some(0));
        } else if command.contains("rekey suppression ") {
            let address = command.split(' ').find(|word| word.contains('@')).unwrap_or("mary@example.com");
            let insert = "INSERT INTO suppressions (organization_id, mode, email, reason, smtp_code, event_id, created_at)";
            let values = format!(
                "SELECT id, 'live', '{address}', 'one: 550 5.1.1 no', 550, 'AAAAAAAAAA', now() FROM organizations"
            );
            self.texts(&format!("{insert} {values} ON CONFLICT DO NOTHING RETURNING email")).await;
        } else if command.contains("rekey webhook callbacks ") {
            let failed =
                "INSERT INTO event_callbacks (id, organization_id, mode, webhook_id, event_id, trigger_id, topic, resource_id, callback_url,
                     sealed_payload, due_at, response_code)
                 SELECT one.id, w.organization_id, w.mode, w.id, one.id, '', w.topic, one.id, w.callback_url, '', NULL, '503'
                 FROM webhooks w, unnest(ARRAY['AAAAAAAAAA', 'BBBBBBBBBB']) AS one (id) RETURNING id";
            self.texts(failed).await;
        } else if command.ends_with("rekey dead-letter list") {
            assert_eq!(shell.run("docker compose stop mailer").code, Some(0));
            self.ask().await;
            eventually(
                "the message",
                async || if waiting(&url, QUEUE).await.0 == 1 { Ok(()) } else { Err(()) },
            )
            .await;
            move_all(&url, QUEUE, DEAD).await;
            let started = shell.run("docker compose up --detach --wait --no-deps mailer");
            assert_eq!(started.code, Some(0), "{started:?}");
        } else if command.contains("rekey dead-letter ") && waiting(&url, DEAD).await.0 == 0 {
            let id = shell.run("echo ${ID:-AAAAAAAAAA}").stdout;
            let properties = BasicProperties::default().with_message_id(id.trim().into());
            publish(&url, DEAD, b"no event", properties).await;
        } else if let Some((_, key)) = command.split_once(" key retire ") {
            // Until the API has recorded the keys that it was started with. Then a day passes.
            let key = shell.run(&format!("echo {}", key.split(' ').next().unwrap())).stdout;
            self.eventually(&format!("SELECT kind FROM known_keys WHERE key_ids[2] = '{}'", key.trim()))
                .await;
            for change in [
                "known_keys SET updated_at = updated_at - interval '1 day'",
                "password_resets SET expires_at = now()",
            ] {
                self.texts(&format!("UPDATE {change} RETURNING ''")).await;
            }
        }
    }

    /// Checks what a command has done.
    pub async fn after(&mut self, command: &str, exit: &Exit, shell: &mut Shell) {
        if command.ends_with("--name \"Hosted pages\"") {
            exit.stdout.trim().strip_prefix("CLIENT_ID=").unwrap().clone_into(&mut self.client_id);
        } else if command.starts_with("printf ") {
            self.shows_page(&format!("client_id={}", self.client_id)).await;
            self.request("anna@example.com").await;
            self.smtp.mail_to("anna@example.com", 1).await;
        } else if command.ends_with(" < customers.json") {
            assert!(exit.stdout.contains("created=10\n"), "{exit:?}");
        } else if command.ends_with("'\"record_count\":[0-9]*'") {
            let customers = self.texts("SELECT count(*)::text FROM customers WHERE mode = 'live'").await;
            assert_eq!(exit.stdout.trim(), format!("\"record_count\":{}", customers[0]));
        } else if command.ends_with("replay --failed --since 3d --organization acme") {
            // Nobody receives them here, and what waits needs its sealing key.
            self.texts("DELETE FROM event_callbacks WHERE response_code IS DISTINCT FROM '200' RETURNING id")
                .await;
        } else if command.ends_with("> new-customers.json") {
            let written = fs::read_to_string(self.path("site/new-customers.json")).unwrap();
            assert!(written.contains("anna@example.com") && !written.contains("exported"), "{written}");
        } else if command.ends_with("SIGHUP api mailer maintenance") {
            self.shows_page("organization=acme").await;
        } else if command.ends_with("delivery resend $ID") {
            assert_eq!(shell.run("docker compose kill --signal SIGCONT mailer").code, Some(0));
            self.smtp.mail_to(&format!("customer{}@example.com", self.asked), 1).await;
        }
    }

    async fn shows_page(&self, query: &str) {
        let url = format!("{}/forgot-password?{query}", self.api.url);
        eventually(&url, async || {
            let status = Browser::default().get(&url).await.status();
            if status == StatusCode::OK { Ok(()) } else { Err(status) }
        })
        .await;
    }

    /// Has a further customer ask for a reset.
    async fn ask(&mut self) -> String {
        self.asked += 1;
        let address = format!("customer{}@example.com", self.asked);
        self.request(&address).await;
        address
    }

    async fn request(&self, address: &str) {
        let token = self.api.token(&self.client_id, None).await;
        self.api.create_reset(&token, address).await.expect(StatusCode::CREATED);
    }

    /// Whatever was done, a reset leads to a mail of the organization, signed.
    pub async fn still_sends_mails(&mut self, page: &str) {
        println!("{page}: its commands work");
        let address = self.ask().await;
        let mail = self.smtp.mail_to(&address, 1).await;
        assert_eq!(mail.header("from"), "\"Acme Shop\" <no-reply@shop.example>");
        assert_eq!(mail.headers("dkim-signature").len(), 1, "{page}");
    }

    /// Waits until a query of one column finds something.
    async fn eventually(&self, query: &str) {
        eventually(query, async || if self.texts(query).await.is_empty() { Err(()) } else { Ok(()) }).await;
    }

    async fn texts(&self, query: &str) -> Vec<String> {
        let mut connection = self.postgres.options().database("rekey").connect().await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&mut connection).await.unwrap()
    }
}

/// Returns docker-compose.yml as JSON, so that not every command parses it.
fn compose() -> Vec<u8> {
    let convert = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)";
    let file = File::open(project().join("docker-compose.yml")).unwrap();
    let output = Command::new("/usr/bin/python3").args(["-c", convert]).stdin(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

impl Drop for Site {
    fn drop(&mut self) {
        for file in fs::read_dir(self.path("state/run")).unwrap() {
            let [pid, _]: [Value; 2] =
                serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap();
            // One that has ended already is fine.
            let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
        }
        if thread::panicking() {
            let logs = fs::read_dir(self.path("state")).unwrap().map(|file| file.unwrap().path());
            for log in logs.filter(|path| path.extension().is_some_and(|kind| kind == "log")) {
                eprintln!("--- {}\n{}", log.display(), fs::read_to_string(&log).unwrap());
            }
        }
    }
}
