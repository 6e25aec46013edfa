//! `rekey-mailer` as a process, with PostgreSQL (as the role that may only mail), RabbitMQ and an SMTP server.
#![expect(clippy::unwrap_used, reason = "a failed test panics")]

use std::{
    collections::BTreeSet,
    process::{Child, Command},
    sync::Arc,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rekey_broker::rabbitmq::{RabbitBus, RabbitConfig};
use rekey_core::{
    clock::SystemClock,
    events::{
        bus::Bus,
        outbox::{Outbox, Settlement},
    },
    ids::EventId,
    random::OsRandom,
    resets::ResetOrigin,
    scope::{Mode, Scope},
};
use rekey_store_postgres::PostgresStore;
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor},
    postgres::TestDatabase,
    seed,
    smtp::RealSmtp,
};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

const MAILS: usize = 60;
/// How long a test waits for something that must happen.
const TIMEOUT: Duration = Duration::from_mins(3);

#[tokio::test]
async fn a_mailer_that_is_stopped_finishes_what_it_has_started_and_the_next_one_sends_the_rest() {
    let database = TestDatabase::create().await;
    let store = PostgresStore::connect(&database.url(), 4, TIMEOUT).unwrap();
    database.create_roles().await;
    let backdoor = PostgresBackdoor::open(&database.url());
    store.migrate().await.unwrap();
    // Slow enough that it can't finish before it is stopped; the next one has another server.
    let (slow, quick) = (RealSmtp::start(&["--delay-ms", "1000"]), RealSmtp::start(&[]));
    let namespace = format!("rekey-test-{}", EventId::generate(&OsRandom)).to_ascii_lowercase();
    let start = |relay: &RealSmtp| Mailer::start(&database.url_as("rekey_mailer"), &namespace, relay.port);

    let first = start(&slow);
    first.ready().await;
    publish(&store, &namespace).await;
    until(|| slow.mails().len() >= 5).await;
    first.stop().await;
    let sent = slow.mails().len();
    assert!(sent < MAILS, "it was stopped at work");
    let unsettled =
        backdoor.count("deliveries", "lease_until IS NOT NULL OR status <> 'sent' AND attempts > 0").await;
    assert_eq!((backdoor.count("deliveries", "status = 'sent'").await, unsettled), (sent as u64, 0));

    let second = start(&quick);
    until(|| sent + quick.mails().len() >= MAILS).await;
    second.stop().await;
    let logs = [slow.log(), quick.log()].concat();
    let ids: BTreeSet<_> = logs.iter().map(|entry| entry["message_id"].to_string()).collect();
    assert_eq!((logs.len(), ids.len()), (MAILS, MAILS), "each mail once");
}

#[tokio::test]
async fn a_mailer_without_its_servers_lives_and_is_not_ready() {
    let mailer = Mailer::start("postgres://nobody@127.0.0.1:1/none", "rekey", 1);
    until_async(|| async { mailer.answer("livez").await == Some(200) }).await;
    assert_eq!(mailer.answer("readyz").await, Some(503));
    mailer.stop().await;
}

/// Publishes the events of that many live resets, as the relay would.
async fn publish(store: &PostgresStore, namespace: &str) {
    let scope = Scope { mode: Mode::Live, ..seed::scope(store, "acme").await };
    seed::customer(store, scope, "john@example.com", None).await;
    for _ in 0..MAILS {
        seed::reset(store, scope, "john@example.com", ResetOrigin::Integration).await;
    }
    let config = RabbitConfig::new([&*variable("AMQP_URL")], namespace).unwrap();
    let bus = Arc::new(RabbitBus::new(config, Arc::new(SystemClock), Arc::new(OsRandom)));
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (bus, stop) = (Arc::clone(&bus), stop.clone());
        async move { bus.run(stop).await }
    });
    until(|| bus.is_connected()).await;
    for message in store.claim_messages(time::Duration::minutes(1), 100).await.unwrap() {
        let settlement = bus.publish(message).await;
        assert!(matches!(settlement, Settlement::Published(_)), "{settlement:?}");
    }
    stop.cancel();
    running.await.unwrap();
}

/// A running `rekey-mailer`.
struct Mailer {
    process: Child,
    port: u16,
}

impl Mailer {
    fn start(database: &str, namespace: &str, smtp: u16) -> Self {
        let port = free_port();
        // The seed's key.
        let key = STANDARD.encode(std::array::from_fn::<u8, 32, _>(|i| u8::try_from(i).unwrap() ^ 0xa5));
        let process = Command::new(env!("CARGO_BIN_EXE_rekey-mailer"))
            .env_clear()
            .env("REKEY__SERVER__PUBLIC_URL", "https://rekey.example.com")
            .env("REKEY__KEYS__SEALING", format!("test:{key}"))
            .env("REKEY__DATABASE__URL", database)
            .env("REKEY__BROKER__URL", variable("AMQP_URL"))
            .env("REKEY__BROKER__NAMESPACE", namespace)
            .env("REKEY__MAIL__FROM", "Acme <shop@example.com>")
            .env("REKEY__SMTP__RELAYS", format!("smtp://127.0.0.1:{smtp}?tls=none"))
            .env("REKEY__ADMIN__LISTEN", format!("127.0.0.1:{port}"))
            .env("REKEY__TELEMETRY__LOG", "warn")
            .spawn()
            .unwrap();
        Self { process, port }
    }

    async fn ready(&self) {
        until_async(|| async { self.answer("readyz").await == Some(200) }).await;
    }

    async fn answer(&self, path: &str) -> Option<u16> {
        rekey_runtime::install_crypto();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = http.get(format!("http://127.0.0.1:{}/{path}", self.port)).send().await;
        answer.ok().map(|answer| answer.status().as_u16())
    }

    /// Sends SIGTERM and waits for a successful exit.
    async fn stop(mut self) {
        let kill = Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        assert!(kill.success());
        until(|| self.process.try_wait().unwrap().is_some()).await;
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Mailer {
    fn drop(&mut self) {
        // Killing fails if the process has already ended, which is fine.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns a port below the kernel's range for outgoing connections, so that none of them takes it meanwhile.
fn free_port() -> u16 {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/free-ports.sh");
    let drawn = Command::new(script).output().unwrap();
    String::from_utf8(drawn.stdout).unwrap().trim().parse().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the environment names the tests' servers")]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests with `make test`"))
}

async fn until(mut condition: impl FnMut() -> bool) {
    until_async(|| std::future::ready(condition())).await;
}

async fn until_async<F: Future<Output = bool>>(mut condition: impl FnMut() -> F) {
    let reached = async {
        while !condition().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(TIMEOUT, reached).await.unwrap();
}
