//! `rekey maintain`: deletes old records from time to time, under a role that may.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use rekey_core::{
    cleanup::{Cleanup, CleanupTask},
    clock::SystemClock,
    random::OsRandom,
};
use rekey_runtime::{
    config::{Configuration, OrganizationSettings, Source, ToolSettings},
    lifecycle::{Signals, Tasks},
    reload::Hangups,
    telemetry,
};

use crate::operator;

/// A stop interrupts the statement that runs, so this is more than it takes.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs until SIGTERM or SIGINT.
pub async fn run(source: Source) -> anyhow::Result<()> {
    let hangups = Hangups::listen().context("can't listen for SIGHUP")?;
    let configuration = Configuration::load(&source)?;
    let settings: ToolSettings = configuration.settings()?;
    let organizations = configuration.organization_settings()?;
    let _telemetry = telemetry::init(&settings.telemetry, "rekey-maintain", None)?;
    let store = operator::connect(&source).await?;
    store.prepare().await.context("the database can't be used")?;
    anyhow::ensure!(
        store.is_permitted().await?,
        "the role in database.url may not delete old records: use the role rekey_maintenance, or the one that owns the schema"
    );
    let rules = OrganizationSettings::shared_rules(&organizations);
    let cleanup = CleanupTask {
        store: Arc::new(store.clone()),
        rules: rules.clone(),
        retention: settings.retention.into(),
        random: Arc::new(OsRandom),
        clock: Arc::new(SystemClock),
    };
    let (mut tasks, signals) = (Tasks::new(), Signals::listen()?);
    let reload = hangups.reload(source, tasks.token(), move |configuration| {
        rules.store(Arc::new(configuration.organization_settings()?.map(OrganizationSettings::rules)));
        Ok(())
    });
    tasks.spawn("reload", reload);
    tasks.spawn("cleanup", cleanup.run_until_stopped(tasks.token()));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "old records are deleted from now on");
    let stopped = tasks.run_until_signal(signals, STOP_TIMEOUT).await;
    store.close().await;
    Ok(stopped?)
}
