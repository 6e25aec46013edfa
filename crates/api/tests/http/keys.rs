//! A12. A rotation of the signing key, in the steps of docs/operations.md.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use rekey_core::{clients::ClientKind, clock::Clock};
use reqwest::Client;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use tokio::sync::RwLock;

use crate::{
    app::{Answer, TestApp, TestClient, new_signing_key, signing_key},
    clock::TestClock,
};

const EMAIL: &str = "john@example.com";
const PASSWORD: &str = "the first password";
/// What every client may read.
const ORGANIZATION: &str = "/api/organization";
/// How long clients keep the key set.
const CACHED: Duration = Duration::minutes(5);
/// The longest time of an access token, that of a sales channel.
const LONGEST: Duration = Duration::seconds(14_400);

/// Two processes behind a load balancer, and a storefront that calls them.
struct Fleet {
    /// All that were started; replaced ones get no more calls.
    started: Vec<TestApp>,
    storefront: Arc<Storefront>,
}

struct Storefront {
    processes: Mutex<[SocketAddr; 2]>,
    http: Client,
    client: TestClient,
    customer: String,
    clock: Arc<TestClock>,
    /// Locked for writing while the clock is moved, so that no round is in progress then.
    time: RwLock<()>,
    rounds: AtomicUsize,
    stop: AtomicBool,
}

impl Fleet {
    /// Starts two processes with the first key.
    async fn start() -> Self {
        let app = TestApp::start_with(&[("limits.sales_channel_per_minute", "0")], Vec::new()).await;
        let storefront = Arc::new(Storefront {
            processes: Mutex::new([app.address; 2]),
            http: app.http.clone(),
            client: app.client(ClientKind::SalesChannel, false).await,
            customer: app.customer(EMAIL, PASSWORD).await.id().to_owned(),
            clock: app.clock.clone(),
            time: RwLock::default(),
            rounds: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        });
        let mut fleet = Self { started: vec![app], storefront };
        fleet.roll_out(&[signing_key()]).await;
        fleet
    }

    /// Replaces one process after the other by one with these keys, while the storefront calls.
    async fn roll_out(&mut self, keys: &[&str]) {
        for place in 0..2 {
            let process = with_keys(&self.started[0], keys);
            self.storefront.processes.lock().unwrap()[place] = process.address;
            self.started.push(process);
            self.storefront.finish_rounds(2).await;
        }
    }

    async fn pass(&self, time: Duration) {
        let _no_call = self.storefront.time.write().await;
        self.storefront.clock.forward(time);
    }

    fn running(&self) -> &[TestApp] {
        &self.started[self.started.len() - 2..]
    }

    async fn assert_valid(&self, tokens: &[String]) {
        for process in self.running() {
            for token in tokens {
                assert_eq!(process.get(ORGANIZATION, token).await.status, 200);
            }
        }
    }

    /// Returns new tokens of an integration and a guest, from both processes.
    async fn tokens(&self) -> Vec<String> {
        let mut tokens = Vec::new();
        for process in self.running() {
            tokens.push(process.integration().await);
            tokens.push(process.guest(true).await);
        }
        tokens
    }
}

fn with_keys(app: &TestApp, keys: &[&str]) -> TestApp {
    let unlimited = ("limits.sales_channel_per_minute", "0");
    app.replica_with(&[("auth.signing_keys", &keys.concat()), unlimited])
}

impl Storefront {
    /// Waits until that many rounds of calls have ended, if calls are being made.
    async fn finish_rounds(&self, count: usize) {
        let start = self.rounds.load(Ordering::SeqCst);
        while start > 0 && self.rounds.load(Ordering::SeqCst) < start + count {
            assert!(!self.stop.load(Ordering::SeqCst), "a call failed");
            tokio::task::yield_now().await;
        }
    }

    /// Refreshes a session at each process, uses the access tokens at each process, and verifies them with a key set that is kept as long
    /// as it may be, until it is stopped.
    async fn call(&self) {
        let _stopped = StopOnDrop(&self.stop);
        let first = self.processes.lock().unwrap()[0];
        let grant = json!({
            "grant_type": "password", "client_id": self.client.id, "username": EMAIL, "password": PASSWORD,
        });
        let mut session = self.grant(first, &grant).await;
        let mut kept: Option<(JwkSet, OffsetDateTime)> = None;
        while !self.stop.load(Ordering::SeqCst) {
            let _time_stops = self.time.read().await;
            let processes = *self.processes.lock().unwrap();
            for process in processes {
                let refresh = json!({
                    "grant_type": "refresh_token", "client_id": self.client.id,
                    "refresh_token": session.text_of("refresh_token"),
                });
                session = self.grant(process, &refresh).await;
                let token = session.text_of("access_token");
                for process in processes {
                    let url = format!("http://{process}/api/customers/{}", self.customer);
                    let own = self.http.get(url).bearer_auth(token).send().await.unwrap();
                    assert_eq!(own.status(), 200);
                }
                let now = self.clock.now();
                let keys = match kept.take() {
                    Some((keys, since)) if now - since < CACHED => (keys, since),
                    _ => (key_set(&self.http, process).await, now),
                };
                assert!(verifies(&keys.0, token));
                kept = Some(keys);
            }
            self.rounds.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn grant(&self, process: SocketAddr, grant: &Value) -> Answer {
        let url = format!("http://{process}/oauth/token");
        let answer = Answer::read(self.http.post(url).json(grant).send().await.unwrap()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }
}

/// Ends the wait of [`Storefront::finish_rounds`] when a call fails.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

async fn key_set(http: &Client, process: SocketAddr) -> JwkSet {
    let url = format!("http://{process}/.well-known/jwks.json");
    let answer = http.get(url).send().await.unwrap();
    assert_eq!(answer.headers()["cache-control"], format!("public, max-age={}", CACHED.whole_seconds()));
    answer.json().await.unwrap()
}

fn kid(token: &str) -> String {
    decode_header(token).unwrap().kid.unwrap()
}

/// Whether a client accepts the token, by the key that it names.
fn verifies(keys: &JwkSet, token: &str) -> bool {
    let mut validation = Validation::new(Algorithm::RS512);
    validation.validate_exp = false;
    validation.validate_aud = false;
    let key = keys.find(&kid(token)).map(|jwk| DecodingKey::from_jwk(jwk).unwrap());
    key.is_some_and(|key| decode::<Value>(token, &key, &validation).is_ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_a_key_is_rotated_while_clients_call() {
    let (old, new) = (signing_key(), new_signing_key(2048));
    let mut fleet = Fleet::start().await;
    let storefront = fleet.storefront.clone();
    let calls = tokio::spawn(async move { storefront.call().await });
    while fleet.storefront.rounds.load(Ordering::SeqCst) == 0 {
        assert!(!calls.is_finished());
        tokio::task::yield_now().await;
    }
    let before = fleet.tokens().await;

    // Publish.
    fleet.roll_out(&[old, &new]).await;
    fleet.assert_valid(&before).await;
    let published = fleet.tokens().await;
    assert_eq!(kid(&published[0]), kid(&before[0]), "the first key signs");
    fleet.pass(CACHED).await;

    // Sign.
    fleet.roll_out(&[&new, old]).await;
    let signed = fleet.tokens().await;
    assert_ne!(kid(&signed[0]), kid(&before[0]));
    for tokens in [&before, &published, &signed] {
        fleet.assert_valid(tokens).await;
    }
    for process in fleet.running() {
        let keys = key_set(&process.http, process.address).await;
        let kids: Vec<_> = keys.keys.iter().map(|key| key.common.key_id.clone().unwrap()).collect();
        assert_eq!(kids, [kid(&signed[0]), kid(&before[0])]);
        assert!(before.iter().chain(&signed).all(|token| verifies(&keys, token)));
    }

    // Too early, a process without the old key refuses its tokens, which others remember.
    let early = with_keys(&fleet.started[0], &[&new]);
    for token in before.iter().chain(&published) {
        early.get(ORGANIZATION, token).await.assert_error(401, "INVALID_TOKEN", None);
    }
    assert!(!verifies(&key_set(&early.http, early.address).await, &before[0]));
    assert_eq!(early.get(ORGANIZATION, &signed[0]).await.status, 200);
    fleet.pass(LONGEST + CACHED).await;

    // Retire.
    fleet.roll_out(&[&new]).await;
    let after = fleet.tokens().await;
    assert_eq!(kid(&after[0]), kid(&signed[0]));
    fleet.assert_valid(&after).await;
    for process in fleet.running() {
        assert_eq!(key_set(&process.http, process.address).await.keys.len(), 1);
    }
    fleet.storefront.stop.store(true, Ordering::SeqCst);
    calls.await.unwrap();
}
