//! Mails whose messages got lost: by a crash loop that used up the broker's delivery limit, a purged or lost queue, or a policy of the
//! broker.

use std::{convert::Infallible, time::Duration};

use rekey_core::{
    error::chain,
    events::bus::{Capacity, Handler},
};
use tokio::time::sleep;

use super::MailHandler;

/// How often to look: a small part of the time after which a mail is overdue.
const INTERVAL: Duration = Duration::from_secs(30);
/// The most events that are published again at once.
const BATCH: u32 = 1000;

impl MailHandler {
    /// Has the events of overdue mails published again, until it is dropped. While no relay can be used it waits: their messages wait, too.
    pub async fn run_republishing(&self) -> Infallible {
        loop {
            if self.capacity() == Capacity::Full {
                match self.ledger.republish_overdue(BATCH).await {
                    Ok(0) => {}
                    Ok(count) => {
                        tracing::warn!(count, "mails were overdue, their events are published again");
                    }
                    Err(error) => tracing::warn!(cause = chain(&error), "can't look for overdue mails"),
                }
            }
            sleep(INTERVAL).await;
        }
    }
}
