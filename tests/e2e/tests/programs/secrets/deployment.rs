//! A deployment with a password for each server.

use std::{fs, path::Path, process::Command};

use crate::collector::Collector;
use base64::{Engine, engine::general_purpose::STANDARD};
use rekey_e2e::{
    broker::Broker,
    client::Api,
    process::{Exit, Program, free_ports},
    receiver::{Receiver, Reply},
    shop::Shop,
    smtp::self_signed,
    stack::Stack,
};
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

const DATABASE_PASSWORD: &str = "yv4ZkWb2TnPdQ8sRjL6m";
const BROKER_PASSWORD: &str = "Hq7cXw3NfVt9BzKg5DpS";
const SMTP_PASSWORD: &str = "m2JrUy8AeGx4CvLh6WnT";
/// A sealing key that nothing was sealed with.
const OTHER_KEY: &str = "k1:AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw=";

pub struct Deployment {
    pub shop: Shop,
    pub collector: Collector,
    pub receiver: Receiver,
    _broker: Broker,
    folder: TempDir,
}

impl Deployment {
    /// Starts the servers, and sets up a shop.
    pub async fn open() -> Self {
        let broker = tokio::task::spawn_blocking(Broker::start).await.unwrap();
        broker.ctl(&["add_user", "rekey", BROKER_PASSWORD]);
        broker.ctl(&["set_permissions", "rekey", ".*", ".*", ".*"]);
        let url = broker.url.replace("guest:guest", &format!("rekey:{BROKER_PASSWORD}"));
        let (folder, auth) = (TempDir::new().unwrap(), format!("rekey:{SMTP_PASSWORD}"));
        let [certificate, key] = self_signed(folder.path());
        let tls = ["--tls-cert", &certificate, "--tls-key", &key, "--auth", &auth];
        let mut stack = Stack::prepare_on(&url, &tls).await;
        let collector = Collector::start();
        let receiver = Receiver::start().await;
        receiver.reply([Reply::status(500)]);
        for (key, value) in [
            ("database.url", with_password(&stack.database.url())),
            ("resets.code", "true".to_owned()),
            ("smtp.ca_file", certificate.clone()),
            ("smtp.relays", format!("smtp://{auth}@localhost:{}", stack.smtp.port)),
            ("telemetry.log", "trace".to_owned()),
            ("telemetry.otlp_endpoint", collector.url.clone()),
            ("webhooks.allowed_networks", "127.0.0.0/8".to_owned()),
        ] {
            stack.set(key, &value);
        }
        Self { shop: Shop::open(stack).await, collector, receiver, _broker: broker, folder }
    }

    /// Returns the secrets of the configuration.
    pub fn secrets(&self) -> Vec<(&'static str, Vec<u8>)> {
        let file = |key: &str| fs::read_to_string(self.shop.stack.get(key).unwrap()).unwrap();
        let sealing = file("keys.sealing_file");
        let sealing = STANDARD.decode(sealing.trim().strip_prefix("k1:").unwrap()).unwrap();
        let signing = file("auth.signing_key_file");
        // The first ten lines have the public part.
        let signing = signing.lines().filter(|line| line.len() == 64).skip(10).step_by(5);
        let signing: Vec<_> = signing.map(|line| ("signing key", STANDARD.decode(line).unwrap())).collect();
        assert!(signing.len() > 4, "a long key");
        let passwords = [
            ("database's password", DATABASE_PASSWORD.into()),
            ("broker's password", BROKER_PASSWORD.into()),
            ("relay's password", SMTP_PASSWORD.into()),
        ];
        [vec![("sealing key", sealing)], signing, passwords.to_vec()].concat()
    }

    /// Starts a program under its own database role, and waits until it is ready. Returns its admin listener, too.
    pub async fn start(&self, program: &str, own: &[(&str, String)]) -> (Program, Api) {
        let ([port], database) = (free_ports(), &self.shop.stack.database);
        let settings = [
            ("admin.listen", format!("127.0.0.1:{port}")),
            ("database.url", with_password(&database.url_as(&program.replace('-', "_")))),
        ];
        let settings = [&settings, own].concat();
        let started = match program {
            "rekey-console" => self.shop.stack.spawn_tool_with(&settings, &["console"]),
            _ => self.shop.stack.spawn_with(program, &settings),
        };
        let admin = Api::new(&format!("http://127.0.0.1:{port}"));
        admin.ready().await;
        (started, admin)
    }

    /// Starts a program that can verify no event.
    pub async fn start_with_another_key(&self, program: &str) -> Program {
        let file = self.folder.path().join("sealing_keys");
        fs::write(&file, OTHER_KEY).unwrap();
        self.start(program, &[("keys.sealing_file", path(&file))]).await.0
    }

    /// Crashes an API while it hashes a password: there is no memory for that.
    pub async fn crash(&self, token: &str, password: &str) -> Exit {
        let [port] = free_ports();
        let own = [
            ("server.listen", format!("127.0.0.1:{port}")),
            ("passwords.argon2_memory_kib", (1 << 20).to_string()),
        ];
        let (program, _admin) = self.start("rekey-api", &own).await;
        let api = Api::new(&format!("http://127.0.0.1:{port}"));
        api.ready().await;
        let limit = ["--pid", &program.pid().to_string(), "--as=1"].map(str::to_owned);
        assert!(Command::new("prlimit").args(limit).status().unwrap().success());
        let attributes = json!({ "email": "carla@example.com", "password": password });
        let body = json!({ "data": { "type": "customers", "attributes": attributes } });
        let answer = api.try_call(Method::POST, "customers", token, &body).await;
        assert!(answer.is_err(), "{answer:?}");
        program.end().await
    }

    /// Ends programs by faults of the configuration and of servers, in the same settings as their secrets.
    pub async fn fail(&self) -> Vec<Exit> {
        let stack = &self.shop.stack;
        let file = |key: &str| fs::read_to_string(stack.get(key).unwrap()).unwrap();
        let (sealing, signing) = (file("keys.sealing_file"), file("auth.signing_key_file"));
        let database = stack.get("database.url").unwrap();
        let twice = |name: &str, text: &str| {
            let file = self.folder.path().join(name);
            fs::write(&file, format!("{}\n{text}", text.trim())).unwrap();
            path(&file)
        };
        let value = |key: &str| stack.get(key).unwrap().to_owned();
        let faults = [
            ("rekey-api", "keys.sealing_file", twice("sealing", &sealing)),
            ("rekey-api", "auth.signing_key_file", twice("signing", &signing)),
            ("rekey-api", "database.url", database.replace(stack.database.name(), "nowhere")),
            ("rekey-mailer", "smtp.relays", format!("{0},{0}?tls=never", value("smtp.relays"))),
            ("rekey-mailer", "broker.url", format!("{}?heartbeat=never", value("broker.url"))),
        ];
        let mut exits = Vec::new();
        for (program, key, value) in faults {
            let exit = stack.spawn_with(program, &[(key, value)]).end().await;
            assert!(exit.code.is_some_and(|code| code > 0), "{key}: {exit:?}");
            exits.push(exit);
        }
        exits
    }

    /// Returns what `pg_dump` writes.
    pub fn dump(&self) -> Vec<u8> {
        let url = self.shop.stack.database.url();
        // Some parameters are sqlx's own.
        let url = url.split('?').next().unwrap();
        let dump = Command::new("pg_dump").arg(url).output().unwrap();
        assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
        dump.stdout
    }
}

fn with_password(url: &str) -> String {
    url.replacen("app@", &format!("app:{DATABASE_PASSWORD}@"), 1)
}

fn path(file: &Path) -> String {
    file.to_str().unwrap().to_owned()
}
