//! `rekey-mailer`: from RabbitMQ to the SMTP relays.

use std::{convert::Infallible, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context;
use clap::Parser;
use rekey_broker::rabbitmq::{RabbitConfig, RabbitConsumer};
use rekey_core::{
    clock::SystemClock,
    events::bus::{Capacity, Handler},
    gauges::run_mailer_gauges,
    ping::Ping,
    random::{OsRandom, RandomSource},
};
use rekey_mailer::{
    MailHandler, Mailer,
    bounces::{HttpsFetch, Listener, ProviderHeader, Reports},
    dkim::Signer,
    transport::{Mailbox, Router, SmtpTransport, Transport},
};
use rekey_runtime::{
    admin,
    config::{Configuration, MailerSettings, Source},
    health::{Check, Readiness, probe},
    lifecycle::{self, Signals, Tasks},
    proxies::Proxies,
    reload::Hangups,
    telemetry,
};
use rekey_store_postgres::PostgresStore;
use secrecy::ExposeSecret;

/// Sends the mails that Rekey's events ask for.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The configuration file; without it, the one that `REKEY_CONFIG` names.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Ask the running program at its admin listener whether it is ready, print what fails, and exit with 0 or 1.
    #[arg(long)]
    health: bool,
}

/// The admin listener's port, where `admin.listen` has no other.
const ADMIN_PORT: u16 = 8081;

fn main() -> ExitCode {
    let Arguments { config, health } = Arguments::parse();
    lifecycle::run("rekey-mailer", async move {
        let source = Source::from_process()?.file(config.as_deref());
        if health { probe(&source, ADMIN_PORT).await } else { serve(source).await }
    })
}

async fn serve(source: Source) -> anyhow::Result<()> {
    let hangups = Hangups::listen().context("can't listen for SIGHUP")?;
    let configuration = Configuration::load(&source)?;
    let settings: MailerSettings = configuration.settings()?;
    let organizations = configuration.organization_mail_settings()?;
    let admin_address = settings.admin.address(ADMIN_PORT);
    let telemetry = telemetry::init(&settings.telemetry, "rekey-mailer", admin_address)?;

    let database = &settings.database;
    let store = PostgresStore::connect(
        database.url.expose_secret(),
        database.max_connections,
        database.acquire_timeout,
    )?
    .measured_as("mailer");
    store.check_at_start().await.context("the database can't be used")?;
    let random: Arc<dyn RandomSource> = Arc::new(OsRandom);
    let smtp = Arc::new(SmtpTransport::new(&settings.smtp, &random)?);
    let mailbox = settings.test_mailbox.directory.as_deref().map(Mailbox::open).transpose()?;
    let broker = RabbitConfig::new(
        settings.broker.urls.iter().map(ExposeSecret::expose_secret),
        &settings.broker.namespace,
    )?;
    let consumer = Arc::new(RabbitConsumer::new(broker, Arc::clone(&random)));

    let handler = Mailer {
        ledger: Arc::new(store.clone()),
        router: Router {
            live: smtp.clone(),
            test: mailbox.map(|mailbox| Arc::new(mailbox) as Arc<dyn Transport>),
        },
        keys: settings.keys.sealing.clone(),
        clock: Arc::new(SystemClock),
        random,
        signers: organizations.try_map(|own| Signer::new(&own.dkim))?,
        organizations,
        provider_headers: ProviderHeader::for_settings(&settings.bounces),
        public_url: settings.server.public_url.clone(),
        lease: settings.smtp.lease(),
    }
    .build()?;

    let mut tasks = Tasks::new();
    let reload = hangups.reload(source, tasks.token(), {
        let handler = Arc::clone(&handler);
        move |configuration| {
            let organizations = configuration.organization_mail_settings()?;
            let signers = organizations.try_map(|own| Signer::new(&own.dkim))?;
            Ok(handler.replace_organizations(organizations, signers)?)
        }
    });
    tasks.spawn("reload", reload);
    let readiness = readiness(&store, &consumer, &handler, &smtp);
    let signals = Signals::listen()?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "starting");
    admin::serve(&mut tasks, admin_address, Arc::new(readiness), telemetry.metrics())?;
    if let Some(address) = settings.bounces.listen {
        let listener = Listener {
            reports: Reports { store: Arc::new(store.clone()), keys: settings.keys.sealing },
            settings: settings.bounces,
            proxies: Proxies::new(&settings.server),
            clock: Arc::new(SystemClock),
            fetch: Arc::new(
                HttpsFetch::new().context("can't set up TLS for the certificates of Amazon SNS")?,
            ),
        };
        listener.serve(address, &mut tasks)?;
    }
    tasks.spawn("gauges", {
        let (store, stop) = (Arc::new(store.clone()), tasks.token());
        async move {
            stop.run_until_cancelled(run_mailer_gauges(store)).await;
            Ok::<_, Infallible>(())
        }
    });
    let (republisher, source, stop) = (Arc::clone(&handler), Arc::clone(&consumer), tasks.token());
    tasks.spawn("republishing", async move {
        stop.run_until_cancelled(republisher.run_republishing(|| source.is_connected())).await;
        Ok::<_, Infallible>(())
    });
    let (circuits, mailer, stop) = (store.clone(), Arc::clone(&handler), tasks.token());
    tasks.spawn("circuits", async move {
        mailer.run_circuit_mails(&circuits, stop).await;
        Ok::<_, Infallible>(())
    });
    let (concurrency, stop) = (settings.mailer.concurrency, tasks.token());
    tasks.spawn("consumer", async move {
        consumer.run(handler, concurrency, stop).await;
        Ok::<_, Infallible>(())
    });
    let stopped = tasks.run_until_signal(signals, settings.server.shutdown_timeout).await;
    smtp.close().await;
    store.close().await;
    Ok(stopped?)
}

/// Returns what `/readyz` checks.
fn readiness(
    store: &PostgresStore,
    consumer: &Arc<RabbitConsumer>,
    handler: &Arc<MailHandler>,
    smtp: &Arc<SmtpTransport>,
) -> Readiness {
    Readiness::new(vec![
        Check::new("store", {
            let store = store.clone();
            move || {
                let store = store.clone();
                async move { Ok(store.ping().await?) }
            }
        }),
        Check::problem("broker", {
            let consumer = Arc::clone(consumer);
            move || consumer.problem()
        }),
        Check::problem("retries", {
            let consumer = Arc::clone(consumer);
            move || consumer.retry_problem()
        })
        .degrading(),
        Check::state("mail", "no relay in smtp.relays can be used: the log says why, for each of them", {
            let handler = Arc::clone(handler);
            move || handler.capacity() == Capacity::Full
        }),
        Check::state("relays", "a relay in smtp.relays can't be used: the log says why", {
            let smtp = Arc::clone(smtp);
            move || !smtp.is_degraded()
        })
        .degrading(),
    ])
}
