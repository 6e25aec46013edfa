//! SIGHUP: what the programs have read of organizations' folders is read again while they run.

use std::{convert::Infallible, io, sync::Arc};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::spawn_blocking,
};
use tokio_util::sync::CancellationToken;

use crate::config::{Configuration, Source};

/// The SIGHUPs that the process receives. Before this listens, one ends the process.
pub struct Hangups(Signal);

impl Hangups {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the system refuses it.
    pub fn listen() -> io::Result<Self> {
        Ok(Self(signal(SignalKind::hangup())?))
    }

    /// Reads the configuration again at each SIGHUP and has it applied, until `stop` is cancelled. A mistake in it is logged as an error, and
    /// the former settings stay in force.
    pub async fn reload<F>(
        mut self,
        source: Source,
        stop: CancellationToken,
        apply: F,
    ) -> Result<(), Infallible>
    where
        F: Fn(&Configuration) -> anyhow::Result<()> + Send + Sync + 'static,
    {
        let read = Arc::new(move || apply(&Configuration::load(&source)?));
        while let Some(Some(())) = stop.run_until_cancelled(self.0.recv()).await {
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
    }
}
