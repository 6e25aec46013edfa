//! `rekey dev`: API and mailer in one process, on SQLite, with the mails in a mailbox to read.

mod files;
mod mailbox;
mod mails;
mod page;
mod seed;
mod storefront;
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
use rekey_api::{Application, BuildError, Config, Ports, Services};
use rekey_broker::local::LocalBus;
use rekey_core::{
    administration::Administration,
    clock::SystemClock,
    customers::service::CustomerService,
    events::{outbox::RelaySignal, recorder::EventRecorder, relay::Relay},
    organizations::PerOrganization,
    passwords::Hasher,
    random::OsRandom,
};
use rekey_mailer::{
    Mailer,
    dkim::Signer,
    render::Renderer,
    transport::{CircuitBreaker, Mailbox, Router},
};
use rekey_runtime::{
    config::{DevSettings, MailingShop, Shop, Source},
    lifecycle::{Signals, Tasks},
    telemetry,
};
use rekey_store_sqlite::SqliteStore;
use rekey_texts::{Language, Texts};

use self::files::DataDir;

/// The time after which a mail that was being sent when the process was killed is sent again.
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
    let mut settings = DevSettings::load(&configured(source, &options, &data)?)?;
    let _telemetry = telemetry::init(&settings.telemetry, "rekey")?;

    let store = SqliteStore::open(&data.path("rekey.db"), Arc::new(SystemClock))?;
    store.migrate().await.context("the database could not be brought up to date")?;
    let mailbox = Mailbox::open(&data.path("mailbox"))?;
    let signal = RelaySignal::default();
    let tasks = Tasks::new();
    let hasher = Hasher::start(settings.passwords.hasher, Arc::new(OsRandom))?;

    let storefront = demo(&settings, &store, &data, hasher.clone(), signal.clone()).await?;
    settings.shops = settings.shops.map(|shop| with_pages_client(shop, &storefront));
    let relay = relay(&settings, &store, &mailbox, signal.clone())?;
    let application = application(&settings, &store, mailbox, signal, &tasks, hasher, storefront)?;
    let signals = Signals::listen()?;
    let token = tasks.token();
    tasks.spawn("relay", async move {
        relay.run(token).await;
        anyhow::Ok(())
    });
    let url = settings.server.public_url.to_string();
    tasks.spawn("server", application.run_until_stopped());
    println!("{}", welcome::text(&url, &options.data_dir));
    let stopped = tasks.run_until_signal(signals, settings.server.shutdown).await;
    store.close().await;
    Ok(stopped?)
}

/// Adds the settings that production requires: the data directory's keys, and addresses of this machine.
fn configured(source: Source, options: &Options, data: &DataDir) -> anyhow::Result<Source> {
    let origin = origin(options.listen);
    Ok(source
        .preset("server.public_url", origin.clone())
        .preset("auth.signing_key", data.signing_key()?.as_str())
        .preset("keys.sealing", data.sealing_keys()?.as_str())
        .preset("mail.from", "Demo Shop <no-reply@demo.example>")
        .preset("pages.login_url", format!("{origin}/"))
        .preset("brand.color", STOREFRONT_COLOR)
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

/// The outbox relay to the mailer, which puts every mail, live or test, into the mailbox.
fn relay(
    settings: &DevSettings,
    store: &SqliteStore,
    mailbox: &Mailbox,
    signal: RelaySignal,
) -> anyhow::Result<Relay> {
    let transport = || CircuitBreaker::new(Arc::new(mailbox.clone()));
    let mailer = Mailer {
        ledger: Arc::new(store.clone()),
        router: Router::new(transport(), Some(transport())),
        keys: settings.keys.sealing.clone(),
        clock: Arc::new(SystemClock),
        random: Arc::new(OsRandom),
        signers: settings.shops.try_map(|shop| Signer::new(&shop.dkim))?,
        shops: settings.shops.clone(),
        public_url: settings.server.public_url.clone(),
        lease: LEASE,
    };
    Ok(Relay {
        outbox: Arc::new(store.clone()),
        bus: Arc::new(LocalBus::new(mailer.build()?, settings.mailer.concurrency.into())),
        signal,
        batch: settings.relay.batch.into(),
        lease: settings.relay.lease.try_into()?,
        poll: settings.relay.poll,
    })
}

/// Creates the demo's records and returns the client id of its storefront.
async fn demo(
    settings: &DevSettings,
    store: &SqliteStore,
    data: &DataDir,
    hasher: Hasher,
    signal: RelaySignal,
) -> anyhow::Result<String> {
    let (clock, random) = (Arc::new(SystemClock), Arc::new(OsRandom));
    let store = Arc::new(store.clone());
    let administration =
        Administration { store: store.clone(), clock: clock.clone(), random: random.clone() };
    let recorder = EventRecorder { keys: settings.keys.sealing.clone(), clock, random, signal };
    let rules = Arc::new(settings.shops.map(|mailing| mailing.shop.rules));
    let customers = CustomerService { store, recorder, hasher, rules };
    seed::seed(data, &administration, &customers).await
}

/// The API, with the demo storefront and the mailbox.
fn application(
    settings: &DevSettings,
    store: &SqliteStore,
    mailbox: Mailbox,
    signal: RelaySignal,
    tasks: &Tasks,
    hasher: Hasher,
    storefront: String,
) -> anyhow::Result<Application> {
    let shops = settings.shops.map(|mailing| mailing.shop.clone());
    let storefront = storefront::Settings::new(&settings.auth.domain, storefront);
    let routes = routes(mailbox, &shops, storefront)?;
    let config =
        Config { server: &settings.server, auth: &settings.auth, limits: &settings.limits, shops: &shops };
    let services = Services {
        ports: Ports::from_database(store),
        keys: settings.keys.sealing.clone(),
        hasher,
        signal,
        clock: Arc::new(SystemClock),
        random: Arc::new(OsRandom),
        checks: Vec::new(),
    };
    Application::build(config, services, routes, tasks.token()).map_err(|error| match error {
        BuildError::Listen(address, cause) if cause.kind() == ErrorKind::AddrInUse => anyhow::anyhow!(
            "another program listens on {address}: choose another port, with `--listen 127.0.0.1:8090` or \
             `make run ARGS=\"--listen 127.0.0.1:8090\"`"
        ),
        error @ (BuildError::Api(_) | BuildError::Listen(..)) => error.into(),
    })
}

/// Parses an address to listen on; `localhost` is accepted for 127.0.0.1.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let numeric = text.replacen("localhost:", "127.0.0.1:", 1);
    numeric.parse().map_err(|_| "expected an IP address and a port, such as 127.0.0.1:8090")
}

/// Lets the shop's `/forgot-password` page use the demo's storefront client, unless the configuration names another.
fn with_pages_client(shop: &MailingShop, client_id: &str) -> MailingShop {
    let mut shop = shop.clone();
    shop.shop.pages.client_id.get_or_insert_with(|| client_id.to_owned());
    shop
}

/// The routes next to the API: the demo storefront, the mailbox, and samples of the demo shop's mails.
fn routes(
    mailbox: Mailbox,
    shops: &PerOrganization<Shop>,
    settings: storefront::Settings,
) -> anyhow::Result<impl Fn(&mut ServiceConfig) + Clone + Send + 'static> {
    let renderer = Renderer::of_shop(&Texts::built_in(Language::English)?, shops.get(&seed::SLUG.parse()?))?;
    let mails = mails::routes(renderer, seed::SHOP.to_owned());
    let (mailbox, storefront) = (mailbox::routes(mailbox), storefront::routes(settings));
    Ok(move |config: &mut ServiceConfig| {
        storefront(config);
        mailbox(config);
        mails(config);
    })
}
