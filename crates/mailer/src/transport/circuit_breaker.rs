//! Stops sending for a while after a failure that concerns every mail.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rekey_core::scope::Mode;
use tokio::time::Instant;

use super::{Accepted, SendError, SendErrorKind, Transport};
use crate::message::Mail;

/// How long nothing is sent once the circuit opens. Long enough that a mail server does not take the attempts for an attack,
/// short enough that mails flow soon after the problem is fixed.
const PAUSE: Duration = Duration::from_mins(1);

/// The transports of both modes: a mail of test mode never takes the live one.
pub struct Router {
    live: CircuitBreaker,
    test: Option<CircuitBreaker>,
}

impl Router {
    /// Makes a router. Without `test`, mails of test mode can't be sent.
    pub fn new(live: CircuitBreaker, test: Option<CircuitBreaker>) -> Self {
        Self { live, test }
    }

    /// Returns the transport for that mode; `None` for test mode without a mailbox.
    pub fn transport(&self, mode: Mode) -> Option<&CircuitBreaker> {
        match mode {
            Mode::Live => Some(&self.live),
            Mode::Test => self.test.as_ref(),
        }
    }
}

/// A transport that pauses after a failure that concerns every mail.
///
/// The circuit is closed as long as mails can be sent. [`SendErrorKind::Unavailable`] opens it for a while. After that it is
/// half-open: one caller checks the transport without a mail, and the others wait for the result. Mails that wait spend no
/// attempt.
pub struct CircuitBreaker {
    transport: Arc<dyn Transport>,
    pause: Duration,
    /// Until when the circuit is open, and half-open after that; `None` while it is closed.
    open_until: Mutex<Option<Instant>>,
    /// Held by the caller that checks.
    half_open: tokio::sync::Mutex<()>,
}

impl CircuitBreaker {
    /// Makes a circuit breaker that opens for a minute.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self::with_pause(transport, PAUSE)
    }

    /// Makes a circuit breaker that opens for this time.
    pub fn with_pause(transport: Arc<dyn Transport>, pause: Duration) -> Self {
        Self { transport, pause, open_until: Mutex::default(), half_open: tokio::sync::Mutex::default() }
    }

    /// Returns once it is known that mails can be sent, or else how long to wait before asking again.
    pub async fn ready(&self) -> Result<(), Duration> {
        if !self.is_paused() {
            return Ok(());
        }
        let _half_open = self.half_open.lock().await;
        let Some(until) = *self.open_until() else { return Ok(()) };
        let wait = until.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            return Err(wait);
        }
        match self.transport.check().await {
            Ok(()) => {
                self.close();
                Ok(())
            }
            Err(error) => self.stay_open(&error),
        }
    }

    /// Sends a mail. A failure that concerns every mail opens the circuit; a mail that is accepted closes it, also one that was
    /// on its way when it opened.
    pub async fn send(&self, mail: &Mail) -> Result<Accepted, SendError> {
        let result = self.transport.send(mail).await;
        match &result {
            Ok(_) => self.close(),
            Err(error) if error.kind == SendErrorKind::Unavailable => self.open(&error.reason),
            Err(_) => {}
        }
        result
    }

    /// How long the circuit stays open.
    pub fn pause(&self) -> Duration {
        self.pause
    }

    /// Whether mails wait: the circuit is not closed.
    pub fn is_paused(&self) -> bool {
        self.open_until().is_some()
    }

    fn close(&self) {
        if self.open_until().take().is_some() {
            tracing::info!("mails can be sent again");
        }
    }

    fn open(&self, reason: &str) {
        // Mails that were on their way fail for the same reason: one line is enough.
        if self.open_until().replace(Instant::now() + self.pause).is_none() {
            tracing::error!(reason, pause = ?self.pause, "no mail can be sent, check the relay and its settings");
        }
    }

    /// Opens the circuit again after a failed check, unless a mail was accepted meanwhile.
    fn stay_open(&self, error: &SendError) -> Result<(), Duration> {
        let mut until = self.open_until();
        if until.is_none() {
            return Ok(());
        }
        tracing::error!(reason = %error, pause = ?self.pause, "still no mail can be sent");
        *until = Some(Instant::now() + self.pause);
        Err(self.pause)
    }

    fn open_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.open_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
