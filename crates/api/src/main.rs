//! `rekey-api`: the HTTP API on PostgreSQL, and the relay from its outbox to RabbitMQ.

use std::{convert::Infallible, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context;
use clap::Parser;
use rekey_api::{Application, Config, Services, WithTimeout};
use rekey_broker::rabbitmq::{RabbitBus, RabbitConfig};
use rekey_core::{
    cleanup::{Cleanup, CleanupTask},
    clock::SystemClock,
    events::{relay::OutboxRelay, relay_queue::RelayQueue},
    gauges::run_api_gauges,
    metrics,
    passwords::Hasher,
    random::OsRandom,
};
use rekey_runtime::{
    admin,
    config::{ApiSettings, Configuration, Source},
    health::{Check, probe},
    lifecycle::{self, Signals, Tasks},
    reload::Hangups,
    telemetry,
};
use rekey_store_postgres::PostgresStore;
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

/// Serves Rekey's HTTP API and publishes its events to the broker.
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
const ADMIN_PORT: u16 = 8082;
/// The relay has connections of its own, one to claim and one to settle. A connection ends with the thread that opened it, and the HTTP
/// threads end before the relay has settled its last batch. A burst of requests can't take them either.
const RELAY_CONNECTIONS: u32 = 2;

fn main() -> ExitCode {
    let Arguments { config, health } = Arguments::parse();
    lifecycle::run("rekey-api", async move {
        let source = Source::from_process()?.file(config.as_deref());
        if health { probe(&source, ADMIN_PORT).await } else { serve(source).await }
    })
}

async fn serve(source: Source) -> anyhow::Result<()> {
    let hangups = Hangups::listen().context("can't listen for SIGHUP")?;
    let configuration = Configuration::load(&source)?;
    let settings: ApiSettings = configuration.settings()?;
    let organizations = &configuration.organization_settings()?;
    let admin_address = settings.admin.address(ADMIN_PORT);
    let telemetry = telemetry::init(&settings.telemetry, "rekey-api", admin_address)?;
    let ApiSettings {
        server, auth, keys, database, broker, outbox_relay, passwords, limits, retention, ..
    } = &settings;

    let (clock, random) = (Arc::new(SystemClock), Arc::new(OsRandom));
    let connect = |name, connections| {
        PostgresStore::connect(database.url.expose_secret(), connections, database.acquire_timeout)
            .map(|store| store.measured_as(name))
    };
    let store = connect("requests", database.max_connections)?;
    let broker = RabbitConfig::new(broker.urls.iter().map(ExposeSecret::expose_secret), &broker.namespace)?;
    let bus = Arc::new(RabbitBus::new(broker, clock.clone(), random.clone()));
    let (relay_queue, relay_inbox) = RelayQueue::new(bus.clone(), outbox_relay.lease.try_into()?);
    let services = Services {
        database: Arc::new(store.clone()),
        rate_limits: Arc::new(WithTimeout::new(Arc::new(store.clone()))),
        keys: keys.sealing.clone(),
        hasher: Hasher::start(passwords.hasher, random.clone()).context("password hashing can't start")?,
        relay_queue,
        clock,
        random: random.clone(),
        // Requests are accepted and stored without a broker. A load balancer would otherwise take all replicas away at once.
        checks: vec![
            Check::problem("broker", {
                let bus = bus.clone();
                move || bus.problem()
            })
            .degrading(),
        ],
    };
    // Requests end first, then the relay, then the broker's connection.
    let (mut tasks, relay_stop, bus_stop) =
        (Tasks::new(), CancellationToken::new(), CancellationToken::new());
    let anonymization_delay = retention.anonymization_delay;
    let config = Config { server, auth, limits, anonymization_delay, organizations };
    let application = Application::build(config, services, |_| {}, tasks.token())?;
    store.check().await.context("the database can't be used")?;
    store.prepare().await.context("the database can't be used")?;
    let may_clean = store.is_permitted().await?;
    tracing::info!(address = %application.address(), version = env!("CARGO_PKG_VERSION"), "listening");

    let outbox = connect("relay", RELAY_CONNECTIONS)?;
    let relay = OutboxRelay {
        outbox: Arc::new(outbox.clone()),
        bus: bus.clone(),
        batch: u32::from(outbox_relay.batch_size),
        lease: outbox_relay.lease.try_into()?,
        poll: outbox_relay.poll_interval,
    };
    let signals = Signals::listen()?;
    admin::serve(&mut tasks, admin_address, application.readiness(), telemetry.metrics())?;
    if may_clean {
        let cleanup = CleanupTask {
            store: Arc::new(store.clone()),
            rules: application.organizations().rules,
            retention: (*retention).into(),
            random,
            clock: Arc::new(SystemClock),
        };
        tasks.spawn("cleanup", cleanup.run_until_stopped(tasks.token()));
    } else {
        tracing::info!(
            "retention, erasure and the deletion of decoys are left to `rekey maintain`: the role in database.url may not delete records"
        );
    }
    let organizations = application.organizations();
    let reload = hangups.reload(source, tasks.token(), move |configuration| {
        Ok(organizations.replace(&configuration.organization_settings()?)?)
    });
    tasks.spawn("reload", reload);
    metrics::start_use_cases();
    let (gauge_store, stop) = (Arc::new(store.clone()), tasks.token());
    tasks.spawn("gauges", async move {
        stop.run_until_cancelled(run_api_gauges(gauge_store)).await;
        Ok::<_, Infallible>(())
    });
    let stop_relay = relay_stop.clone().drop_guard();
    tasks.spawn("http", async move {
        let _stop_relay = stop_relay;
        application.run_until_stopped().await
    });
    let stop_bus = bus_stop.clone().drop_guard();
    tasks.spawn("relay", async move {
        let _stop_bus = stop_bus;
        relay.run(relay_inbox, relay_stop).await;
        Ok::<_, Infallible>(())
    });
    tasks.spawn("broker", async move {
        bus.run(bus_stop).await;
        Ok::<_, Infallible>(())
    });
    let stopped = tasks.run_until_signal(signals, server.shutdown_timeout).await;
    store.close().await;
    outbox.close().await;
    Ok(stopped?)
}
