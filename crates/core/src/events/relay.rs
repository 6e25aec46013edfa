//! The relay: brings committed events from the outbox to the bus, at least once, whatever crashes.

use std::{sync::Arc, time::Duration as StdDuration};

use futures_util::{StreamExt, stream};
use time::Duration;
use tokio_util::sync::CancellationToken;

use crate::{
    error::StoreError,
    events::{
        bus::Bus,
        outbox::{ClaimedMessage, Outbox, RelaySignal},
    },
};

/// Moves messages from an outbox to a bus. Any number of relays may run on one outbox.
pub struct Relay {
    /// Where messages wait.
    pub outbox: Arc<dyn Outbox>,
    /// Where they go.
    pub bus: Arc<dyn Bus>,
    /// Wakes the relay after a commit.
    pub signal: RelaySignal,
    /// Messages claimed at once, and in flight at once, at most.
    pub batch: u32,
    /// For how long a claim holds: longer than publishing a batch can take, or others publish it again.
    pub lease: Duration,
    /// How often to look without being woken: for what a crash left behind or what became due.
    pub poll: StdDuration,
}

impl Relay {
    /// Runs until `stop` is cancelled; a batch that is in flight then is finished and settled.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.pass().await {
                // A full batch means there may be more.
                Ok(moved) if moved == self.batch => continue,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(error = %Chain(&error), "the relay can't reach its outbox; it tries again");
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.signal.woken() => {}
                () = tokio::time::sleep(self.poll) => {}
            }
        }
    }

    /// Claims, publishes and settles one batch; the number of messages claimed.
    ///
    /// # Errors
    /// When the outbox fails. What was claimed then becomes due again when its lease ends.
    pub async fn pass(&self) -> Result<u32, StoreError> {
        let claimed = self.outbox.claim_messages(self.lease, self.batch).await?;
        let count = u32::try_from(claimed.len()).unwrap_or(u32::MAX);
        let in_flight = claimed.len().max(1);
        let publish = |message: ClaimedMessage| self.bus.publish(message);
        // Fates that are known at the same time are settled together; a slow one holds up nobody else's.
        let mut fates =
            stream::iter(claimed).map(publish).buffer_unordered(in_flight).ready_chunks(in_flight);
        while let Some(settlements) = fates.next().await {
            self.outbox.settle_messages(&settlements).await?;
        }
        Ok(count)
    }
}

/// Shows an error with all its causes in one line.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
