//! The tasks of a program: all tracked, all stopped by one token, each failure logged.

use std::{error::Error, io, process, time::Duration};

use rekey_core::error::chain;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::JoinError,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::JoinMap};
use tracing::Instrument;

/// The tasks of a program.
#[derive(Debug, Default)]
pub struct Tasks {
    running: JoinMap<&'static str, Outcome>,
    stop: CancellationToken,
    failure: Option<StopError>,
}

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// Why a program failed. It has been logged already, so the caller need not log it.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    #[error("the task {name} failed")]
    Failed { name: &'static str, source: Box<dyn Error + Send + Sync> },
    /// The panic hook has logged where.
    #[error("the task {name} panicked")]
    Panicked { name: &'static str },
    #[error("the task {name} ended before the program was stopped")]
    Ended { name: &'static str },
    #[error("still running at the end of the time to stop: {names}")]
    TimedOut { names: String },
    #[error("can't listen for signals")]
    Signals(#[source] io::Error),
}

impl Tasks {
    /// Returns an empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the token that is cancelled when the program is to stop: every task watches it, finishes its work in progress, and
    /// returns.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Runs a task until the stop. One that fails, panics, or ends before that stops the whole program, which then exits with a
    /// failure: a service without one of its parts is better restarted.
    pub fn spawn<F, E>(&mut self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
    {
        let task = task.in_current_span();
        self.running.spawn(name, async move { task.await.map_err(Into::into) });
    }

    /// Runs until SIGTERM or SIGINT (or a failed task, or a cancelled token), then waits for the tasks, for `limit` at most.
    /// A second signal ends the process at once, with the code that shells use for it: 130 for SIGINT, 143 for SIGTERM.
    pub async fn run_until_signal(&mut self, mut signals: Signals, limit: Duration) -> Result<(), StopError> {
        let stop = self.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            (name, _) = signals.next() => tracing::info!(signal = name, "stopping"),
            Some((name, outcome)) = self.running.join_next() => self.settle(name, outcome),
        }
        tokio::select! {
            result = self.drain(limit) => result,
            (name, code) = signals.next() => {
                tracing::error!(signal = name, running = self.running(), "stopped at once");
                process::exit(code)
            }
        }
    }

    /// Stops the tasks and waits for them, for `limit` at most. Returns the first failure.
    pub async fn drain(&mut self, limit: Duration) -> Result<(), StopError> {
        self.stop.cancel();
        let ended = async {
            while let Some((name, outcome)) = self.running.join_next().await {
                self.settle(name, outcome);
            }
        };
        if timeout(limit, ended).await.is_err() {
            let names = self.running();
            self.fail(StopError::TimedOut { names });
        }
        self.failure.take().map_or(Ok(()), Err)
    }

    fn settle(&mut self, name: &'static str, outcome: Result<Outcome, JoinError>) {
        match outcome {
            Ok(Ok(())) if self.stop.is_cancelled() => tracing::debug!(task = name, "stopped"),
            Ok(Ok(())) => self.fail(StopError::Ended { name }),
            Ok(Err(source)) => self.fail(StopError::Failed { name, source }),
            Err(_) => self.fail(StopError::Panicked { name }),
        }
    }

    fn fail(&mut self, failure: StopError) {
        let cause = failure.source().map(chain).unwrap_or_default();
        tracing::error!(cause, "{failure}");
        self.failure.get_or_insert(failure);
    }

    fn running(&self) -> String {
        let mut names: Vec<_> = self.running.keys().copied().collect();
        names.sort_unstable();
        names.join(", ")
    }
}

/// The two signals that ask a program to stop.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Starts to listen: from now on, they don't end the process, but are queued for [`Tasks::run_until_signal`]. Call it before the
    /// first task starts, and after everything that may take long.
    pub fn listen() -> Result<Self, StopError> {
        let listen = |kind| signal(kind).map_err(StopError::Signals);
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Waits for the next signal. Returns its name and the exit code of a process that it ends.
    async fn next(&mut self) -> (&'static str, i32) {
        tokio::select! {
            _ = self.terminate.recv() => ("SIGTERM", 143),
            _ = self.interrupt.recv() => ("SIGINT", 130),
        }
    }
}
