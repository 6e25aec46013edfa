//! Who makes a call, and from where.

use std::{borrow::Cow, net::IpAddr};

use crate::{
    ids::{ApplicationId, CustomerId, RecordId, SessionId},
    locale::Locale,
    operators::OperatorName,
};

/// Who did something, for the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// An API client acting for itself, or for a guest.
    Client(ApplicationId),
    /// Several API clients, in an entry about several calls.
    Clients,
    /// A logged-in customer, through a client.
    Customer(ApplicationId, CustomerId, SessionId),
    /// The holder of a reset's token, on the hosted page.
    TokenHolder,
    /// An operator: with the command-line tool, or in the console under that name.
    Operator(Option<OperatorName>),
}

impl Actor {
    /// Returns the actor as in the stores: its kind, and the name of an operator who has one.
    #[must_use]
    pub fn stored(&self) -> Cow<'static, str> {
        match self {
            Self::Client(_) | Self::Clients => "client".into(),
            Self::Customer(..) => "customer".into(),
            Self::TokenHolder => "token_holder".into(),
            Self::Operator(None) => "operator".into(),
            Self::Operator(Some(name)) => format!("operator:{name}").into(),
        }
    }

    /// Returns the client through which it acts, if any.
    #[must_use]
    pub fn application(&self) -> Option<&ApplicationId> {
        match self {
            Self::Client(application) | Self::Customer(application, ..) => Some(application),
            Self::Clients | Self::TokenHolder | Self::Operator(_) => None,
        }
    }

    /// Returns the customer and the session, if it is a logged-in customer.
    #[must_use]
    pub fn session(&self) -> Option<(CustomerId, SessionId)> {
        match *self {
            Self::Customer(_, customer, session) => Some((customer, session)),
            Self::Client(_) | Self::Clients | Self::TokenHolder | Self::Operator(_) => None,
        }
    }
}

/// Where a call comes from.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who makes it.
    pub actor: Actor,
    /// The client's network address, if known.
    pub address: Option<IpAddr>,
    /// W3C `traceparent` of the call, which the events it causes get, too.
    pub traceparent: Option<String>,
    /// The languages that the caller accepts, best first. The events it causes get them, too.
    pub locales: Vec<Locale>,
    /// The id of the record to create, if it is fixed: a call that is repeated under an idempotency key, or a form that is sent twice,
    /// creates the same record each time, and so only once. The use of a token creates its event under this id.
    pub record: Option<RecordId>,
}
