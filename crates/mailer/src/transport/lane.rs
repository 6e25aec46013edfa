//! Which way a mail takes, and what happens when that way is closed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

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
    /// Whether there is such a time, for who must not wait for a check.
    is_paused: AtomicBool,
}

impl Lane {
    /// A lane that pauses for a minute.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self::with_pause(transport, PAUSE)
    }

    /// A lane with another pause.
    pub fn with_pause(transport: Arc<dyn Transport>, pause: Duration) -> Self {
        Self { transport, pause, paused: Mutex::new(None), is_paused: AtomicBool::new(false) }
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
        self.resume(&mut paused);
        Ok(())
    }

    /// Sends; trouble that concerns every mail closes the lane, and a mail that was on its way then and is taken opens it.
    pub async fn send(&self, mail: &Mail) -> Result<Accepted, SendError> {
        let result = self.transport.send(mail).await;
        match &result {
            Ok(_) if self.is_paused() => self.resume(&mut *self.paused.lock().await),
            Err(SendError::Lane(reason)) => self.close(reason).await,
            Ok(_)
            | Err(SendError::Transient { .. } | SendError::InDoubt(_) | SendError::Permanent { .. }) => {}
        }
        result
    }

    /// For how long the lane is left alone when it closes.
    pub fn pause(&self) -> Duration {
        self.pause
    }

    /// Whether mails wait.
    pub fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::Relaxed)
    }

    fn resume(&self, paused: &mut Option<Instant>) {
        if paused.take().is_some() {
            tracing::info!("mails can be sent again");
        }
        self.is_paused.store(false, Ordering::Relaxed);
    }

    async fn close(&self, reason: &str) {
        let mut paused = self.paused.lock().await;
        // Those that were on their way when it closed have the same to tell: once is enough.
        if paused.is_none() {
            tracing::error!(reason, pause = ?self.pause, "no mail can be sent: the relay or its settings need mending");
        }
        *paused = Some(Instant::now() + self.pause);
        self.is_paused.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use time::OffsetDateTime;
    use tokio::sync::Semaphore;

    use super::*;

    /// Takes the first mail when it is let, and says of the others that none can be sent.
    struct Slow {
        first: AtomicBool,
        let_go: Semaphore,
    }

    #[async_trait]
    impl Transport for Slow {
        async fn send(&self, _: &Mail) -> Result<Accepted, SendError> {
            if !self.first.swap(false, Ordering::Relaxed) {
                return Err(SendError::Lane("no relay".to_owned()));
            }
            self.let_go.acquire().await.unwrap().forget();
            Ok(Accepted { response: "250".to_owned(), reply: None, relay: "relay".to_owned() })
        }

        async fn check(&self) -> Result<(), SendError> {
            unreachable!("the pause is long")
        }
    }

    fn mail() -> Mail {
        Mail {
            event: "EVENTEVEN1".parse().unwrap(),
            written_at: OffsetDateTime::UNIX_EPOCH,
            sender: "shop@example.com".parse().unwrap(),
            recipient: "john@example.com".parse().unwrap(),
            content: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_mail_that_is_taken_after_all_opens_the_lane() {
        let slow = Arc::new(Slow { first: true.into(), let_go: Semaphore::new(0) });
        let lane = Arc::new(Lane::new(slow.clone()));
        let first = tokio::spawn({
            let lane = Arc::clone(&lane);
            async move { lane.send(&mail()).await }
        });
        while slow.first.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
        assert!(lane.send(&mail()).await.is_err());
        assert!(lane.is_paused() && lane.open().await.is_err());
        slow.let_go.add_permits(1);
        first.await.unwrap().unwrap();
        assert!(!lane.is_paused() && lane.open().await.is_ok());
    }
}
