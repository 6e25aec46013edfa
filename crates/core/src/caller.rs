//! Who makes a call, and from where.

use std::net::IpAddr;

use crate::{
    ids::{ApplicationId, CustomerId, RecordId, SessionId},
    locale::Locale,
};

/// Who did something, for the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// An API client acting for itself, or for a guest.
    Client(ApplicationId),
    /// A logged-in customer, through a client.
    Customer(ApplicationId, CustomerId, SessionId),
    /// Whoever holds a reset's token, on the hosted page.
    TokenHolder,
    /// Somebody at the deployment's own machine, with the operator's tool.
    Operator,
}

impl Actor {
    /// The kind of actor, by its name in the stores.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Client(_) => "client",
            Self::Customer(..) => "customer",
            Self::TokenHolder => "token_holder",
            Self::Operator => "operator",
        }
    }

    /// The client through which it acts, if any.
    #[must_use]
    pub fn application(&self) -> Option<&ApplicationId> {
        match self {
            Self::Client(application) | Self::Customer(application, ..) => Some(application),
            Self::TokenHolder | Self::Operator => None,
        }
    }

    /// The customer and the session, if it is a logged-in customer.
    #[must_use]
    pub fn session(&self) -> Option<(&CustomerId, &SessionId)> {
        match self {
            Self::Customer(_, customer, session) => Some((customer, session)),
            Self::Client(_) | Self::TokenHolder | Self::Operator => None,
        }
    }
}

/// Where a call comes from.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// The client's network address, if known.
    pub address: Option<IpAddr>,
    /// W3C `traceparent` of the call, carried on in the events it causes.
    pub traceparent: Option<String>,
    /// The languages that the call says are read there, best first; carried on likewise.
    pub locales: Vec<Locale>,
    /// The id of what the call creates, if it is fixed: a call that is repeated under an idempotency key creates the same
    /// record each time, and so only once.
    pub record: Option<RecordId>,
}
