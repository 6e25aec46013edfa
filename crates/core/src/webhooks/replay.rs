//! Sending again what webhooks were sent, or were not: the port to the database.

use async_trait::async_trait;
use time::{Duration, OffsetDateTime};

use super::KEEP_CALLBACKS;
use crate::{
    error::StoreError,
    events::audit::AuditEntry,
    ids::{CallbackId, WebhookId},
    scope::Scope,
};

/// The most callbacks that are replayed at once: they are written by one statement, and go out before what occurs later. A receiver that answers
/// in 50 ms has them in a minute.
pub const MAX_REPLAYED: u32 = 10_000;

/// The state of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum CallbackState {
    /// An attempt is due, under way, or follows.
    Waiting,
    /// The receiver has it.
    Delivered,
    /// The receiver does not have it, and no attempt follows.
    Failed,
    /// Its payload was erased with its customer's data.
    Erased,
}

impl CallbackState {
    /// Those that lists can be restricted to: an operator may act on them, and an index finds them among many others.
    pub const LISTED: [Self; 2] = [Self::Waiting, Self::Failed];

    /// The state's name in the stores, and as it is printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The time from which on callbacks were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// This long ago, by the database's clock.
    Ago(Duration),
    /// This time.
    At(OffsetDateTime),
}

impl Default for Since {
    /// All that are kept.
    fn default() -> Self {
        Self::Ago(KEEP_CALLBACKS)
    }
}

/// Chooses among the callbacks of a scope that have ended and were not erased. Those of deleted webhooks are left out.
#[derive(Debug, Clone, Copy)]
pub struct Replay {
    /// Those of this webhook; `None` is all webhooks of the scope.
    pub webhook: Option<WebhookId>,
    /// Those from this time on.
    pub since: Since,
    /// Whether those that were delivered are sent again, too.
    pub with_delivered: bool,
    /// How many at most, the oldest first: [`MAX_REPLAYED`].
    pub max: u32,
    /// Whether they are only counted.
    pub is_dry_run: bool,
}

/// What was replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// How many callbacks are due again, or would be.
    pub count: u64,
    /// When the first one that was beyond the bound was added; `None` if those were all.
    pub next: Option<OffsetDateTime>,
}

/// Why a callback is not replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// There is none.
    #[error("no callback of this organization and mode has the id {0}")]
    Unknown(CallbackId),
    /// It has not ended, or another replay came first.
    #[error("the callback {0} is not replayed: an attempt is due or under way already")]
    Waiting(CallbackId),
    /// There is nothing to send.
    #[error("the callback {0} is not replayed: its payload was erased with its customer’s data")]
    Erased(CallbackId),
    /// There is nobody to send it to.
    #[error("the callback {0} is not replayed: its webhook was deleted")]
    NoWebhook(CallbackId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ReplayError {
    /// The reason that the callback was not replayed, as the store has found it.
    #[must_use]
    pub fn new(id: CallbackId, state: CallbackState, has_webhook: bool) -> Self {
        match state {
            CallbackState::Erased => Self::Erased(id),
            CallbackState::Delivered | CallbackState::Failed if !has_webhook => Self::NoWebhook(id),
            CallbackState::Waiting | CallbackState::Delivered | CallbackState::Failed => Self::Waiting(id),
        }
    }
}

/// Makes callbacks due again that have ended: with the same event and payload, to where the webhook receives now, and with all attempts. The last
/// answer is shown until there is another one. Those of a webhook that is disabled, or has an open circuit, wait for it.
#[async_trait]
pub trait CallbackReplay: Send + Sync + 'static {
    /// Replays one callback, with an audit entry about it.
    async fn replay_callback(
        &self,
        scope: Scope,
        id: CallbackId,
        audit: &AuditEntry,
    ) -> Result<(), ReplayError>;

    /// Replays those that are chosen, in one statement, with one audit entry: about the webhook, or about the organization. One that chooses none
    /// leaves no entry.
    async fn replay_callbacks(
        &self,
        scope: Scope,
        replay: &Replay,
        audit: &AuditEntry,
    ) -> Result<Replayed, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_the_names_that_the_stores_return() {
        for (state, name) in [
            (CallbackState::Waiting, "waiting"),
            (CallbackState::Delivered, "delivered"),
            (CallbackState::Failed, "failed"),
            (CallbackState::Erased, "erased"),
        ] {
            assert_eq!(state.as_str(), name);
        }
    }
}
