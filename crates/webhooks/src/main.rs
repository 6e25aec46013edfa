//! `rekey-webhooks`: from RabbitMQ to the receivers of webhooks.

use std::{convert::Infallible, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context;
use clap::Parser;
use rekey_broker::rabbitmq::{Consumer, RabbitConfig, RabbitConsumer};
use rekey_core::{
    clock::SystemClock,
    gauges::run_webhook_gauges,
    ping::Ping,
    random::{OsRandom, RandomSource},
};
use rekey_runtime::{
    admin,
    config::{Configuration, Source, WebhookSettings},
    health::{Check, Readiness, probe},
    lifecycle::{self, Signals, Tasks},
    telemetry,
};
use rekey_store_postgres::PostgresStore;
use rekey_webhooks::webhooks;
use secrecy::ExposeSecret;

/// Sends the events that webhooks ask for.
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
const ADMIN_PORT: u16 = 8088;

fn main() -> ExitCode {
    let Arguments { config, health } = Arguments::parse();
    lifecycle::run("rekey-webhooks", async move {
        let source = Source::from_process()?.file(config.as_deref());
        if health { probe(&source, ADMIN_PORT).await } else { serve(source).await }
    })
}

async fn serve(source: Source) -> anyhow::Result<()> {
    let settings: WebhookSettings = Configuration::load(&source)?.settings()?;
    let admin_address = settings.admin.address(ADMIN_PORT);
    let telemetry = telemetry::init(&settings.telemetry, "rekey-webhooks", admin_address)?;

    let database = &settings.database;
    let store = PostgresStore::connect(
        database.url.expose_secret(),
        database.max_connections,
        database.acquire_timeout,
    )?
    .measured_as("webhooks");
    store.check_at_start().await.context("the database can't be used")?;
    let random: Arc<dyn RandomSource> = Arc::new(OsRandom);
    let broker = RabbitConfig::new(
        settings.broker.urls.iter().map(ExposeSecret::expose_secret),
        &settings.broker.namespace,
    )?;
    let consumer =
        Arc::new(RabbitConsumer::new(broker.for_consumer(Consumer::Webhooks), Arc::clone(&random)));
    let concurrency = u16::try_from(settings.webhooks.concurrency)?;
    let (handler, worker) = webhooks(
        Arc::new(store.clone()),
        settings.webhooks,
        settings.keys.sealing,
        Arc::new(SystemClock),
        random,
    )
    .context("can't set up TLS")?;

    let mut tasks = Tasks::new();
    let signals = Signals::listen()?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "starting");
    admin::serve(&mut tasks, admin_address, Arc::new(readiness(&store, &consumer)), telemetry.metrics())?;
    tasks.spawn("gauges", {
        let (store, stop) = (Arc::new(store.clone()), tasks.token());
        async move {
            stop.run_until_cancelled(run_webhook_gauges(store)).await;
            Ok::<_, Infallible>(())
        }
    });
    let stop = tasks.token();
    tasks.spawn("worker", async move {
        worker.run(stop).await;
        Ok::<_, Infallible>(())
    });
    let stop = tasks.token();
    tasks.spawn("consumer", async move {
        consumer.run(handler, concurrency, stop).await;
        Ok::<_, Infallible>(())
    });
    let stopped = tasks.run_until_signal(signals, settings.server.shutdown_timeout).await;
    store.close().await;
    Ok(stopped?)
}

/// Returns what `/readyz` checks.
fn readiness(store: &PostgresStore, consumer: &Arc<RabbitConsumer>) -> Readiness {
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
    ])
}
