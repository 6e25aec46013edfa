//! Gauges of what the database knows: how much waits in the outbox and for the audit log's chain, which mails are unsent, what webhooks wait
//! for, and how old the keys are.
//!
//! A task looks each of them up every 15 seconds by one statement. Reading metrics never asks the database.

use std::{convert::Infallible, sync::Arc};

use async_trait::async_trait;
use opentelemetry::KeyValue;
use time::Duration;

use crate::{
    error::{StoreError, chain},
    key_rotation::KeyKind,
    metrics::{LastValue, REFRESH_INTERVAL, gauge, seconds_gauge},
};

/// Up to how many waiting events, unsent mails, callbacks, or audit entries are counted: the statement stays short when more wait.
pub const MAX_COUNTED: u32 = 100_000;

/// The port to what is measured in the database.
#[async_trait]
pub trait GaugeStore: Send + Sync + 'static {
    /// Returns the events that are to be published, up to [`MAX_COUNTED`], those included that a process is publishing.
    async fn outbox_backlog(&self) -> Result<Backlog, StoreError>;

    /// Returns how many audit entries are not chained yet, up to [`MAX_COUNTED`], those of unknown addresses included.
    async fn unchained_entries(&self) -> Result<u64, StoreError>;

    /// Returns the mails that are neither sent nor ended, up to [`MAX_COUNTED`].
    async fn unsent_mails(&self) -> Result<UnsentMails, StoreError>;

    /// Returns what webhooks wait for, up to [`MAX_COUNTED`] callbacks.
    async fn webhook_backlog(&self) -> Result<WebhookBacklog, StoreError>;

    /// Returns how long ago the current key of each kind was recorded as such first.
    async fn key_ages(&self) -> Result<KeyAges, StoreError>;
}

/// What waits in the outbox.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backlog {
    /// How many events wait.
    pub waiting: u64,
    /// The age of the oldest one; zero if none waits.
    pub oldest_age: Duration,
}

/// The mails that are neither sent nor ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnsentMails {
    /// Those of which no attempt was finished yet.
    pub queued: u64,
    /// Those that were not accepted, and are tried again.
    pub deferred: u64,
    /// The age of the oldest one; zero if there is none.
    pub oldest_age: Duration,
}

/// What webhooks wait for. What waits for one that is disabled, or has an open circuit, is not due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WebhookBacklog {
    /// Callbacks that are due, those included that are being made.
    pub due: u64,
    /// How long the one that has waited longest has been due; zero if none is.
    pub oldest_due_age: Duration,
    /// Webhooks that have an open circuit and are not disabled.
    pub open_circuits: u64,
}

/// The ages of the keys in use; `None` for a kind that was never recorded.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct KeyAges {
    /// The key that signs access tokens.
    pub signing: Option<Duration>,
    /// The key that encrypts what is stored.
    pub sealing: Option<Duration>,
}

impl KeyAges {
    /// Sets the age of one kind.
    pub fn set(&mut self, kind: KeyKind, age: Duration) {
        match kind {
            KeyKind::SigningKeys => self.signing = Some(age),
            KeyKind::SealingKeys => self.sealing = Some(age),
        }
    }
}

/// Keeps the gauges of the outbox, the audit log and the keys, which are rekey-api's, until it is dropped.
pub async fn run_api_gauges(store: Arc<dyn GaugeStore>) -> Infallible {
    let (backlog, ages) = (LastValue::<Backlog>::default(), LastValue::<KeyAges>::default());
    let unchained = LastValue::<u64>::default();
    let value = backlog.clone();
    gauge("rekey.outbox.waiting", "Events that are to be published, up to 100,000.", move |gauge| {
        value.with(|backlog| gauge.observe(backlog.waiting, &[]));
    });
    let value = backlog.clone();
    seconds_gauge(
        "rekey.outbox.oldest_age",
        "Age of the oldest event that is to be published.",
        move |gauge| {
            value.with(|backlog| gauge.observe(backlog.oldest_age.as_seconds_f64(), &[]));
        },
    );
    let value = unchained.clone();
    gauge("rekey.audit.unchained", "Audit entries that are not chained yet, up to 100,000.", move |gauge| {
        value.with(|count| gauge.observe(count, &[]));
    });
    let value = ages.clone();
    seconds_gauge("rekey.key.age", "Time since the key in use was used first.", move |gauge| {
        value.with(|ages| {
            for (kind, age) in [("signing", ages.signing), ("sealing", ages.sealing)] {
                if let Some(age) = age {
                    gauge.observe(age.as_seconds_f64(), &[KeyValue::new("kind", kind)]);
                }
            }
        });
    });
    loop {
        backlog.set(known("outbox", store.outbox_backlog().await));
        unchained.set(known("audit queue", store.unchained_entries().await));
        ages.set(known("keys", store.key_ages().await));
        tokio::time::sleep(REFRESH_INTERVAL).await;
    }
}

/// Keeps the gauges of unsent mails, which are rekey-mailer's, until it is dropped.
pub async fn run_mailer_gauges(store: Arc<dyn GaugeStore>) -> Infallible {
    let unsent = LastValue::<UnsentMails>::default();
    let value = unsent.clone();
    gauge("rekey.mail.unsent", "Mails that are neither sent nor ended, up to 100,000.", move |gauge| {
        value.with(|unsent| {
            gauge.observe(unsent.queued, &[KeyValue::new("status", "queued")]);
            gauge.observe(unsent.deferred, &[KeyValue::new("status", "deferred")]);
        });
    });
    let value = unsent.clone();
    seconds_gauge(
        "rekey.mail.oldest_age",
        "Age of the oldest mail that is neither sent nor ended.",
        move |gauge| {
            value.with(|unsent| gauge.observe(unsent.oldest_age.as_seconds_f64(), &[]));
        },
    );
    loop {
        unsent.set(known("unsent mails", store.unsent_mails().await));
        tokio::time::sleep(REFRESH_INTERVAL).await;
    }
}

/// Keeps the gauges of what webhooks wait for, which are rekey-webhooks', until it is dropped.
pub async fn run_webhook_gauges(store: Arc<dyn GaugeStore>) -> Infallible {
    let backlog = LastValue::<WebhookBacklog>::default();
    let value = backlog.clone();
    gauge("rekey.webhook.due", "Callbacks that are due, up to 100,000.", move |gauge| {
        value.with(|backlog| gauge.observe(backlog.due, &[]));
    });
    let value = backlog.clone();
    seconds_gauge(
        "rekey.webhook.oldest_due_age",
        "How long the callback that has waited longest has been due.",
        move |gauge| {
            value.with(|backlog| gauge.observe(backlog.oldest_due_age.as_seconds_f64(), &[]));
        },
    );
    let value = backlog.clone();
    gauge("rekey.webhook.circuits_open", "Webhooks that have an open circuit.", move |gauge| {
        value.with(|backlog| gauge.observe(backlog.open_circuits, &[]));
    });
    loop {
        backlog.set(known("webhooks", store.webhook_backlog().await));
        tokio::time::sleep(REFRESH_INTERVAL).await;
    }
}

/// Returns the value; a failure is logged, and nothing is shown until the next look.
fn known<T>(what: &str, found: Result<T, StoreError>) -> Option<T> {
    found.inspect_err(|error| tracing::debug!(what, cause = chain(error), "can't be measured")).ok()
}
