//! Domain events, which are published on the broker.

pub mod audit;
pub mod bus;
mod name;
pub mod outbox;
pub mod recorder;
pub mod relay;
pub mod relay_queue;
pub mod retry_ladder;

use prost::Message;
use rekey_events::{SCHEMA_VERSION, v1};
use time::OffsetDateTime;

pub use self::name::EventName;
use crate::{
    clock::{from_unix_microseconds, to_unix_microseconds},
    events::outbox::OutboxMessage,
    ids::{CustomerId, EventId, ResetId},
    locale::Locale,
    scope::{Mode, Scope},
    secrets::{KeyRing, SealedAddress, SealedCode, SealedToken},
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
    },
    /// A customer was deleted.
    CustomerDestroyed {
        /// The customer.
        customer: CustomerId,
    },
}

impl EventBody {
    /// The reset and the customer that it names.
    #[must_use]
    pub fn records(&self) -> (Option<ResetId>, Option<CustomerId>) {
        match *self {
            Self::ResetCreated(ref created) => (Some(created.reset), None),
            Self::ResetUsed { reset, customer } => (Some(reset), Some(customer)),
            Self::ResetDestroyed { reset } | Self::ResetRejected { reset } => (Some(reset), None),
            Self::CustomerCreated { customer }
            | Self::CustomerPasswordCreated { customer }
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
            EventBody::CustomerDestroyed { .. } => EventName::CustomerDestroy,
        }
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
        Self::from_wire(wire).ok_or(EventError::Malformed)
    }

    fn to_wire(&self) -> v1::Event {
        use v1::event::Body;
        let body = match &self.body {
            EventBody::ResetCreated(created) => {
                Body::CustomerPasswordResetCreated(v1::PasswordResetCreated {
                    reset_id: created.reset.to_string(),
                    sealed_token: created.token.as_bytes().to_vec(),
                    client_id: created.client_id.clone().unwrap_or_default(),
                    sealed_address: created
                        .address
                        .as_ref()
                        .map(|a| a.as_bytes().to_vec())
                        .unwrap_or_default(),
                    sealed_code: created
                        .code
                        .as_ref()
                        .map(|code| code.as_bytes().to_vec())
                        .unwrap_or_default(),
                })
            }
            EventBody::ResetUsed { reset, customer } => {
                Body::CustomerPasswordResetUsed(v1::PasswordResetUsed {
                    reset_id: reset.to_string(),
                    customer_id: customer.to_string(),
                })
            }
            EventBody::ResetDestroyed { reset } => {
                Body::CustomerPasswordResetDestroyed(v1::PasswordResetDestroyed {
                    reset_id: reset.to_string(),
                })
            }
            EventBody::ResetRejected { reset } => {
                Body::CustomerPasswordResetDisavowed(v1::PasswordResetDisavowed {
                    reset_id: reset.to_string(),
                })
            }
            EventBody::CustomerCreated { customer } => {
                Body::CustomerCreated(v1::CustomerCreated { customer_id: customer.to_string() })
            }
            EventBody::CustomerPasswordCreated { customer } => {
                Body::CustomerPasswordCreated(v1::CustomerPasswordCreated {
                    customer_id: customer.to_string(),
                })
            }
            EventBody::CustomerDestroyed { customer } => {
                Body::CustomerDestroyed(v1::CustomerDestroyed { customer_id: customer.to_string() })
            }
        };
        let mode = match self.scope.mode {
            Mode::Test => v1::Mode::Test,
            Mode::Live => v1::Mode::Live,
        };
        v1::Event {
            schema_version: SCHEMA_VERSION,
            id: self.id.to_string(),
            organization_id: self.scope.organization.to_string(),
            mode: mode.into(),
            occurred_at: to_unix_microseconds(self.occurred_at),
            traceparent: self.traceparent.clone().unwrap_or_default(),
            locales: self.locales.iter().map(ToString::to_string).collect(),
            body: Some(body),
        }
    }

    fn from_wire(wire: v1::Event) -> Option<Self> {
        use v1::event::Body;
        let mode = match wire.mode() {
            v1::Mode::Test => Mode::Test,
            v1::Mode::Live => Mode::Live,
            v1::Mode::Unspecified => return None,
        };
        let body = match wire.body? {
            Body::CustomerPasswordResetCreated(body) => EventBody::ResetCreated(ResetCreated {
                reset: body.reset_id.parse().ok()?,
                token: SealedToken::from_bytes(body.sealed_token),
                client_id: Some(body.client_id).filter(|id| !id.is_empty()),
                address: Some(body.sealed_address)
                    .filter(|sealed| !sealed.is_empty())
                    .map(SealedAddress::from_bytes),
                code: Some(body.sealed_code).filter(|sealed| !sealed.is_empty()).map(SealedCode::from_bytes),
            }),
            Body::CustomerPasswordResetUsed(body) => EventBody::ResetUsed {
                reset: body.reset_id.parse().ok()?,
                customer: body.customer_id.parse().ok()?,
            },
            Body::CustomerPasswordResetDestroyed(body) => {
                EventBody::ResetDestroyed { reset: body.reset_id.parse().ok()? }
            }
            Body::CustomerPasswordResetDisavowed(body) => {
                EventBody::ResetRejected { reset: body.reset_id.parse().ok()? }
            }
            Body::CustomerCreated(body) => {
                EventBody::CustomerCreated { customer: body.customer_id.parse().ok()? }
            }
            Body::CustomerPasswordCreated(body) => {
                EventBody::CustomerPasswordCreated { customer: body.customer_id.parse().ok()? }
            }
            Body::CustomerDestroyed(body) => {
                EventBody::CustomerDestroyed { customer: body.customer_id.parse().ok()? }
            }
        };
        Some(Self {
            id: wire.id.parse().ok()?,
            scope: Scope { organization: wire.organization_id.parse().ok()?, mode },
            occurred_at: from_unix_microseconds(wire.occurred_at)?,
            traceparent: Some(wire.traceparent).filter(|text| !text.is_empty()),
            locales: wire.locales.iter().filter_map(|tag| tag.parse().ok()).collect(),
            body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::{Clock, SystemClock},
        random::OsRandom,
    };

    fn keys(first: u8) -> KeyRing {
        KeyRing::new([("test", &std::array::from_fn(|i| first ^ u8::try_from(i).unwrap()))]).unwrap()
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
        for body in [
            EventBody::ResetCreated(bare),
            EventBody::ResetCreated(whole),
            EventBody::ResetUsed { reset, customer },
            EventBody::ResetDestroyed { reset },
            EventBody::ResetRejected { reset },
            EventBody::CustomerCreated { customer },
            EventBody::CustomerPasswordCreated { customer },
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
        assert_eq!(Event::verify(b"not protobuf", &keys(0)), Err(EventError::Malformed));
    }
}
