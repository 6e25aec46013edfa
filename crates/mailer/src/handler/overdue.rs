//! Mails that are overdue because their messages got lost: by a crash loop that used up the broker's delivery limit, a purged or lost queue, or a policy of the
//! broker.

use std::{convert::Infallible, time::Duration};

use rekey_core::{
    error::chain,
    events::{
        bus::{Capacity, Handler},
        outbox::REPUBLISH_AFTER,
    },
};
use tokio::time::{Instant, sleep};

use super::MailHandler;

/// How often to look: a small part of the time after which a mail is overdue.
const INTERVAL: Duration = Duration::from_secs(10);
/// How long no message comes when none waits.
const QUIET: Duration = Duration::from_secs(10);
/// The most events that are published again at once.
const BATCH: u32 = 1000;

impl MailHandler {
    /// Has the events of overdue mails published again, until it is dropped.
    ///
    /// After an outage many mails are overdue and their messages wait in the queue. So it begins when no message has come for a while, or
    /// when messages could be handled for as long as a mail takes to be overdue. `is_consuming` says whether they could come.
    pub async fn run_republishing(&self, is_consuming: impl Fn() -> bool + Send + Sync) -> Infallible {
        let mut consuming_since = Instant::now();
        loop {
            sleep(INTERVAL).await;
            if self.capacity() != Capacity::Full || !is_consuming() {
                consuming_since = Instant::now();
                continue;
            }
            let is_quiet = self.last_message_at().max(consuming_since).elapsed() >= QUIET;
            if is_quiet || consuming_since.elapsed() >= REPUBLISH_AFTER {
                self.republish().await;
            }
        }
    }

    async fn republish(&self) {
        match self.ledger.republish_overdue(BATCH).await {
            Ok(0) => {}
            Ok(count) => {
                tracing::warn!(count, "mails were overdue, their events are published again");
            }
            Err(error) => tracing::warn!(cause = chain(&error), "can't look for overdue mails"),
        }
    }
}
