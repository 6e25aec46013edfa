//! The audit log (the vendor's `event_stores`): who changed what, when, from where; never a value that is secret.

use std::net::IpAddr;

use crate::{
    caller::{Actor, Caller},
    ids::AuditId,
    random::RandomSource,
};

/// An entry to write in the same transaction as the change it tells of. The store adds the time.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// The entry's id.
    pub id: AuditId,
    /// Who did it.
    pub actor: Actor,
    /// From where, if known.
    pub address: Option<IpAddr>,
    /// What was done.
    pub action: Action,
    /// Which attributes were written, by their names on the wire.
    pub attributes: Vec<&'static str>,
}

/// What was done to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Action {
    /// It was created.
    Create,
    /// Attributes of it were changed.
    Update,
    /// It was deleted.
    Destroy,
    /// A reset was used.
    ResetPassword,
    /// A customer said that somebody else had requested the reset.
    #[strum(serialize = "disavow")]
    Reject,
    /// A customer's former address was restored by the link in the mail.
    RestoreEmail,
    /// A customer's personal data was replaced, as requested before.
    Anonymize,
    /// The address that a delivery bounced at is written to again.
    LiftSuppression,
}

impl Action {
    /// The action's name in the stores and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl AuditEntry {
    /// An entry for what `caller` does.
    #[must_use]
    pub fn new(
        caller: &Caller,
        action: Action,
        attributes: Vec<&'static str>,
        random: &dyn RandomSource,
    ) -> Self {
        Self {
            id: AuditId::generate(random),
            actor: caller.actor,
            address: caller.address,
            action,
            attributes,
        }
    }
}
