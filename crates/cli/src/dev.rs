//! `rekey dev`: API, mailer and webhooks in one process, on SQLite, with the mails in a mailbox to read.

mod files;
mod mailbox;
mod mails;
mod page;
mod seed;
mod storefront;
mod webhooks;
mod welcome;

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use actix_web::web::ServiceConfig;
use anyhow::Context;
use clap::Args;
use rekey_api::{Application, BuildError, Config, Services, WithTimeout};
use rekey_broker::local::{Both, LocalBus};
use rekey_core::{
    administration::Administration,
    cleanup::CleanupTask,
    clock::SystemClock,
    customers::service::CustomerService,
    events::{recorder::EventRecorder, relay::OutboxRelay, relay_queue::RelayQueue},
    organizations::PerOrganization,
    passwords::Hasher,
    random::OsRandom,
    resets::rules::SharedRules,
    webhooks::service::WebhookService,
};
use rekey_mailer::{
    MailHandler, Mailer,
    dkim::Signer,
    render::Renderer,
    transport::{Mailbox, Router},
};
use rekey_runtime::{
    config::{Configuration, DevSettings, OrganizationMailSettings, OrganizationSettings, Source},
    lifecycle::{Signals, Tasks},
    telemetry,
};
use rekey_store_sqlite::SqliteStore;
use rekey_texts::{Language, Texts};
use rekey_webhooks::{FanOutHandler, Worker};
use tokio_util::sync::CancellationToken;

use self::{files::DataDir, seed::Demo, webhooks::Receiver};
use crate::output;

/// How long an attempt to send a mail has it to itself.
const LEASE: Duration = Duration::from_mins(1);

/// The arguments of `rekey dev`.
#[derive(Debug, Args)]
pub struct Options {
    /// The folder for the database, the mails, the keys and the demo's credentials.
    #[arg(long, default_value = "./data")]
    data_dir: PathBuf,
    /// The IP address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:8080", value_parser = address)]
    listen: SocketAddr,
}

/// The color of mails and pages: `--accent` of the demo storefront.
const STOREFRONT_COLOR: &str = "#0f766e";

/// Runs until Ctrl-C or SIGTERM.
pub async fn run(options: Options, source: Source) -> anyhow::Result<()> {
    let data = DataDir::open(&options.data_dir)?;
    let configuration = Configuration::load(&with_presets(source, &options, &data)?)?;
    let settings: DevSettings = configuration.settings()?;
    let organizations = configuration.organization_mail_settings()?;
    let _telemetry = telemetry::init(&settings.telemetry, "rekey", None)?;

    let store = SqliteStore::open(&data.path("rekey.db"), Arc::new(SystemClock))?;
    store.migrate().await.context("the database could not be brought up to date")?;
    store.release_leases().await?;
    let mailbox = Mailbox::open(&data.path("mailbox"))?;
    let hasher = Hasher::start(settings.passwords.hasher, Arc::new(OsRandom))?;
    let mut parts = Parts { settings, organizations, store, mailbox, hasher };
    let mut tasks = Tasks::new();

    let demo = parts.seed_demo(&data).await?;
    parts.organizations = parts.organizations.map(|own| with_storefront(own, &demo.storefront));
    let mailer = parts.mailer()?;
    let (fan_out, webhook_worker) = parts.webhooks()?;
    let service = WebhookService { store: Arc::new(parts.store.clone()), fan_out: fan_out.fan_out.clone() };
    let receiver = Receiver::create(&service, demo.scope, &demo.back_office, &origin(options.listen)).await?;
    let relay = parts.relay(mailer.clone(), fan_out)?;
    let (relay_queue, relay_inbox) = RelayQueue::new(relay.bus.clone(), relay.lease);
    let application = parts.application(&tasks, demo.storefront, receiver, relay_queue)?;
    let signals = Signals::listen()?;
    // Requests end before the relay.
    let relay_stop = CancellationToken::new();
    let stop_relay = relay_stop.clone().drop_guard();
    tasks.spawn("relay", async move {
        relay.run(relay_inbox, relay_stop).await;
        anyhow::Ok(())
    });
    let (republisher, stop) = (mailer.clone(), tasks.token());
    tasks.spawn("republishing", async move {
        stop.run_until_cancelled(republisher.run_republishing(|| true)).await;
        anyhow::Ok(())
    });
    let (circuits, stop) = (parts.store.clone(), tasks.token());
    tasks.spawn("circuits", async move {
        mailer.run_circuit_mails(&circuits, stop).await;
        anyhow::Ok(())
    });
    let stop = tasks.token();
    tasks.spawn("webhooks", async move {
        webhook_worker.run(stop).await;
        anyhow::Ok(())
    });
    tasks.spawn("cleanup", parts.cleanup().run_until_stopped(tasks.token()));
    let server = &parts.settings.server;
    tasks.spawn("server", async move {
        let _stop_relay = stop_relay;
        application.run_until_stopped().await
    });
    output::print(&format!("{}\n", welcome::text(server.public_url.as_str(), &options.data_dir)))?;
    let stopped = tasks.run_until_signal(signals, server.shutdown_timeout).await;
    parts.store.close().await;
    Ok(stopped?)
}

/// The parts that API and mailer share.
struct Parts {
    settings: DevSettings,
    organizations: PerOrganization<OrganizationMailSettings>,
    store: SqliteStore,
    mailbox: Mailbox,
    hasher: Hasher,
}

/// Presets the settings that production requires: the data directory's keys, and addresses of this machine.
fn with_presets(source: Source, options: &Options, data: &DataDir) -> anyhow::Result<Source> {
    let origin = origin(options.listen);
    Ok(source
        .preset("server.public_url", origin.clone())
        .preset("auth.signing_key", data.signing_key()?.as_str())
        .preset("keys.sealing", data.sealing_keys()?.as_str())
        .preset("mail.from", "Demo Shop <no-reply@demo.example>")
        .preset("pages.login_url", format!("{origin}/"))
        .preset("brand.color", STOREFRONT_COLOR)
        // Receivers that are tried out are on this machine.
        .preset("webhooks.allowed_networks", "127.0.0.0/8,::1")
        .preset("telemetry.log", "warn")
        .preset("telemetry.log_format", "text")
        .overriding("server.listen", options.listen.to_string()))
}

/// The origin for a browser on this machine. An unspecified address such as 0.0.0.0 is replaced by the loopback address.
fn origin(mut listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() {
        listen.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{listen}")
}

impl Parts {
    /// The mailer, which puts every mail, live or test, into the mailbox.
    fn mailer(&self) -> anyhow::Result<Arc<MailHandler>> {
        let mailbox = Arc::new(self.mailbox.clone());
        let mailer = Mailer {
            ledger: Arc::new(self.store.clone()),
            router: Router { live: mailbox.clone(), test: Some(mailbox) },
            keys: self.settings.keys.sealing.clone(),
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
            signers: self.organizations.try_map(|own| Signer::new(&own.dkim))?,
            organizations: self.organizations.clone(),
            provider_headers: Vec::new(),
            public_url: self.settings.server.public_url.clone(),
            lease: LEASE,
        };
        Ok(mailer.build()?)
    }

    /// What records the events for webhooks, and what sends them.
    fn webhooks(&self) -> anyhow::Result<(Arc<FanOutHandler>, Arc<Worker>)> {
        let DevSettings { webhooks, keys, .. } = &self.settings;
        let (store, clock) = (Arc::new(self.store.clone()), Arc::new(SystemClock));
        let made = rekey_webhooks::webhooks(
            store,
            webhooks.clone(),
            keys.sealing.clone(),
            clock,
            Arc::new(OsRandom),
        );
        made.context("can't set up TLS")
    }

    /// The outbox relay to the mailer and to the webhooks.
    fn relay(&self, mailer: Arc<MailHandler>, fan_out: Arc<FanOutHandler>) -> anyhow::Result<OutboxRelay> {
        let settings = &self.settings.outbox_relay;
        let handler = Arc::new(Both { fan_out, mails: mailer });
        Ok(OutboxRelay {
            outbox: Arc::new(self.store.clone()),
            bus: Arc::new(LocalBus::new(handler, self.settings.mailer.concurrency.into())),
            batch: settings.batch_size.into(),
            lease: settings.lease.try_into()?,
            poll: settings.poll_interval,
        })
    }

    fn rules(&self) -> SharedRules {
        OrganizationSettings::shared_rules(&self.organizations.map(|own| own.organization.clone()))
    }

    /// The task that deletes old records.
    fn cleanup(&self) -> CleanupTask {
        CleanupTask {
            store: Arc::new(self.store.clone()),
            rules: self.rules(),
            retention: self.settings.retention.into(),
            random: Arc::new(OsRandom),
            clock: Arc::new(SystemClock),
        }
    }

    /// Creates the demo's records, without its webhooks.
    async fn seed_demo(&self, data: &DataDir) -> anyhow::Result<Demo> {
        let (clock, random) = (Arc::new(SystemClock), Arc::new(OsRandom));
        let store = Arc::new(self.store.clone());
        let administration =
            Administration { store: store.clone(), clock: clock.clone(), random: random.clone() };
        let recorder = EventRecorder {
            keys: self.settings.keys.sealing.clone(),
            clock,
            random,
            relay_queue: RelayQueue::without_relay(),
        };
        let customers = CustomerService {
            store: store.clone(),
            sessions: store.clone(),
            fresh_time: self.settings.auth.fresh_time.try_into()?,
            recorder,
            hasher: self.hasher.clone(),
            rules: self.rules(),
        };
        seed::seed(data, &administration, &customers, &*store).await
    }

    /// The API, with the demo storefront, the mailbox and the receiver of the demo's webhooks.
    fn application(
        &self,
        tasks: &Tasks,
        storefront: String,
        receiver: Option<Arc<Receiver>>,
        relay_queue: RelayQueue,
    ) -> anyhow::Result<Application> {
        let organizations = &self.organizations.map(|own| own.organization.clone());
        let DevSettings { server, auth, limits, keys, .. } = &self.settings;
        let storefront = storefront::Settings::new(&auth.domain, storefront, receiver.is_some());
        let routes = routes(self.mailbox.clone(), organizations, storefront, receiver)?;
        let services = Services {
            database: Arc::new(self.store.clone()),
            rate_limits: Arc::new(WithTimeout::new(Arc::new(self.store.clone()))),
            keys: keys.sealing.clone(),
            hasher: self.hasher.clone(),
            relay_queue,
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
            checks: Vec::new(),
        };
        let anonymization_delay = self.settings.retention.anonymization_delay;
        let config = Config { server, auth, limits, anonymization_delay, organizations };
        Application::build(config, services, routes, tasks.token()).map_err(|error| match error {
            BuildError::Listen(address, cause) if cause.kind() == ErrorKind::AddrInUse => anyhow::anyhow!(
                "another program listens on {address}: choose another port, with `--listen 127.0.0.1:8090` or \
                 `make run ARGS=\"--listen 127.0.0.1:8090\"`"
            ),
            error => error.into(),
        })
    }
}

/// Parses an address to listen on; `localhost` is accepted for 127.0.0.1.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let numeric = text.replacen("localhost:", "127.0.0.1:", 1);
    numeric.parse().map_err(|_| "expected an IP address and a port, such as 127.0.0.1:8090")
}

/// Lets the `/forgot-password` page use the demo's storefront client, unless the configuration names another.
fn with_storefront(settings: &OrganizationMailSettings, client_id: &str) -> OrganizationMailSettings {
    let mut settings = settings.clone();
    settings.organization.pages.client_id.get_or_insert_with(|| client_id.to_owned());
    settings
}

/// The routes next to the API: the demo storefront, the mailbox, samples of the demo shop's mails, and the receiver of its webhooks.
fn routes(
    mailbox: Mailbox,
    organizations: &PerOrganization<OrganizationSettings>,
    settings: storefront::Settings,
    receiver: Option<Arc<Receiver>>,
) -> anyhow::Result<impl Fn(&mut ServiceConfig) + Clone + Send + 'static> {
    let renderer = Renderer::for_organization(
        &Texts::built_in(Language::English)?,
        organizations.get(&seed::SLUG.parse()?),
    )?;
    let mails = mails::routes(renderer, seed::SHOP.to_owned());
    let (mailbox, storefront) = (mailbox::routes(mailbox), storefront::routes(settings));
    let webhooks = webhooks::routes(receiver);
    Ok(move |config: &mut ServiceConfig| {
        storefront(config);
        mailbox(config);
        mails(config);
        webhooks(config);
    })
}
