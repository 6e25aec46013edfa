//! The audit of rotated keys: the API compares the ids of its keys with those that it was started with last. No key is ever stored.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    error::StoreError,
    events::audit::{Action, AuditEntry},
    ids::AuditId,
    organizations::OrganizationStore,
    random::RandomSource,
    scope::{Mode, Scope},
};

/// What the keys are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum KeyKind {
    /// They sign access tokens.
    SigningKeys,
    /// They encrypt what is stored, and sign events.
    SealingKeys,
}

impl KeyKind {
    /// Returns the kind's name in the stores, and as the audit log's `resource_type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A change of the keys that the API is started with.
#[derive(Debug)]
pub struct KeyChange<'a> {
    /// What they are for.
    pub kind: KeyKind,
    /// The ids that were recorded last; `None` if none ever were.
    pub before: Option<&'a [String]>,
    /// The ids now, the current key's first.
    pub now: &'a [String],
    /// What the audit entries have in common.
    pub audit: &'a AuditEntry,
    /// The scopes that get an entry, and its id.
    pub entries: &'a [(Scope, AuditId)],
}

/// The port to the ids of the keys that the API was started with last.
#[async_trait]
pub trait KeyLog: OrganizationStore {
    /// Returns the recorded ids of that kind, the current key's first.
    async fn known_keys(&self, kind: KeyKind) -> Result<Option<Vec<String>>, StoreError>;

    /// Records the ids, with the audit entries, in one transaction. Does nothing if others than `before` are recorded by now, so that of
    /// several replicas that start at once one writes the entries.
    async fn record_keys(&self, change: &KeyChange<'_>) -> Result<(), StoreError>;
}

/// Records which keys the API was started with. Cheap to clone.
#[derive(Clone)]
pub struct KeyRecorder {
    /// Where the ids are kept.
    pub store: Arc<dyn KeyLog>,
    /// Makes ids of audit entries.
    pub random: Arc<dyn RandomSource>,
    /// The ids of the keys of each kind, the current one's first.
    pub keys: [(KeyKind, Vec<String>); 2],
}

impl KeyRecorder {
    /// Records the keys, and writes an audit entry for each organization and mode if they are others than before. A failure is logged: the
    /// next start records them.
    pub async fn run(&self) {
        for (kind, ids) in &self.keys {
            if let Err(error) = self.record(*kind, ids).await {
                tracing::warn!(%error, ?kind, "recording the ids of the keys failed");
            }
        }
    }

    async fn record(&self, kind: KeyKind, now: &[String]) -> Result<(), StoreError> {
        let before = self.store.known_keys(kind).await?;
        if before.as_deref() == Some(now) {
            return Ok(());
        }
        // The first start has rotated nothing.
        let organizations = if before.is_some() { self.store.organizations().await? } else { Vec::new() };
        let scopes = organizations.iter().flat_map(|organization| {
            [Mode::Live, Mode::Test].map(|mode| Scope { organization: organization.id, mode })
        });
        let entries: Vec<_> = scopes.map(|scope| (scope, AuditId::generate(&*self.random))).collect();
        let audit = AuditEntry::by_operator(Action::RotateKeys, Vec::new(), &*self.random);
        let change = KeyChange { kind, before: before.as_deref(), now, audit: &audit, entries: &entries };
        self.store.record_keys(&change).await
    }
}
