//! SIGHUP: what the programs have read of organizations' folders is read again while they run.

use std::{io, sync::Arc};

use tokio::{
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
};
use tokio_util::sync::CancellationToken;

use crate::config::{Configuration, Source};

/// Reads the configuration again at each SIGHUP and has it applied, until `stop` is cancelled. A mistake in it is logged as an error, and
/// the former settings stay in force.
///
/// # Errors
/// When the program can't listen for the signal.
pub fn reload_on_hangup<F>(
    source: Source,
    stop: CancellationToken,
    apply: F,
) -> io::Result<impl Future<Output = io::Result<()>> + Send>
where
    F: Fn(&Configuration) -> anyhow::Result<()> + Send + Sync + 'static,
{
    let mut hangups = signal(SignalKind::hangup())?;
    let read = Arc::new(move || apply(&Configuration::load(&source)?));
    Ok(async move {
        while let Some(Some(())) = stop.run_until_cancelled(hangups.recv()).await {
            let read = Arc::clone(&read);
            match spawn_blocking(move || read()).await {
                Ok(Ok(())) => tracing::info!("the settings of organizations were read again"),
                Ok(Err(error)) => tracing::error!(
                    cause = format!("{error:#}"),
                    "the settings of organizations can't be read again, the former ones stay in force"
                ),
                // The panic itself was logged.
                Err(error) => tracing::error!(%error, "reading the settings of organizations again failed"),
            }
        }
        Ok(())
    })
}
