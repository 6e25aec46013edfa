use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use time::OffsetDateTime;
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{advance, timeout},
};

use super::*;

/// Accepts the first mail when it is allowed to; fails for the others, and for a check when that is allowed to end.
#[derive(Default)]
struct Slow {
    has_started: AtomicBool,
    accept: Notify,
    checking: Notify,
    end_check: Notify,
}

#[async_trait]
impl Transport for Slow {
    async fn send(&self, _: &Mail) -> Result<Accepted, SendError> {
        if self.has_started.swap(true, Ordering::Relaxed) {
            return Err(SendError::unavailable("no relay".to_owned()));
        }
        self.accept.notified().await;
        Ok(Accepted { response: "250".to_owned(), reply: None, relay: "relay".to_owned() })
    }

    async fn check(&self) -> Result<(), SendError> {
        self.checking.notify_one();
        self.end_check.notified().await;
        Err(SendError::unavailable("no relay".to_owned()))
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

/// A circuit that the second mail opened, while the first one is still on its way.
async fn opened(slow: &Arc<Slow>) -> (Arc<CircuitBreaker>, JoinHandle<Result<Accepted, SendError>>) {
    let breaker = Arc::new(CircuitBreaker::new(slow.clone()));
    let first = tokio::spawn({
        let breaker = Arc::clone(&breaker);
        async move { breaker.send(&mail()).await }
    });
    while !slow.has_started.load(Ordering::Relaxed) {
        tokio::task::yield_now().await;
    }
    assert!(breaker.send(&mail()).await.is_err());
    assert!(breaker.is_paused() && breaker.ready().await.is_err());
    (breaker, first)
}

#[tokio::test]
async fn a_mail_that_is_accepted_after_all_closes_the_circuit() {
    let slow = Arc::new(Slow::default());
    let (breaker, first) = opened(&slow).await;
    slow.accept.notify_one();
    first.await.unwrap().unwrap();
    assert!(!breaker.is_paused() && breaker.ready().await.is_ok());
}

/// Its outcome can be recorded at once.
#[tokio::test(start_paused = true)]
async fn a_mail_that_is_accepted_waits_for_no_check_and_overrules_it() {
    let slow = Arc::new(Slow::default());
    let (breaker, first) = opened(&slow).await;
    advance(PAUSE).await;
    let check = tokio::spawn({
        let breaker = Arc::clone(&breaker);
        async move { breaker.ready().await }
    });
    slow.checking.notified().await;
    slow.accept.notify_one();
    timeout(PAUSE, first).await.expect("it waits for no check").unwrap().unwrap();
    assert!(!breaker.is_paused());
    slow.end_check.notify_one();
    assert_eq!(check.await.unwrap(), Ok(()));
    assert!(!breaker.is_paused());
}
