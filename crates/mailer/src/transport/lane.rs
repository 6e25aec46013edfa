//! Which way a mail takes, and what happens when that way is closed.

use std::{sync::Arc, time::Duration};

use rekey_core::access::Mode;
use tokio::{sync::Mutex, time::Instant};

use super::{Accepted, SendError, Transport};
use crate::message::Mail;

/// How long nothing is sent after trouble that only an operator can end. Long enough that a mail server does not take
/// the attempts for an attack, short enough that mails flow soon after it is mended.
const PAUSE: Duration = Duration::from_mins(1);

/// The lanes of both modes: a test-mode mail never takes the live one.
pub struct Router {
    live: Lane,
    test: Option<Lane>,
}

impl Router {
    /// Live mails go there; test-mode mails go to `test`, or nowhere.
    pub fn new(live: Lane, test: Option<Lane>) -> Self {
        Self { live, test }
    }

    /// The lane of that mode; `None` for test mode without a mailbox.
    pub fn lane(&self, mode: Mode) -> Option<&Lane> {
        match mode {
            Mode::Live => Some(&self.live),
            Mode::Test => self.test.as_ref(),
        }
    }
}

/// A transport that is left alone for a while after trouble that concerns every mail.
///
/// Mails that wait for it spend no attempt: before the next one is tried, the transport is checked without a mail.
pub struct Lane {
    transport: Arc<dyn Transport>,
    pause: Duration,
    /// Until when nothing is sent; past that time, the next caller checks, and the others wait for what it finds.
    paused: Mutex<Option<Instant>>,
}

impl Lane {
    /// A lane that pauses for a minute.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self::with_pause(transport, PAUSE)
    }

    /// A lane with another pause.
    pub fn with_pause(transport: Arc<dyn Transport>, pause: Duration) -> Self {
        Self { transport, pause, paused: Mutex::new(None) }
    }

    /// Waits until it is known whether mails can be sent; if not, tells for how long to leave it.
    pub async fn open(&self) -> Result<(), Duration> {
        let mut paused = self.paused.lock().await;
        let Some(until) = *paused else { return Ok(()) };
        let wait = until.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            return Err(wait);
        }
        if let Err(error) = self.transport.check().await {
            tracing::error!(reason = %error, pause = ?self.pause, "still no mail can be sent");
            *paused = Some(Instant::now() + self.pause);
            return Err(self.pause);
        }
        tracing::info!("mails can be sent again");
        *paused = None;
        Ok(())
    }

    /// Sends; trouble that concerns every mail closes the lane.
    pub async fn send(&self, mail: &Mail) -> Result<Accepted, SendError> {
        let result = self.transport.send(mail).await;
        if let Err(SendError::Lane(reason)) = &result {
            self.close(reason).await;
        }
        result
    }

    /// For how long the lane is left alone when it closes.
    pub fn pause(&self) -> Duration {
        self.pause
    }

    /// Whether mails wait.
    pub fn is_paused(&self) -> bool {
        // It is locked for longer than an instant only while a paused transport is checked.
        self.paused.try_lock().map_or(true, |paused| paused.is_some())
    }

    async fn close(&self, reason: &str) {
        let mut paused = self.paused.lock().await;
        // Those that were on their way when it closed have the same to tell: once is enough.
        if paused.is_none() {
            tracing::error!(reason, pause = ?self.pause, "no mail can be sent: the relay or its settings need mending");
        }
        *paused = Some(Instant::now() + self.pause);
    }
}
