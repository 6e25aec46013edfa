//! The cleanup of the database: what self-service leaves, so that requests for unknown addresses can't fill it, and old records.

use std::{convert::Infallible, sync::Arc};

use async_trait::async_trait;
use strum::{EnumIter, IntoStaticStr};
use time::{Duration, OffsetDateTime};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    customers::email_change::EMAIL_UNDO_TTL,
    deliveries::UNCONFIRMED_NOTICE_WINDOW,
    error::StoreError,
    ids::AuditId,
    metrics::{CounterBy, LastValue, seconds_gauge},
    random::RandomSource,
    resets::rules::{Rules, SharedRules},
    sessions::guesses::KEEP_GUESSES,
    webhooks::KEEP_CALLBACKS,
};

/// The port that deletes what is no longer needed.
#[async_trait]
pub trait Cleanup: Send + Sync + 'static {
    /// Whether the database lets this process delete records. It need not be the process that writes them.
    async fn is_permitted(&self) -> Result<bool, StoreError>;

    /// Deletes decoys that were made at least `age` ago, with their events, mails and audit entries: at most `max` of them, the oldest
    /// first. Returns how many.
    async fn forget_decoys(&self, age: Duration, max: u32) -> Result<u32, StoreError>;

    /// Deletes the cooldowns of addresses and the counts of accounts' mails that were last used at least `age` ago, at most `max` of
    /// each. Returns how many.
    async fn forget_quotas(&self, age: Duration, max: u32) -> Result<u64, StoreError>;

    /// Deletes counts of guesses, and networks known by them, that were last used at least `age` ago, at most `max`. Returns
    /// how many.
    async fn forget_guesses(&self, age: Duration, max: u32) -> Result<u64, StoreError>;

    /// Ends the counts of log-ins of hours that began at least `age` ago: deletes as many as there are `ids` at most. A customer with more
    /// than [`MAX_SIGN_IN_ENTRIES`](crate::sessions::MAX_SIGN_IN_ENTRIES) of them gets one audit entry about the others, under one of the
    /// ids. Returns how many were deleted.
    async fn end_sign_in_counts(&self, age: Duration, ids: &[AuditId]) -> Result<u64, StoreError>;

    /// Deletes changes of addresses that were made at least `age` ago. Returns how many.
    async fn forget_email_changes(&self, age: Duration) -> Result<u64, StoreError>;

    /// Erases what is recorded about at most `max` customers that were deleted or anonymized: published events other than
    /// [`KEPT_EVENTS`](crate::customers::anonymization::KEPT_EVENTS), deliveries with a final outcome, stored answers, counts of log-ins and
    /// the personal fields of audit entries. A customer with something that still waits is looked at again after `retry_after`, the others
    /// are done. Returns how many customers were looked at.
    /// Simultaneous calls look at different ones.
    async fn erase(&self, retry_after: Duration, max: u32) -> Result<u64, StoreError>;

    /// Deletes records of that kind that were made at least `age` ago and that nothing needs any more: about `max` of them, the oldest of
    /// each scope first. Returns how many. Simultaneous calls delete different ones.
    async fn purge(&self, kind: PurgeKind, age: Duration, max: u32) -> Result<u64, StoreError>;

    /// Counts the records that [`Cleanup::purge`] would delete.
    async fn count_purgeable(&self, kind: PurgeKind, age: Duration) -> Result<u64, StoreError>;
}

/// A kind of records that are deleted when they are old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PurgeKind {
    /// Resets that have expired and have no mail waiting.
    Resets,
    /// Deliveries with a final outcome. Those that suppressed their address stay as long as the suppression does: by them it goes with its
    /// customer.
    Deliveries,
    /// Published events that have no mail waiting.
    Events,
    /// Audit entries.
    Audit,
    /// What webhooks are sent.
    EventCallbacks,
    /// The rows that log-ins of unknown accounts leave in place of audit entries.
    SignInDecoys,
}

/// How long records are kept; `None` is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Resets, used and expired.
    pub resets: Option<Duration>,
    /// Deliveries.
    pub deliveries: Option<Duration>,
    /// Events.
    pub events: Option<Duration>,
    /// Audit entries.
    pub audit: Option<Duration>,
}

impl Retention {
    /// Returns the kinds that are deleted, and the age at which they are. A delivery goes before what it would hold back.
    pub fn ages(&self) -> impl Iterator<Item = (PurgeKind, Duration)> {
        let kinds = [
            (PurgeKind::Deliveries, self.deliveries),
            (PurgeKind::Resets, self.resets),
            (PurgeKind::Events, self.events),
            (PurgeKind::Audit, self.audit),
            (PurgeKind::EventCallbacks, Some(KEEP_CALLBACKS)),
        ];
        kinds.into_iter().filter_map(|(kind, age)| Some((kind, age?)))
    }
}

/// Deletes all old records of a kind, in small batches with pauses between them, and reports how many each batch had. Returns how many there
/// were.
///
/// # Errors
/// When the store fails; what was deleted until then stays deleted.
pub async fn purge(
    store: &dyn Cleanup,
    kind: PurgeKind,
    age: Duration,
    report: impl Fn(u64) + Send,
) -> Result<u64, StoreError> {
    let mut total = 0;
    loop {
        let deleted = store.purge(kind, age, PURGE_BATCH).await?;
        total += deleted;
        report(deleted);
        if deleted < PURGE_BATCH.into() {
            return Ok(total);
        }
        tokio::time::sleep(PURGE_PAUSE).await;
    }
}

/// Runs the cleanup periodically.
#[derive(Clone)]
pub struct CleanupTask {
    /// The store to clean.
    pub store: Arc<dyn Cleanup>,
    /// What decoys and quotas are kept for.
    pub rules: SharedRules,
    /// How long records are kept.
    pub retention: Retention,
    /// Makes ids of audit entries.
    pub random: Arc<dyn RandomSource>,
    /// Says when a cleanup has succeeded.
    pub clock: Arc<dyn Clock>,
}

/// What was deleted, as the metrics name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
enum Cleaned {
    Resets,
    Deliveries,
    Events,
    Audit,
    EventCallbacks,
    SignInDecoys,
    Decoys,
    Quotas,
    Guesses,
    Erasures,
    SignInCounts,
    EmailChanges,
}

static DELETED: CounterBy<Cleaned> =
    CounterBy::new("rekey.cleanup.deleted", "Records that the cleanup has deleted, by kind.", "kind");

impl From<PurgeKind> for Cleaned {
    fn from(kind: PurgeKind) -> Self {
        match kind {
            PurgeKind::Resets => Self::Resets,
            PurgeKind::Deliveries => Self::Deliveries,
            PurgeKind::Events => Self::Events,
            PurgeKind::Audit => Self::Audit,
            PurgeKind::EventCallbacks => Self::EventCallbacks,
            PurgeKind::SignInDecoys => Self::SignInDecoys,
        }
    }
}

/// How long what has ended is kept, for transactions that began before.
const GRACE: Duration = Duration::HOUR;
/// The age of an hour that is over, for transactions that began before its end, too.
const ENDED_HOUR: Duration = Duration::minutes(61);
/// How often to look: often enough that a day's decoys are never deleted at once.
const INTERVAL: std::time::Duration = std::time::Duration::from_mins(10);
/// How many decoys, counts or cooldowns are deleted in one transaction.
const BATCH: u32 = 500;
/// How many deleted customers are looked at in one transaction: each has many records.
const ERASURE_BATCH: u32 = 50;
/// When a deleted customer of which something waits is looked at again: mails wait for up to a day.
const ERASURE_RETRY: Duration = Duration::minutes(10);
/// How many old records are deleted in one statement: it takes some milliseconds, and never locks what anyone waits for.
pub const PURGE_BATCH: u32 = 500;
/// The pause between two such statements, which leaves the database to others.
const PURGE_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

impl CleanupTask {
    /// Runs until it is stopped.
    pub async fn run_until_stopped(self, stop: CancellationToken) -> Result<(), Infallible> {
        DELETED.start();
        let succeeded_at = LastValue::<f64>::default();
        let observed = succeeded_at.clone();
        let description = "Time of the last cleanup without a failure, in seconds since 1970.";
        seconds_gauge("rekey.cleanup.last_success", description, move |gauge| {
            observed.with(|time| gauge.observe(time, &[]));
        });
        let forever = async {
            loop {
                if self.clean().await {
                    succeeded_at.set(Some((self.clock.now() - OffsetDateTime::UNIX_EPOCH).as_seconds_f64()));
                }
                tokio::time::sleep(INTERVAL).await;
            }
        };
        stop.run_until_cancelled(forever).await.map_or(Ok(()), |never| match never {})
    }

    /// As long as the token of a real reset can be used, and guesses at its code are counted.
    fn decoy_age(&self) -> Duration {
        let age = |rules: &Rules| rules.token_ttl + rules.code.map_or(Duration::ZERO, |code| code.window);
        self.rules.load().values().map(age).max().unwrap_or_default() + GRACE
    }

    /// As long as a cooldown or a window lasts, those of notices included.
    fn quota_age(&self) -> Duration {
        let age = |rules: &Rules| rules.quota.window.max(rules.quota.cooldown).max(rules.rejection_cooldown);
        self.rules.load().values().map(age).chain([UNCONFIRMED_NOTICE_WINDOW]).max().unwrap_or_default()
            + GRACE
    }

    /// Returns an id for each count that a batch may end.
    fn audit_ids(&self) -> Vec<AuditId> {
        (0..BATCH).map(|_| AuditId::generate(&*self.random)).collect()
    }

    /// The failure of one deletion does not keep back the others. Returns whether all succeeded.
    async fn clean(&self) -> bool {
        let store = &self.store;
        let (decoy_age, quota_age) = (self.decoy_age(), self.quota_age());
        let batch = u64::from(BATCH);
        let decoys = async {
            while counted(Cleaned::Decoys, store.forget_decoys(decoy_age, BATCH).await?.into()) >= batch {}
            Ok(())
        };
        let quotas = async {
            while counted(Cleaned::Quotas, store.forget_quotas(quota_age, BATCH).await?) >= batch {}
            Ok(())
        };
        let guesses = async {
            while counted(Cleaned::Guesses, store.forget_guesses(KEEP_GUESSES, BATCH).await?) >= batch {}
            Ok(())
        };
        let erase = async {
            while counted(Cleaned::Erasures, store.erase(ERASURE_RETRY, ERASURE_BATCH).await?) > 0 {}
            Ok(())
        };
        let sign_ins = async {
            while counted(
                Cleaned::SignInCounts,
                store.end_sign_in_counts(ENDED_HOUR, &self.audit_ids()).await?,
            ) >= batch
            {}
            Ok(())
        };
        let mut is_complete = succeeded("decoys", &decoys.await);
        is_complete &= succeeded("quotas", &quotas.await);
        is_complete &= succeeded("guesses", &guesses.await);
        is_complete &= succeeded("records of deleted customers", &erase.await);
        is_complete &= succeeded("counts of log-ins", &sign_ins.await);
        // Those of resets, which are as old, are deleted by now: the oldest ones are all of this kind.
        let sign_in_decoys = purge(&**store, PurgeKind::SignInDecoys, decoy_age, drop).await;
        let sign_in_decoys = sign_in_decoys.map(|count| counted(Cleaned::SignInDecoys, count));
        is_complete &= succeeded("decoys of log-ins", &sign_in_decoys);
        let email_changes = store.forget_email_changes(EMAIL_UNDO_TTL + GRACE).await;
        let email_changes = email_changes.map(|count| counted(Cleaned::EmailChanges, count));
        is_complete &= succeeded("changes of addresses", &email_changes);
        for (kind, age) in self.retention.ages() {
            match purge(&**store, kind, age, drop).await {
                Ok(0) => {}
                Ok(count) => {
                    counted(kind.into(), count);
                    tracing::info!(?kind, count, "deleted old records");
                }
                Err(error) => {
                    tracing::warn!(%error, ?kind, "deleting old records failed");
                    is_complete = false;
                }
            }
        }
        is_complete
    }
}

/// Counts what was deleted, and returns it.
fn counted(kind: Cleaned, count: u64) -> u64 {
    DELETED.add(kind, count);
    count
}

/// Logs a failure. Returns whether there was none.
fn succeeded<T>(what: &str, deleted: &Result<T, StoreError>) -> bool {
    if let Err(error) = deleted {
        tracing::warn!(%error, what, "deleting what has ended failed");
    }
    deleted.is_ok()
}
