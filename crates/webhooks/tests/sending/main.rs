//! Deliveries to real receivers on this machine, also to ones that misbehave.
#![expect(clippy::unwrap_used, reason = "a failed test panics")]

mod answers;
mod receiver;
mod ssrf;
mod tls;

use std::{collections::VecDeque, io, net::IpAddr, sync::Mutex, time::Duration};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use rekey_core::secrets::SharedSecret;
use rekey_webhooks::{
    Answer, ClientOptions, FailureReason, Lookup, Request, Secrets, SendFailure, WebhookClient,
};
use time::OffsetDateTime;
use url::Url;

use receiver::{Receiver, Then};

const BODY: &str = "{\"data\":{\"type\":\"customers\",\"id\":\"ä\"}}\n";
/// The bytes of the newest secret, and of the one before.
const KEYS: [[u8; 32]; 2] = [[1; 32], [2; 32]];
const SENT_AT: i64 = 1_790_000_000;

/// Returns options that permit these networks, with a limit far above what an attempt takes.
fn options(networks: &[&str]) -> ClientOptions {
    let allowed_networks = networks.iter().map(|network| network.parse().unwrap()).collect();
    ClientOptions { allowed_networks, timeout: Duration::from_secs(30), ..ClientOptions::default() }
}

/// Returns options that permit this machine.
fn local() -> ClientOptions {
    options(&["127.0.0.0/8", "::1/128"])
}

fn client(options: ClientOptions) -> WebhookClient {
    let _ = rustls::crypto::ring::default_provider().install_default();
    WebhookClient::new(options).unwrap()
}

async fn send(client: &WebhookClient, url: &str) -> Result<Answer, SendFailure> {
    let [current, former] = KEYS.map(|key| SharedSecret::parse(&STANDARD.encode(key)).unwrap());
    let request = Request {
        url: &Url::parse(url).unwrap(),
        topic: "customers.create",
        id: "event-1",
        sent_at: OffsetDateTime::from_unix_timestamp(SENT_AT).unwrap(),
        secrets: &Secrets { current, former: Some(former) },
        traceparent: None,
        body: BODY.into(),
    };
    client.send(request).await
}

/// A resolver that gives each look-up the next of these answers.
struct Names(Mutex<VecDeque<Vec<IpAddr>>>);

impl Names {
    fn new(answers: &[&[&str]]) -> Self {
        let addresses = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Self(Mutex::new(answers.iter().map(addresses).collect()))
    }
}

#[async_trait]
impl Lookup for Names {
    async fn addresses(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(self.0.lock().unwrap().pop_front().unwrap())
    }
}
