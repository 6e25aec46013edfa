//! What operators do with a dead letter, with the tool and in the console.

use anyhow::Context;
use rekey_broker::rabbitmq::{Consumer, DeadLetters, DeadMessage};
use rekey_core::{
    deliveries::log::{DeliveryLife, DeliveryLog},
    events::audit::{Action, AuditEntry},
    ids::EventId,
    operators::OperatorName,
    random::OsRandom,
};
use rekey_store_postgres::PostgresStore;

use crate::output::or_dash;

/// What is done with a dead letter.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    Replay,
    Drop,
}

impl Change {
    /// Returns why a message is not given back to its queue, if so: it would be rejected, or nothing would be done with it.
    pub async fn obstacle(
        self,
        letters: &DeadLetters,
        message: &DeadMessage,
        store: &PostgresStore,
    ) -> anyhow::Result<Option<String>> {
        let (Self::Replay, Some(id)) = (self, event_id(message)) else { return Ok(None) };
        if store.is_event(id, message.payload()).await? == Some(false) {
            return Ok(Some("it is not the event of this id, but forged or damaged: drop it".to_owned()));
        }
        let life = mail(letters, id, store).await?;
        Ok(life.and_then(|life| life.delivery.not_replayable()).map(|reason| reason.to_string()))
    }

    /// Records what is done in the audit log, and does it. If this ends in between, the message is still here.
    pub async fn apply(
        self,
        letters: &DeadLetters,
        message: &DeadMessage,
        store: &PostgresStore,
        operator: Option<OperatorName>,
    ) -> anyhow::Result<()> {
        let audit = AuditEntry::by_named_operator(operator, self.action(), &OsRandom);
        match (self, event_id(message)) {
            (Self::Replay, Some(id)) => {
                if let Some(life) = mail(letters, id, store).await? {
                    let is_due = store.revive_delivery(life.delivery.scope, id, false, &audit).await?;
                    anyhow::ensure!(is_due, "the mail {id} has changed meanwhile: look at it again");
                } else {
                    store.record_dead_letter(id, &audit).await?;
                }
                letters.replay(message).await
            }
            (Self::Replay, None) => letters.replay(message).await,
            (Self::Drop, id) => {
                if let Some(id) = id {
                    store.record_dead_letter(id, &audit).await?;
                }
                letters.remove(message).await
            }
        }
        .with_context(|| format!("{} stays a dead letter", or_dash(message.id())))
    }

    fn action(self) -> Action {
        match self {
            Self::Replay => Action::ReplayDeadLetter,
            Self::Drop => Action::DropDeadLetter,
        }
    }

    pub fn done(self) -> &'static str {
        match self {
            Self::Replay => "replayed",
            Self::Drop => "dropped",
        }
    }

    pub fn planned(self) -> &'static str {
        match self {
            Self::Replay => "would be replayed",
            Self::Drop => "would be dropped",
        }
    }
}

/// Returns the id of the event that the message names. Nothing proves that it is the event.
fn event_id(message: &DeadMessage) -> Option<EventId> {
    message.id()?.parse().ok()
}

/// Returns the mail that a message from the mailer's queue is for. One from the webhooks' queue changes no mail.
async fn mail(
    letters: &DeadLetters,
    id: EventId,
    store: &PostgresStore,
) -> anyhow::Result<Option<DeliveryLife>> {
    match letters.consumer() {
        Consumer::Mailer => Ok(store.delivery_life(id).await?),
        Consumer::Webhooks => Ok(None),
    }
}
