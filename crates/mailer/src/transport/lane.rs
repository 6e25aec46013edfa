//! Which way a mail takes, and what happens when that way is closed.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rekey_core::scope::Mode;
use tokio::time::Instant;

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
    /// Until when nothing is sent, if the lane is closed; past that time, the next caller checks.
    until: Mutex<Option<Instant>>,
    /// Held by who checks: the others wait for what it finds.
    checking: tokio::sync::Mutex<()>,
}

impl Lane {
    /// A lane that pauses for a minute.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self::with_pause(transport, PAUSE)
    }

    /// A lane with another pause.
    pub fn with_pause(transport: Arc<dyn Transport>, pause: Duration) -> Self {
        Self { transport, pause, until: Mutex::default(), checking: tokio::sync::Mutex::default() }
    }

    /// Waits until it is known whether mails can be sent; if not, tells for how long to leave it.
    pub async fn open(&self) -> Result<(), Duration> {
        if !self.is_paused() {
            return Ok(());
        }
        let _checking = self.checking.lock().await;
        let Some(until) = *self.until() else { return Ok(()) };
        let wait = until.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            return Err(wait);
        }
        match self.transport.check().await {
            Ok(()) => {
                self.resume();
                Ok(())
            }
            Err(error) => self.stay_closed(&error),
        }
    }

    /// Sends; trouble that concerns every mail closes the lane, and a mail that was on its way then and is taken opens it.
    pub async fn send(&self, mail: &Mail) -> Result<Accepted, SendError> {
        let result = self.transport.send(mail).await;
        match &result {
            Ok(_) => self.resume(),
            Err(SendError::Lane(reason)) => self.close(reason),
            Err(SendError::Transient { .. } | SendError::InDoubt(_) | SendError::Permanent { .. }) => {}
        }
        result
    }

    /// For how long the lane is left alone when it closes.
    pub fn pause(&self) -> Duration {
        self.pause
    }

    /// Whether mails wait.
    pub fn is_paused(&self) -> bool {
        self.until().is_some()
    }

    fn resume(&self) {
        if self.until().take().is_some() {
            tracing::info!("mails can be sent again");
        }
    }

    fn close(&self, reason: &str) {
        // Those that were on their way when it closed have the same to tell: once is enough.
        if self.until().replace(Instant::now() + self.pause).is_none() {
            tracing::error!(reason, pause = ?self.pause, "no mail can be sent: the relay or its settings need mending");
        }
    }

    /// After a check in vain; a mail that was taken meanwhile knows better.
    fn stay_closed(&self, error: &SendError) -> Result<(), Duration> {
        let mut until = self.until();
        if until.is_none() {
            return Ok(());
        }
        tracing::error!(reason = %error, pause = ?self.pause, "still no mail can be sent");
        *until = Some(Instant::now() + self.pause);
        Err(self.pause)
    }

    fn until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use async_trait::async_trait;
    use time::OffsetDateTime;
    use tokio::{
        sync::Notify,
        task::JoinHandle,
        time::{advance, timeout},
    };

    use super::*;

    /// Takes the first mail when it is let, and says of the others, and of a check when that is let, that none can be sent.
    #[derive(Default)]
    struct Slow {
        has_begun: AtomicBool,
        let_go: Notify,
        checking: Notify,
        let_check: Notify,
    }

    #[async_trait]
    impl Transport for Slow {
        async fn send(&self, _: &Mail) -> Result<Accepted, SendError> {
            if self.has_begun.swap(true, Ordering::Relaxed) {
                return Err(SendError::Lane("no relay".to_owned()));
            }
            self.let_go.notified().await;
            Ok(Accepted { response: "250".to_owned(), reply: None, relay: "relay".to_owned() })
        }

        async fn check(&self) -> Result<(), SendError> {
            self.checking.notify_one();
            self.let_check.notified().await;
            Err(SendError::Lane("no relay".to_owned()))
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

    /// A lane that was closed by the second mail, while the first one is still on its way.
    async fn closed(slow: &Arc<Slow>) -> (Arc<Lane>, JoinHandle<Result<Accepted, SendError>>) {
        let lane = Arc::new(Lane::new(slow.clone()));
        let first = tokio::spawn({
            let lane = Arc::clone(&lane);
            async move { lane.send(&mail()).await }
        });
        while !slow.has_begun.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
        assert!(lane.send(&mail()).await.is_err());
        assert!(lane.is_paused() && lane.open().await.is_err());
        (lane, first)
    }

    #[tokio::test]
    async fn a_mail_that_is_taken_after_all_opens_the_lane() {
        let slow = Arc::new(Slow::default());
        let (lane, first) = closed(&slow).await;
        slow.let_go.notify_one();
        first.await.unwrap().unwrap();
        assert!(!lane.is_paused() && lane.open().await.is_ok());
    }

    /// What became of it can be recorded at once.
    #[tokio::test(start_paused = true)]
    async fn a_mail_that_is_taken_waits_for_no_check_and_knows_better() {
        let slow = Arc::new(Slow::default());
        let (lane, first) = closed(&slow).await;
        advance(PAUSE).await;
        let check = tokio::spawn({
            let lane = Arc::clone(&lane);
            async move { lane.open().await }
        });
        slow.checking.notified().await;
        slow.let_go.notify_one();
        timeout(PAUSE, first).await.expect("it hangs on no check").unwrap().unwrap();
        assert!(!lane.is_paused());
        slow.let_check.notify_one();
        assert_eq!(check.await.unwrap(), Ok(()));
        assert!(!lane.is_paused());
    }
}
