//! The queue of dead letters, as the pages use it.

use std::{sync::Arc, time::Duration};

use rekey_broker::rabbitmq::{DeadLetters, RabbitConfig};
use rekey_core::operators::OperatorName;
use rekey_store_postgres::PostgresStore;
use tokio::{runtime::Handle, sync::Mutex, time::timeout};

use super::problem::Problem;
use crate::dead_letter::{self, Change, DeadLetterRow};

/// How long the first page waits for the broker.
const COUNT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the others do.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The dead letters. Each call has a connection of its own. Calls take turns, because one sees none that another looks at; and they run on the
/// program's own runtime, to the end, also when the browser goes away.
#[derive(Clone)]
pub struct Letters {
    config: RabbitConfig,
    store: PostgresStore,
    turn: Arc<Mutex<()>>,
    runtime: Handle,
}

impl Letters {
    /// Must be called on the program's own runtime.
    pub fn new(config: RabbitConfig, store: PostgresStore) -> Self {
        Self { config, store, turn: Arc::default(), runtime: Handle::current() }
    }

    /// Returns how many there are, or why that is unknown.
    pub async fn count(&self) -> Result<u32, String> {
        let config = self.config.clone();
        let counting = async move {
            let letters = DeadLetters::connect(&config).await?;
            let count = letters.count().await;
            letters.close().await;
            anyhow::Ok(count?)
        };
        self.run(COUNT_TIMEOUT, counting).await
    }

    /// Returns the oldest ones, at most `limit`, or why they are unknown.
    pub async fn list(&self, limit: u32) -> Result<Vec<DeadLetterRow>, String> {
        let this = self.clone();
        let listing = async move {
            let _turn = this.turn.lock().await;
            let mut letters = DeadLetters::connect(&this.config).await?;
            let rows = dead_letter::read(&mut letters, limit).await;
            letters.close().await;
            rows
        };
        self.run(TIMEOUT, listing).await
    }

    /// Gives those with that id back to the mailer.
    pub async fn replay(&self, id: String, operator: OperatorName) -> Result<(), Problem> {
        let this = self.clone();
        let replaying = async move {
            let _turn = this.turn.lock().await;
            let mut letters = DeadLetters::connect(&this.config).await?;
            let replayed = this.replay_from(&mut letters, &id, operator).await;
            letters.close().await;
            replayed
        };
        match self.run(TIMEOUT, replaying).await {
            Ok(Replayed::All) => Ok(()),
            Ok(Replayed::None) => Err(Problem::Refused("no dead letter has this id any more".to_owned())),
            Ok(Replayed::Kept(reason)) => Err(Problem::Refused(reason)),
            Err(error) => Err(Problem::Failed(error)),
        }
    }

    async fn replay_from(
        &self,
        letters: &mut DeadLetters,
        id: &str,
        operator: OperatorName,
    ) -> anyhow::Result<Replayed> {
        let mut replayed = Replayed::None;
        while let Some(message) = letters.next().await? {
            if message.id() != Some(id) {
                letters.keep(&message).await?;
                continue;
            }
            if let Some(reason) = Change::Replay.obstacle(letters, &message, &self.store).await? {
                letters.keep(&message).await?;
                replayed = replayed.or_kept(reason);
            } else {
                Change::Replay.apply(letters, &message, &self.store, Some(operator)).await?;
                replayed = Replayed::All;
            }
        }
        Ok(replayed)
    }

    async fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl Future<Output = anyhow::Result<T>> + Send + 'static,
    ) -> Result<T, String> {
        let late = move |_| {
            anyhow::anyhow!("not finished within {} seconds: it may be done, so look again", limit.as_secs())
        };
        let working = self.runtime.spawn(async move { timeout(limit, work).await.map_err(late).flatten() });
        let done = working.await.map_err(anyhow::Error::from).flatten();
        done.map_err(|error| format!("{error:#}"))
    }
}

/// What became of the dead letters with an id.
enum Replayed {
    /// There was none.
    None,
    /// At least one was given back: the event. Others with its id are forged or damaged.
    All,
    /// None could be given back.
    Kept(String),
}

impl Replayed {
    fn or_kept(self, reason: String) -> Self {
        match self {
            Self::All => Self::All,
            Self::None | Self::Kept(_) => Self::Kept(reason),
        }
    }
}
