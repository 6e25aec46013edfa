//! The tasks of a program: all tracked, all stopped by one token, each failure logged.

use std::{
    error::Error,
    io, process,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::JoinError,
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

/// The tasks of a program. Clones are the same set of tasks.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    running: Vec<&'static str>,
    failure: Option<StopError>,
}

/// Why a program failed. It is logged when it happens, so the caller need not log it.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    #[error("the task {name} failed")]
    Failed { name: &'static str, source: Box<dyn Error + Send + Sync> },
    /// The panic hook has logged where.
    #[error("the task {name} panicked")]
    Panicked { name: &'static str },
    #[error("the task {name} ended, though nobody asked it to stop")]
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
    pub fn spawn<F, E>(&self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
    {
        self.state().running.push(name);
        let handle = tokio::spawn(task.in_current_span());
        let tasks = self.clone();
        self.tracker.spawn(async move {
            let outcome = handle.await.map(|result| result.map_err(Into::into));
            tasks.settle(name, outcome);
        });
    }

    /// Runs until SIGTERM or SIGINT (or a failed task, or a cancelled token), then waits for the tasks, for `limit` at most.
    /// A second signal ends the process at once, with the code that shells use for it: 130 for SIGINT, 143 for SIGTERM.
    pub async fn run_until_signal(&self, mut signals: Signals, limit: Duration) -> Result<(), StopError> {
        tokio::select! {
            () = self.stop.cancelled() => {}
            (name, _) = signals.next() => tracing::info!(signal = name, "stopping"),
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
    pub async fn drain(&self, limit: Duration) -> Result<(), StopError> {
        self.stop.cancel();
        self.tracker.close();
        tokio::select! {
            () = self.tracker.wait() => {}
            () = sleep(limit) => self.fail(StopError::TimedOut { names: self.running() }),
        }
        self.state().failure.take().map_or(Ok(()), Err)
    }

    fn settle(
        &self,
        name: &'static str,
        outcome: Result<Result<(), Box<dyn Error + Send + Sync>>, JoinError>,
    ) {
        let mut state = self.state();
        if let Some(index) = state.running.iter().position(|running| *running == name) {
            state.running.swap_remove(index);
        }
        drop(state);
        match outcome {
            Ok(Ok(())) if self.stop.is_cancelled() => tracing::debug!(task = name, "stopped"),
            Ok(Ok(())) => self.fail(StopError::Ended { name }),
            Ok(Err(source)) => self.fail(StopError::Failed { name, source }),
            Err(_) => self.fail(StopError::Panicked { name }),
        }
    }

    fn fail(&self, failure: StopError) {
        let mut causes = Vec::new();
        let mut next = failure.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        tracing::error!(cause = causes.join(": "), "{failure}");
        self.state().failure.get_or_insert(failure);
        self.stop.cancel();
    }

    fn running(&self) -> String {
        self.state().running.join(", ")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The two signals that ask a program to stop.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens for them: from now on, they don't end the process but are kept for [`Tasks::run_until_signal`]. Call it before the
    /// first task starts, whose work may be visible, and after what may take long.
    pub fn listen() -> Result<Self, StopError> {
        let listen = |kind| signal(kind).map_err(StopError::Signals);
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Waits for the next one. Returns its name and the exit code of a process that it ends.
    async fn next(&mut self) -> (&'static str, i32) {
        tokio::select! {
            _ = self.terminate.recv() => ("SIGTERM", 143),
            _ = self.interrupt.recv() => ("SIGINT", 130),
        }
    }
}
