//! A running API for tests.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use async_trait::async_trait;
use rekey_api::{Application, Config, Services};
use rekey_core::{
    clients::{ClientKind, ClientPermissions, ClientStore, RegisteredClient},
    error::StoreError,
    events::{Event, EventBody, audit::Action, outbox::Outbox, relay_queue::RelayQueue},
    limits::{RateLimits, WindowCounts},
    organizations::PerOrganization,
    passwords::Hasher,
    random::{OsRandom, RandomSource},
    scope::{Mode, Scope},
    secrets::KeyRing,
};
use rekey_runtime::{
    config::{Configuration, DevSettings, OrganizationSettings, Source},
    health::Check,
};
use rekey_store_sqlite::SqliteStore;
use rekey_testkit::seed;
use reqwest::{Client, Method};
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, LineEnding},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use crate::answer::Answer;
use crate::clock::TestClock;

/// How long a request waits for the database: a hundred others may wait before it, on a slow disk.
const TIMEOUT: std::time::Duration = std::time::Duration::from_mins(1);

pub const PUBLIC_URL: &str = "https://shop.test";
pub const MEDIA_TYPE: &str = "application/vnd.api+json";
pub const RESETS: &str = "/api/customer_password_resets";

/// A running API on an empty SQLite store, with one organization.
pub struct TestApp {
    pub address: SocketAddr,
    pub store: SqliteStore,
    /// Counts how often the rate limits have asked the store.
    pub counts: Arc<Counts>,
    pub hashing_fault: Arc<HashingFault>,
    settings: Arc<Settings>,
    pub clock: Arc<TestClock>,
    pub scope: Scope,
    pub http: Client,
    pub stop: CancellationToken,
    pub server: JoinHandle<std::io::Result<()>>,
    _stop: DropGuard,
    pub folder: Arc<TempDir>,
}

/// The settings that a test runs with.
struct Settings {
    dev: DevSettings,
    organizations: PerOrganization<OrganizationSettings>,
}

/// A registered client, and its secret if it has one.
pub struct TestClient {
    pub id: String,
    pub secret: Option<String>,
}

impl TestApp {
    pub async fn start() -> Self {
        Self::start_with(&[], Vec::new()).await
    }

    /// Starts with other settings, and more readiness checks.
    pub async fn start_with(settings: &[(&str, &str)], checks: Vec<Check>) -> Self {
        rekey_runtime::install_crypto();
        let settings = load(settings);
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::default());
        let file = folder.path().join("rekey.db");
        let store = SqliteStore::open_with_timeout(&file, clock.clone(), TIMEOUT).unwrap();
        store.migrate().await.unwrap();
        let scope = seed::scope(&store, "demo").await;
        Self::serve(Arc::new(settings), checks, store, clock, scope, Arc::new(folder))
    }

    /// Starts another process on the same store, with the same settings.
    pub fn replica(&self) -> Self {
        let Self { settings, store, clock, scope, folder, .. } = self;
        Self::serve(settings.clone(), Vec::new(), store.clone(), clock.clone(), *scope, folder.clone())
    }

    /// Starts another process on the same store, with other settings.
    pub fn replica_with(&self, settings: &[(&str, &str)]) -> Self {
        let Self { store, clock, scope, folder, .. } = self;
        Self::serve(
            Arc::new(load(settings)),
            Vec::new(),
            store.clone(),
            clock.clone(),
            *scope,
            folder.clone(),
        )
    }

    fn serve(
        settings: Arc<Settings>,
        checks: Vec<Check>,
        store: SqliteStore,
        clock: Arc<TestClock>,
        scope: Scope,
        folder: Arc<TempDir>,
    ) -> Self {
        let counts = Arc::new(Counts { store: store.clone(), asked: AtomicU32::new(0) });
        let stop = CancellationToken::new();
        let hashing_fault = Arc::new(HashingFault::default());
        let (limits, random) = (counts.clone(), hashing_fault.clone());
        let application = build(&settings, &store, limits, random, clock.clone(), checks, stop.clone());
        let address = application.address();
        let server = tokio::spawn(application.run_until_stopped());
        let http = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self {
            address,
            store,
            counts,
            hashing_fault,
            settings,
            clock,
            scope,
            http,
            server,
            stop: stop.clone(),
            folder,
            _stop: stop.drop_guard(),
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn client(&self, kind: ClientKind, self_service: bool) -> TestClient {
        self.client_in(self.scope, kind, self_service).await
    }

    pub async fn client_in(&self, scope: Scope, kind: ClientKind, self_service: bool) -> TestClient {
        let (client, secret) = seed::api_client(&self.store, scope, kind, self_service).await;
        TestClient { id: client.client_id, secret: client.secret.map(|_| secret.expose().to_owned()) }
    }

    /// Registers a sales channel with those permissions.
    pub async fn client_with(&self, permissions: ClientPermissions) -> TestClient {
        let (client, _) =
            seed::api_client_with(&self.store, self.scope, ClientKind::SalesChannel, permissions).await;
        TestClient { id: client.client_id, secret: None }
    }

    /// Returns the access token of a new integration.
    pub async fn integration(&self) -> String {
        self.access_token(&self.client(ClientKind::Integration, false).await).await
    }

    /// Returns the access token of a guest of a new sales channel.
    pub async fn guest(&self, self_service: bool) -> String {
        self.access_token(&self.client(ClientKind::SalesChannel, self_service).await).await
    }

    pub async fn access_token(&self, client: &TestClient) -> String {
        let grant = json!({ "grant_type": "client_credentials", "client_id": client.id, "client_secret": client.secret });
        let answer = self.oauth(&grant).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn log_in(&self, client: &TestClient, email: &str, password: &str) -> Answer {
        self.oauth(&json!({ "grant_type": "password", "client_id": client.id, "username": email, "password": password })).await
    }

    pub async fn oauth(&self, grant: &Value) -> Answer {
        Answer::read(self.http.post(self.url("/oauth/token")).json(grant).send().await.unwrap()).await
    }

    pub async fn revoke(&self, body: &Value) -> Answer {
        Answer::read(self.http.post(self.url("/oauth/revoke")).json(body).send().await.unwrap()).await
    }

    /// Sends a request under `/api`, with a JSON:API body if there is one.
    pub async fn call(&self, method: Method, path: &str, token: &str, body: Option<&Value>) -> Answer {
        let mut request = self.http.request(method, self.url(path)).bearer_auth(token);
        if let Some(body) = body {
            request = request.header("content-type", MEDIA_TYPE).body(body.to_string());
        }
        Answer::read(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.call(Method::GET, path, token, None).await
    }

    pub async fn create(&self, kind: &str, token: &str, attributes: Value) -> Answer {
        let body = json!({ "data": { "type": kind, "attributes": attributes, "relationships": {} } });
        self.call(Method::POST, &format!("/api/{kind}"), token, Some(&body)).await
    }

    /// Creates a reset for that address.
    pub async fn ask(&self, token: &str, email: &str) -> Answer {
        self.create("customer_password_resets", token, json!({ "customer_email": email })).await
    }

    pub async fn patch(&self, token: &str, id: &str, attributes: Value) -> Answer {
        let body = json!({ "data": { "type": "customer_password_resets", "id": id, "attributes": attributes, "relationships": {} } });
        self.call(Method::PATCH, &format!("{RESETS}/{id}"), token, Some(&body)).await
    }

    /// Revokes a client.
    pub async fn revoke_client(&self, client: &TestClient) {
        let RegisteredClient { scope, id, .. } = self.registered(client).await;
        assert!(
            self.store.revoke_api_client(scope, id, &seed::operator_audit(Action::Revoke)).await.unwrap()
        );
    }

    pub async fn registered(&self, client: &TestClient) -> RegisteredClient {
        self.store.find_api_client(&client.id).await.unwrap().unwrap()
    }

    /// Returns the short code in the mail for this reset, if it has one.
    pub async fn code(&self, reset: &str) -> Option<String> {
        let keys = &self.settings.dev.keys.sealing;
        let waiting = self.store.claim_messages(Duration::ZERO, 100).await.unwrap();
        let of_reset = waiting.iter().find_map(|claimed| {
            match Event::verify(&claimed.message.payload, keys).unwrap().body {
                EventBody::ResetCreated(created) if created.reset.as_str() == reset => Some(created),
                _ => None,
            }
        });
        let created = of_reset.unwrap();
        let code = created.code?.unseal(self.scope.organization, created.reset, keys).unwrap();
        Some(code.expose().to_string())
    }

    /// Returns the keys that encrypt what is stored.
    pub fn keys(&self) -> KeyRing {
        self.settings.dev.keys.sealing.clone()
    }

    /// Returns the bodies of the events that wait to be published, oldest first.
    pub async fn events(&self) -> Vec<Event> {
        let keys = &self.settings.dev.keys.sealing;
        let waiting = self.store.claim_messages(Duration::ZERO, 100).await.unwrap();
        waiting.iter().map(|claimed| Event::verify(&claimed.message.payload, keys).unwrap()).collect()
    }

    /// Returns the link of the mail about the last change of an address, and where that mail goes.
    pub async fn undo_link(&self) -> (String, String) {
        let keys = &self.settings.dev.keys.sealing;
        let events = self.events().await;
        let found = events.iter().rev().find_map(|event| match &event.body {
            EventBody::CustomerEmailChanged(changed) => Some((event, changed)),
            _ => None,
        });
        let (event, changed) = found.unwrap();
        let token = changed.token.unseal(self.scope.organization, changed.change, keys).unwrap();
        let link = format!("/restore-email?id={}&token={}", changed.change, token.expose());
        (link, event.recipient(keys).unwrap().unwrap().to_string())
    }

    /// Changes a customer.
    pub async fn change(&self, token: &str, customer: &str, attributes: Value) -> Answer {
        let body = json!({ "data": { "type": "customers", "id": customer, "attributes": attributes } });
        self.call(Method::PATCH, &format!("/api/customers/{customer}"), token, Some(&body)).await
    }

    /// Creates a customer with that password.
    pub async fn customer(&self, email: &str, password: &str) -> Answer {
        let integration = self.integration().await;
        let answer =
            self.create("customers", &integration, json!({ "email": email, "password": password })).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer
    }
}

/// Counts in the store without a time limit, and counts how often that happens.
pub struct Counts {
    store: SqliteStore,
    pub asked: AtomicU32,
}

#[async_trait]
impl RateLimits for Counts {
    async fn count_hits(&self, window: &str, hits: &[i64]) -> Result<WindowCounts, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.store.count_hits(window, hits).await
    }

    async fn sweep_hits(&self) -> Result<u64, StoreError> {
        self.store.sweep_hits().await
    }
}

/// The operating system's random numbers, with a fault where a hashing thread asks for a salt.
#[derive(Default)]
pub struct HashingFault(pub Mutex<Option<Arc<dyn Fn() + Send + Sync>>>);

impl RandomSource for HashingFault {
    fn fill(&self, buffer: &mut [u8]) {
        let is_hashing = thread::current().name().is_some_and(|name| name.starts_with("argon2-"));
        let fault = if is_hashing { self.0.lock().unwrap().clone() } else { None };
        if let Some(fault) = fault {
            fault();
        }
        OsRandom.fill(buffer);
    }
}

fn build(
    Settings { dev: settings, organizations }: &Settings,
    store: &SqliteStore,
    rate_limits: Arc<dyn RateLimits>,
    random: Arc<dyn RandomSource>,
    clock: Arc<TestClock>,
    checks: Vec<Check>,
    stop: CancellationToken,
) -> Application {
    let services = Services {
        database: Arc::new(store.clone()),
        rate_limits,
        keys: settings.keys.sealing.clone(),
        hasher: Hasher::start(settings.passwords.hasher, random.clone()).unwrap(),
        relay_queue: RelayQueue::without_relay(),
        clock,
        random,
        checks,
    };
    let DevSettings { server, auth, limits, retention, .. } = settings;
    let anonymization_delay = retention.anonymization_delay;
    let config = Config { server, auth, limits, anonymization_delay, organizations };
    Application::build(config, services, |_| {}, stop).unwrap()
}

/// The other mode of the same organization.
pub fn other_mode(scope: Scope) -> Scope {
    Scope { mode: Mode::Live, ..scope }
}

fn load(overrides: &[(&str, &str)]) -> Settings {
    let source = Source::default()
        .preset("server.public_url", PUBLIC_URL)
        .preset("server.listen", "127.0.0.1:0")
        .preset("server.shutdown_seconds", "1")
        .preset("auth.signing_key", signing_key())
        .preset("keys.sealing", "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        .preset("mail.from", "shop@example.com")
        // A used refresh token ends its session at once, so that tests need not wait.
        .preset("auth.refresh_leeway_seconds", "0")
        // Tests request resets one right after the other.
        .preset("resets.self_service_cooldown_seconds", "0")
        // Only tests of limits reach one.
        .preset("limits.token_per_minute", "1000000")
        .preset("limits.live_per_minute", "1000000")
        .preset("limits.test_per_minute", "1000000")
        .preset("limits.page_per_minute", "1000000")
        // The cheapest that OWASP allows in memory, so that many tests run side by side.
        .preset("passwords.argon2_memory_kib", "7168")
        .preset("passwords.argon2_iterations", "5");
    let source = overrides.iter().fold(source, |source, (key, value)| source.overriding(key, *value));
    let configuration = Configuration::load(&source).unwrap();
    Settings {
        dev: configuration.settings().unwrap(),
        organizations: configuration.organization_settings().unwrap(),
    }
}

/// One key for all tests: making one takes a second.
pub fn signing_key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| new_signing_key(2048))
}

pub fn new_signing_key(bits: usize) -> String {
    let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits).unwrap();
    key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
}
