//! Domain events, which are published on the broker.

pub mod audit;
pub mod bus;
mod name;
pub mod outbox;
pub mod receive;
pub mod recorder;
pub mod relay;
pub mod relay_queue;
pub mod retry_ladder;
mod wire;

use prost::Message;
use rekey_events::{SCHEMA_VERSION, v1};
use time::OffsetDateTime;

pub use self::name::EventName;
use crate::{
    email::EmailAddress,
    events::outbox::OutboxMessage,
    ids::{CustomerId, EmailChangeId, EventId, RecordId, ResetId},
    locale::Locale,
    scope::Scope,
    secrets::{KeyRing, SealedAddress, SealedCode, SealedToken, SealedUndoToken, UnsealError},
};

/// Something that happened in one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id: whoever consumes it handles each id once.
    pub id: EventId,
    /// Whose data it is about.
    pub scope: Scope,
    /// When, by the publisher's clock.
    pub occurred_at: OffsetDateTime,
    /// W3C `traceparent` of the call that caused it.
    pub traceparent: Option<String>,
    /// The languages that its caller reads, best first.
    pub locales: Vec<Locale>,
    /// What happened.
    pub body: EventBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventBody {
    /// A reset was requested.
    ResetCreated(ResetCreated),
    /// A reset was used: the customer has a new password.
    ResetUsed {
        /// The reset.
        reset: ResetId,
        /// The customer.
        customer: CustomerId,
        /// The address that the customer had; unknown in events of older versions.
        address: Option<SealedAddress>,
    },
    /// A reset was deleted.
    ResetDestroyed {
        /// The reset.
        reset: ResetId,
    },
    /// The customer said that somebody else asked for a reset; its token is dead.
    ResetRejected {
        /// The reset.
        reset: ResetId,
    },
    /// A customer was created.
    CustomerCreated {
        /// The customer.
        customer: CustomerId,
    },
    /// A customer's password was set by other means than a reset.
    CustomerPasswordCreated {
        /// The customer.
        customer: CustomerId,
        /// The address that the customer had; unknown in events of older versions.
        address: Option<SealedAddress>,
    },
    /// A customer has another address.
    CustomerEmailChanged(EmailChanged),
    /// A change of a customer's address was undone by the link in its mail.
    CustomerEmailRestored {
        /// The customer.
        customer: CustomerId,
    },
    /// The anonymization of a customer has started.
    CustomerAnonymizationStarted {
        /// The customer.
        customer: CustomerId,
    },
    /// A customer was anonymized.
    CustomerAnonymizationCompleted {
        /// The customer.
        customer: CustomerId,
    },
    /// A request to anonymize a customer was cancelled.
    CustomerAnonymizationCancelled {
        /// The customer.
        customer: CustomerId,
    },
    /// A customer was deleted.
    CustomerDestroyed {
        /// The customer.
        customer: CustomerId,
    },
}

impl EventBody {
    /// The record that it is about.
    #[must_use]
    pub fn record(&self) -> RecordId {
        match *self {
            Self::ResetCreated(ResetCreated { reset, .. })
            | Self::ResetUsed { reset, .. }
            | Self::ResetDestroyed { reset }
            | Self::ResetRejected { reset } => reset.into(),
            Self::CustomerEmailChanged(EmailChanged { customer, .. })
            | Self::CustomerCreated { customer }
            | Self::CustomerPasswordCreated { customer, .. }
            | Self::CustomerEmailRestored { customer }
            | Self::CustomerAnonymizationStarted { customer }
            | Self::CustomerAnonymizationCompleted { customer }
            | Self::CustomerAnonymizationCancelled { customer }
            | Self::CustomerDestroyed { customer } => customer.into(),
        }
    }

    /// The reset and the customer that it names.
    #[must_use]
    pub fn records(&self) -> (Option<ResetId>, Option<CustomerId>) {
        match *self {
            Self::ResetCreated(ref created) => (Some(created.reset), None),
            Self::ResetUsed { reset, customer, .. } => (Some(reset), Some(customer)),
            Self::ResetDestroyed { reset } | Self::ResetRejected { reset } => (Some(reset), None),
            Self::CustomerEmailChanged(ref changed) => (None, Some(changed.customer)),
            Self::CustomerCreated { customer }
            | Self::CustomerPasswordCreated { customer, .. }
            | Self::CustomerEmailRestored { customer }
            | Self::CustomerAnonymizationStarted { customer }
            | Self::CustomerAnonymizationCompleted { customer }
            | Self::CustomerAnonymizationCancelled { customer }
            | Self::CustomerDestroyed { customer } => (None, Some(customer)),
        }
    }
}

/// A reset that was requested; its secrets are sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetCreated {
    /// The reset.
    pub reset: ResetId,
    /// Its token.
    pub token: SealedToken,
    /// The OAuth client id of who asked; unknown in events of older versions.
    pub client_id: Option<String>,
    /// Its short code, where the organization has them.
    pub code: Option<SealedCode>,
    /// The address that was typed, where the organization answers addresses that have no account.
    pub address: Option<SealedAddress>,
}

/// A change of a customer's address; its secrets are sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailChanged {
    /// The customer.
    pub customer: CustomerId,
    /// The change.
    pub change: EmailChangeId,
    /// The token that undoes it.
    pub token: SealedUndoToken,
    /// The address that the customer had before.
    pub address: SealedAddress,
}

/// Why bytes are not an event of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Not the contract's encoding, or a field that makes no sense.
    #[error("malformed event")]
    Malformed,
    /// The tag is not one of our keys' over these bytes.
    #[error("forged event: the tag does not match")]
    Forged,
    /// A later contract's event.
    #[error("unknown schema version {0}")]
    Version(u32),
    /// Signed by one of our keys, but its body is none that this version knows.
    #[error("an event that this version does not know")]
    Unknown,
}

impl Event {
    /// The event's topic.
    #[must_use]
    pub fn name(&self) -> EventName {
        match self.body {
            EventBody::ResetCreated(_) => EventName::ResetCreate,
            EventBody::ResetUsed { .. } => EventName::ResetPassword,
            EventBody::ResetDestroyed { .. } => EventName::ResetDestroy,
            EventBody::ResetRejected { .. } => EventName::ResetReject,
            EventBody::CustomerCreated { .. } => EventName::CustomerCreate,
            EventBody::CustomerPasswordCreated { .. } => EventName::CustomerCreatePassword,
            EventBody::CustomerEmailChanged(_) => EventName::CustomerChangeEmail,
            EventBody::CustomerEmailRestored { .. } => EventName::CustomerRestoreEmail,
            EventBody::CustomerAnonymizationStarted { .. } => EventName::CustomerAnonymizationStart,
            EventBody::CustomerAnonymizationCompleted { .. } => EventName::CustomerAnonymizationComplete,
            EventBody::CustomerAnonymizationCancelled { .. } => EventName::CustomerAnonymizationCancel,
            EventBody::CustomerDestroyed { .. } => EventName::CustomerDestroy,
        }
    }

    /// Returns the address that the event's mail goes to, whatever address the customer has by now; `None` where the event names none.
    ///
    /// # Errors
    /// When the key that encrypted it is gone.
    pub fn recipient(&self, keys: &KeyRing) -> Result<Option<EmailAddress>, UnsealError> {
        let (address, record) = match &self.body {
            EventBody::ResetUsed { reset, address: Some(address), .. } => (address, RecordId::from(*reset)),
            EventBody::CustomerPasswordCreated { customer, address: Some(address) } => {
                (address, RecordId::from(*customer))
            }
            EventBody::CustomerEmailChanged(changed) => (&changed.address, RecordId::from(changed.change)),
            _ => return Ok(None),
        };
        address.unseal(self.scope.organization, record, keys).map(Some)
    }

    /// Encodes and signs the event for the outbox.
    #[must_use]
    pub fn sign(&self, keys: &KeyRing) -> OutboxMessage {
        let event = self.to_wire().encode_to_vec();
        let (key_id, tag) = keys.sign(&event);
        let payload = v1::SignedEvent { event, key_id, tag: tag.to_vec() }.encode_to_vec();
        OutboxMessage { id: self.id, name: self.name(), payload }
    }

    /// Reads an event that one of our keys signed.
    ///
    /// # Errors
    /// See [`EventError`]; the tag is checked before a byte of the event is decoded.
    pub fn verify(payload: &[u8], keys: &KeyRing) -> Result<Self, EventError> {
        let signed = v1::SignedEvent::decode(payload).map_err(|_| EventError::Malformed)?;
        if !keys.verify(&signed.key_id, &signed.event, &signed.tag) {
            return Err(EventError::Forged);
        }
        let wire = v1::Event::decode(signed.event.as_slice()).map_err(|_| EventError::Malformed)?;
        if wire.schema_version != SCHEMA_VERSION {
            return Err(EventError::Version(wire.schema_version));
        }
        Self::from_wire(wire).ok_or(EventError::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::{Clock, SystemClock},
        random::OsRandom,
        scope::Mode,
        testing::ring,
    };

    fn keys(seed: u8) -> KeyRing {
        ring([("test", seed)])
    }

    fn event(body: EventBody) -> Event {
        let organization = "ORGANIZAT1".parse().unwrap();
        Event {
            id: EventId::generate(&OsRandom),
            scope: Scope { organization, mode: Mode::Live },
            occurred_at: SystemClock.now(),
            traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
            locales: vec!["de-AT".parse().unwrap(), "fr".parse().unwrap()],
            body,
        }
    }

    #[test]
    fn every_event_survives_the_wire() {
        let (reset, customer) = ("RESETRESE1".parse().unwrap(), "CUSTOMERS1".parse().unwrap());
        let bare = ResetCreated {
            reset,
            token: SealedToken::from_bytes(vec![1, 2, 3]),
            client_id: None,
            code: None,
            address: None,
        };
        let whole = ResetCreated {
            client_id: Some("client".to_owned()),
            code: Some(SealedCode::from_bytes(vec![6])),
            address: Some(SealedAddress::from_bytes(vec![4, 5])),
            ..bare.clone()
        };
        let address = Some(SealedAddress::from_bytes(vec![7, 8]));
        let changed = EmailChanged {
            customer,
            change: "EMAILCHNG1".parse().unwrap(),
            token: SealedUndoToken::from_bytes(vec![9]),
            address: SealedAddress::from_bytes(vec![10]),
        };
        for body in [
            EventBody::ResetCreated(bare),
            EventBody::ResetCreated(whole),
            EventBody::ResetUsed { reset, customer, address: None },
            EventBody::ResetUsed { reset, customer, address: address.clone() },
            EventBody::ResetDestroyed { reset },
            EventBody::ResetRejected { reset },
            EventBody::CustomerCreated { customer },
            EventBody::CustomerPasswordCreated { customer, address: None },
            EventBody::CustomerPasswordCreated { customer, address },
            EventBody::CustomerEmailChanged(changed),
            EventBody::CustomerEmailRestored { customer },
            EventBody::CustomerAnonymizationStarted { customer },
            EventBody::CustomerAnonymizationCompleted { customer },
            EventBody::CustomerAnonymizationCancelled { customer },
            EventBody::CustomerDestroyed { customer },
        ] {
            let sent = event(body);
            let message = sent.sign(&keys(0));
            assert_eq!((message.id, message.name), (sent.id, sent.name()));
            assert_eq!(message.name.as_str().parse(), Ok(message.name));
            assert_eq!(Event::verify(&message.payload, &keys(0)), Ok(sent));
        }
    }

    #[test]
    fn a4_an_event_names_the_address_of_its_time_to_holders_of_the_key() {
        let (reset, customer) = ("RESETRESE1".parse().unwrap(), "CUSTOMERS1".parse().unwrap());
        let change: EmailChangeId = "EMAILCHNG1".parse().unwrap();
        let (organization, john) =
            (event(EventBody::ResetDestroyed { reset }).scope.organization, "john@example.com");
        let seal = |record: RecordId| {
            SealedAddress::seal(&john.parse().unwrap(), organization, record, &keys(0), &OsRandom)
        };
        let changed = |record: RecordId| {
            EventBody::CustomerEmailChanged(EmailChanged {
                customer,
                change,
                token: SealedUndoToken::from_bytes(vec![9]),
                address: seal(record),
            })
        };
        for body in [
            EventBody::ResetUsed { reset, customer, address: Some(seal(reset.into())) },
            EventBody::CustomerPasswordCreated { customer, address: Some(seal(customer.into())) },
            changed(change.into()),
        ] {
            let event = event(body);
            assert_eq!(event.recipient(&keys(0)).unwrap().unwrap().as_str(), john);
            assert!(event.recipient(&keys(99)).is_err());
        }
        // One that was copied from another record's event.
        assert!(event(changed(customer.into())).recipient(&keys(0)).is_err());
        let older = EventBody::ResetUsed { reset, customer, address: None };
        assert_eq!(event(older).recipient(&keys(0)), Ok(None));
    }

    #[test]
    fn poison_forged_edited_and_later_events_are_refused() {
        let sent = event(EventBody::ResetDestroyed { reset: "RESETRESE1".parse().unwrap() });
        let payload = sent.sign(&keys(0)).payload;
        assert_eq!(Event::verify(&payload, &keys(99)), Err(EventError::Forged));
        for at in 0..payload.len() {
            let mut edited = payload.clone();
            edited[at] ^= 1;
            assert!(Event::verify(&edited, &keys(0)).is_err(), "byte {at}");
        }
        let later = v1::Event { schema_version: 2, ..sent.to_wire() }.encode_to_vec();
        let (key_id, tag) = keys(0).sign(&later);
        let later = v1::SignedEvent { event: later, key_id, tag: tag.to_vec() }.encode_to_vec();
        assert_eq!(Event::verify(&later, &keys(0)), Err(EventError::Version(2)));
        let newer = v1::Event { body: None, ..sent.to_wire() }.encode_to_vec();
        let (key_id, tag) = keys(0).sign(&newer);
        let newer = v1::SignedEvent { event: newer, key_id, tag: tag.to_vec() }.encode_to_vec();
        assert_eq!(Event::verify(&newer, &keys(0)), Err(EventError::Unknown));
        assert_eq!(Event::verify(b"not protobuf", &keys(0)), Err(EventError::Malformed));
    }
}
