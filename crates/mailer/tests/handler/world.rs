//! The fixture of each test.

use std::sync::{Arc, Mutex};

use rekey_core::{
    clock::{Clock, SystemClock},
    deliveries::ledger::Ledger,
    events::{
        bus::{Capacity, Delivery, Handler, Verdict},
        outbox::{Outbox, OutboxMessage},
    },
    organizations::PerOrganization,
    random::{OsRandom, RandomSource},
    scope::{Mode, Scope},
};
use rekey_mailer::{
    MailHandler, Mailer,
    dkim::Signer,
    transport::{Mailbox, Router, SmtpTransport, StoredMail, Transport},
};
use rekey_runtime::config::{
    Configuration, MailerSettings, OrganizationMailSettings, Smtp, SmtpRelayConfig, SmtpTls, Source,
};
use rekey_store_sqlite::SqliteStore;
use rekey_testkit::{
    backdoor::{Backdoor, SqliteBackdoor},
    seed,
};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

/// How long the claims of these tests' mailers hold.
pub const LEASE: Duration = Duration::minutes(10);
/// The pause after an attempt that could not be made.
pub const PAUSE: Duration = Duration::seconds(10);

/// How long a call waits for the database, even on a slow disk.
const TIMEOUT: std::time::Duration = std::time::Duration::from_mins(1);

/// A store, a mailbox and a relay.
pub struct World {
    pub store: SqliteStore,
    /// The database's clock.
    pub clock: Arc<MovedClock>,
    /// The clock of the mailers' machine.
    pub mailer_clock: Arc<MovedClock>,
    pub mailbox: Mailbox,
    /// One scope in each mode, of one organization.
    pub test: Scope,
    pub live: Scope,
    folder: TempDir,
}

/// The machine's clock, and how far the test has moved it.
#[derive(Default)]
pub struct MovedClock(Mutex<Duration>);

impl MovedClock {
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for MovedClock {
    fn now(&self) -> OffsetDateTime {
        SystemClock.now() + *self.0.lock().unwrap()
    }
}

impl World {
    pub async fn new() -> Self {
        rekey_runtime::install_crypto();
        let folder = TempDir::new().unwrap();
        let clock = Arc::new(MovedClock::default());
        let file = folder.path().join("store.db");
        let store = SqliteStore::open_with_timeout(&file, clock.clone(), TIMEOUT).unwrap();
        store.migrate().await.unwrap();
        let test = seed::scope(&store, "acme").await;
        let live = Scope { mode: Mode::Live, ..test };
        let mailbox = Mailbox::open(&folder.path().join("mailbox")).unwrap();
        Self { store, clock, mailer_clock: Arc::default(), mailbox, test, live, folder }
    }

    /// Makes a mailer whose live mails go to a relay on this port of this machine; nobody listens on port 1.
    pub fn mailer(&self, port: u16) -> Arc<MailHandler> {
        self.mailer_with(&[port], Some(self.mailbox.clone()))
    }

    /// Makes a mailer with relays on these ports.
    pub fn mailer_through(&self, ports: &[u16]) -> Arc<MailHandler> {
        self.mailer_with(ports, Some(self.mailbox.clone()))
    }

    /// Makes a mailer with the local mailbox for live mails, and with this ledger instead of the store's.
    pub fn mailer_on(&self, ledger: Arc<dyn Ledger>) -> Arc<MailHandler> {
        self.build(ledger, Arc::new(self.mailbox.clone()), None)
    }

    pub fn mailer_with(&self, ports: &[u16], mailbox: Option<Mailbox>) -> Arc<MailHandler> {
        let settings: MailerSettings = configuration().settings().unwrap();
        let relay =
            |&port| SmtpRelayConfig { host: "127.0.0.1".to_owned(), port, tls: SmtpTls::None, login: None };
        let relays = ports.iter().map(relay).collect();
        let random: Arc<dyn RandomSource> = Arc::new(OsRandom);
        let smtp = SmtpTransport::new(&Smtp { relays, ..settings.smtp }, &random).unwrap();
        self.build(Arc::new(self.store.clone()), Arc::new(smtp), mailbox)
    }

    fn build(
        &self,
        ledger: Arc<dyn Ledger>,
        live: Arc<dyn Transport>,
        mailbox: Option<Mailbox>,
    ) -> Arc<MailHandler> {
        let settings: MailerSettings = configuration().settings().unwrap();
        let organizations = organizations();
        Mailer {
            ledger,
            router: Router { live, test: mailbox.map(|mailbox| Arc::new(mailbox) as Arc<dyn Transport>) },
            keys: seed::keys(),
            clock: self.mailer_clock.clone(),
            random: Arc::new(OsRandom),
            signers: organizations.try_map(|own| Signer::new(&own.dkim)).unwrap(),
            organizations,
            provider_headers: Vec::new(),
            public_url: settings.server.public_url,
            lease: LEASE.unsigned_abs(),
        }
        .build()
        .unwrap()
    }

    /// Returns the events in the outbox, without those about customers.
    pub async fn events(&self) -> Vec<OutboxMessage> {
        let claimed = self.store.claim_messages(Duration::minutes(1), 100).await.unwrap();
        let messages = claimed.into_iter().map(|claimed| claimed.message);
        messages.filter(|message| !message.name.as_str().starts_with("customers.")).collect()
    }

    pub fn mails(&self) -> Vec<StoredMail> {
        self.mailbox.list().unwrap()
    }

    /// Returns the status of the oldest delivery and its reason.
    pub async fn delivery(&self) -> Option<String> {
        let query = "SELECT status || ': ' || COALESCE(detail, '') FROM deliveries
                     WHERE attempts > 0 OR detail IS NOT NULL ORDER BY created_at, event_id LIMIT 1";
        self.backdoor().text(query).await
    }

    /// Returns the reply that is recorded with that delivery.
    pub async fn reply(&self) -> Option<String> {
        let query =
            "SELECT smtp_code || ' ' || smtp_enhanced_code FROM deliveries WHERE smtp_code IS NOT NULL";
        self.backdoor().text(query).await
    }

    /// Returns the number of mails that were attempted.
    pub async fn deliveries(&self) -> u64 {
        self.backdoor().count("deliveries", "attempts > 0 OR detail IS NOT NULL").await
    }

    /// Returns the number of mails that may have been sent twice.
    pub async fn in_doubt(&self) -> u64 {
        self.backdoor().count("deliveries", "in_doubt = 1").await
    }

    pub fn backdoor(&self) -> SqliteBackdoor {
        SqliteBackdoor::open(&self.folder.path().join("store.db"))
    }
}

/// Advances the timers' clock at once. Before and after, it runs in real time, since connections need it.
pub async fn pass(time: std::time::Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Lets time pass, as much as a relay is paused at most, until the mailer can take messages.
pub async fn recover(mailer: &MailHandler) {
    while mailer.capacity() == Capacity::None {
        pass(std::time::Duration::from_mins(15)).await;
        // The relay is checked in the background.
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Waits until a relay that refuses mails may be tried by one again.
pub async fn next_trial() {
    // The pause begins and ends in the background.
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    pass(std::time::Duration::from_mins(1)).await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
}

/// Hands a message to the handler as a bus does.
pub async fn handle(mailer: &MailHandler, message: &OutboxMessage) -> Verdict {
    mailer.handle(Delivery { id: Some(message.id), payload: message.payload.clone(), attempt: 1 }).await
}

/// Returns how long a verdict says to wait.
pub fn wait(verdict: &Verdict) -> Duration {
    match verdict {
        Verdict::Retry { after, .. } => *after,
        other => panic!("{other:?}"),
    }
}

/// Returns why a verdict rejects the message.
pub fn rejection(verdict: Verdict) -> String {
    match verdict {
        Verdict::Reject { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

/// The settings of all organizations.
pub fn organizations() -> PerOrganization<OrganizationMailSettings> {
    configuration().organization_mail_settings().unwrap()
}

fn configuration() -> Configuration {
    let pairs = [
        ("SERVER__PUBLIC_URL", "https://rekey.example.com"),
        // Not the key of the tests' events, which comes from the seed.
        ("KEYS__SEALING", "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ("DATABASE__URL", "postgres://localhost/rekey"),
        ("BROKER__URL", "amqp://localhost"),
        ("MAIL__FROM", "Acme <shop@example.com>"),
        ("SMTP__RELAYS", "smtp://127.0.0.1?tls=none"),
        ("SMTP__TIMEOUT_SECONDS", "60"),
    ];
    let environment = pairs.map(|(name, value)| (format!("REKEY__{name}"), value.to_owned()));
    Configuration::load(&Source::from_environment(environment)).unwrap()
}
