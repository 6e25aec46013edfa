//! The audit log (the vendor's `event_stores`): who changed what, when, from where; never a value that is secret.

pub mod chain;
pub mod chainer;
pub mod verify;

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::{
    caller::{Actor, Caller},
    ids::{ApplicationId, AuditId, CustomerId, SessionId},
    operators::OperatorName,
    random::RandomSource,
    resources::customers::{CANCEL_ANONYMIZATION, REQUEST_ANONYMIZATION},
};

/// An entry to write in the same transaction as its change. The store adds the time.
///
/// The store keeps the personal fields in a table of their own, and their [digest](PersonalData::digest) in the entry: so they can be
/// erased, and the entry stays as it was written.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// The entry's id.
    pub id: AuditId,
    /// Who did it.
    pub actor: Actor,
    /// The customer who was logged in, and their session.
    pub session: Option<(CustomerId, SessionId)>,
    /// From where, if known.
    pub address: Option<IpAddr>,
    /// What was done.
    pub action: Action,
    /// Which attributes were written, by their names on the wire.
    pub attributes: Vec<&'static str>,
}

/// What was done to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString, strum::VariantNames)]
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
    /// A mail that failed or waited was made due again.
    Resend,
    /// A dead letter was given back to the mailer.
    ReplayDeadLetter,
    /// A dead letter was dropped.
    DropDeadLetter,
    /// A customer logged in.
    SignIn,
    /// A log-in failed: the password was wrong, or the customer has none.
    SignInFailed,
    /// A log-in was refused because the account had too many wrong passwords. Nothing was compared.
    SignInThrottled,
    /// The guesses at the short codes of a reset's account were used up.
    CodeThrottled,
    /// A customer's tries to change its own address were used up.
    EmailChangeThrottled,
    /// A refresh token was used again, which ended its session.
    RefreshTokenReused,
    /// An event was sent to its webhooks again.
    Trigger,
    /// What webhooks were sent, or were not, was made due again.
    Replay,
    /// An API client was revoked.
    Revoke,
    /// The API was started with other keys than before.
    RotateKeys,
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
        Self { address: caller.address, attributes, ..Self::by(caller.actor, action, random) }
    }

    /// An entry for what an operator does with the command-line tool.
    #[must_use]
    pub fn by_operator(action: Action, attributes: Vec<&'static str>, random: &dyn RandomSource) -> Self {
        Self { attributes, ..Self::by(Actor::Operator(None), action, random) }
    }

    /// An entry for what an operator does: one who is signed in to the console, or who uses the command-line tool.
    #[must_use]
    pub fn by_named_operator(
        operator: Option<OperatorName>,
        action: Action,
        random: &dyn RandomSource,
    ) -> Self {
        Self::by(Actor::Operator(operator), action, random)
    }

    /// An entry for what somebody at that address does through a client, without being logged in.
    #[must_use]
    pub fn by_client(
        client: ApplicationId,
        address: Option<IpAddr>,
        action: Action,
        random: &dyn RandomSource,
    ) -> Self {
        Self { address, ..Self::by(Actor::Client(client), action, random) }
    }

    fn by(actor: Actor, action: Action, random: &dyn RandomSource) -> Self {
        Self {
            id: AuditId::generate(random),
            actor,
            session: actor.session(),
            address: None,
            action,
            attributes: Vec::new(),
        }
    }

    /// Whether an entry about a customer is kept when the customer's personal data are erased: it says why.
    #[must_use]
    pub fn explains_erasure(&self) -> bool {
        let triggers = [REQUEST_ANONYMIZATION.name, CANCEL_ANONYMIZATION.name];
        matches!(self.action, Action::Destroy | Action::Anonymize)
            || self.attributes.iter().any(|name| triggers.contains(name))
    }

    /// Removes who did it, and from where. For a customer's own deletion: its entry is kept when their personal data are erased.
    pub fn remove_person(&mut self) {
        self.session = None;
        self.address = None;
    }
}

/// The personal fields of an audit entry, as stores keep them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonalData<'a> {
    /// The record that was changed.
    pub resource_id: &'a str,
    /// The customer that the entry is about. `None` if there is none, and in an entry that
    /// [explains](AuditEntry::explains_erasure) why the customer's personal data are gone.
    pub customer: Option<&'a str>,
    /// The customer who was logged in.
    pub actor_customer: Option<&'a str>,
    /// Their session.
    pub session: Option<&'a str>,
    /// The network address.
    pub address: Option<&'a str>,
}

impl PersonalData<'_> {
    /// Returns SHA-256 over the salt and the fields, separated by `/`, which none of them contains. `salt` is random, so that erased fields
    /// can't be found by trying.
    #[must_use]
    pub fn digest(&self, salt: &[u8]) -> [u8; 32] {
        let Self { resource_id, customer, actor_customer, session, address } = *self;
        let fields =
            [Some(resource_id), customer, actor_customer, session, address].map(Option::unwrap_or_default);
        Sha256::new_with_prefix(salt).chain_update(fields.join("/")).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn an_operators_entry_has_the_names_of_what_was_written() {
        let entry = AuditEntry::by_operator(Action::Update, vec!["name"], &OsRandom);
        assert_eq!((entry.actor, entry.attributes), (Actor::Operator(None), vec!["name"]));
    }
}
