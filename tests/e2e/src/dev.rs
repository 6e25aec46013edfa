//! A running `rekey dev` with its demo shop.

use std::{collections::BTreeMap, fs, path::Path};

use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    client::{Answer, Api},
    mail::{Link, in_mailbox},
    page::Browser,
    process::{Program, free_ports},
    stack::variable,
    wait::eventually,
};

/// The demo shop's customer.
pub const JOHN: &str = "john@example.com";
/// The customer's first password.
pub const OLD_PASSWORD: &str = "correct horse battery";

/// A running `rekey dev`.
pub struct Dev {
    pub program: Program,
    pub api: Api,
    /// The contents of `demo.env`.
    pub env: BTreeMap<String, String>,
}

impl Dev {
    /// Starts `rekey dev` on that data directory, and waits until it is ready.
    pub async fn start(data: &Path) -> Self {
        Self::start_with(data, &[]).await
    }

    /// Like [`Dev::start`], with other values for some keys of the configuration.
    pub async fn start_with(data: &Path, settings: &[(&str, &str)]) -> Self {
        let [port] = free_ports();
        let listen = format!("127.0.0.1:{port}");
        let arguments = ["dev", "--data-dir", data.to_str().unwrap(), "--listen", &listen];
        let settings: Vec<_> =
            settings.iter().map(|(key, value)| (variable(key), (*value).to_owned())).collect();
        let program = Program::start("rekey", &arguments, &settings);
        let api = Api::new(&format!("http://{listen}"));
        api.ready().await;
        let env = fs::read_to_string(data.join("demo.env")).unwrap();
        let pairs = env.lines().map(|line| line.split_once('=').unwrap());
        let env = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Self { program, api, env }
    }

    /// Requests a token for the back office.
    pub async fn integration(&self) -> String {
        self.api.token(&self.env["CLIENT_ID"], Some(&self.env["CLIENT_SECRET"])).await
    }

    /// Logs John in.
    pub async fn log_in(&self, password: &str) -> Answer {
        self.api.log_in(&self.env["SALES_CLIENT_ID"], JOHN, password).await
    }

    /// Waits for this many mails to John, and returns them, newest first.
    pub async fn mails(&self, count: usize) -> Vec<Value> {
        let url = format!("{}/dev/mailbox.json", self.api.url);
        eventually(&format!("{count} mails to John in the mailbox"), async || {
            let mailbox = Browser::default().get(&url).await.json().await.unwrap();
            let mails = in_mailbox(&mailbox, JOHN);
            if mails.len() == count { Ok(mails) } else { Err(mailbox) }
        })
        .await
    }

    /// Requests a reset, and returns the link in the mail, which is the `n`th to John.
    pub async fn reset(&self, n: usize) -> Link {
        let created = self.api.create_reset(&self.integration().await, JOHN).await;
        let created = created.expect(StatusCode::CREATED);
        let mail = self.mails(n).await.remove(0);
        let link = Link::find(mail["text"].as_str().unwrap());
        assert_eq!(link.id, created.text("/data/id"));
        assert_eq!(link.token, created.text("/data/attributes/reset_password_token"));
        link
    }
}
