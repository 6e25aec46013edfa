//! Who calls: API clients, and the scope that every record belongs to.

use std::net::IpAddr;

use time::OffsetDateTime;

use crate::{
    ids::{ApplicationId, CustomerId, OrganizationId, RecordId, SessionId},
    locale::Locale,
    organization::Organization,
    origin::AllowedOrigin,
    secret::ClientSecretDigest,
};

/// Test or live data: two worlds that never see each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// For trying things out; its mail never leaves, it goes to the mailbox.
    Test,
    /// For real customers.
    Live,
}

impl Mode {
    /// `test` or `live`, as on the wire and in the stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }

    /// Reads [`Mode::as_str`]'s form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "test" => Some(Self::Test),
            "live" => Some(Self::Live),
            _ => None,
        }
    }
}

/// What a record belongs to and a caller may reach: one organization's data in one mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The organization.
    pub organization: OrganizationId,
    /// Test or live.
    pub mode: Mode,
}

/// What an API client is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientKind {
    /// A trusted back end, with a secret: may do everything in its scope.
    Integration,
    /// A storefront, without a secret: acts for guests and logged-in customers.
    SalesChannel,
}

impl ClientKind {
    /// `integration` or `sales_channel`, as on the wire and in the stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integration => "integration",
            Self::SalesChannel => "sales_channel",
        }
    }

    /// Reads [`ClientKind::as_str`]'s form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "integration" => Some(Self::Integration),
            "sales_channel" => Some(Self::SalesChannel),
            _ => None,
        }
    }
}

/// A registered API client (the vendor's "application").
#[derive(Debug, Clone)]
pub struct ApiClient {
    /// Its id, as in a token's `application.id`.
    pub id: ApplicationId,
    /// Its public OAuth identifier: 43 letters and digits.
    pub client_id: String,
    /// Its name, for operators.
    pub name: String,
    /// What it may reach.
    pub scope: Scope,
    /// What it is for.
    pub kind: ClientKind,
    /// Its secret's digest; an integration has one, a sales channel has none.
    pub secret: Option<ClientSecretDigest>,
    /// Whether a guest of this sales channel may ask for a reset by e-mail address.
    pub self_service: bool,
    /// The web origins whose scripts may read what this client is answered; none unless an operator names them.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// When it was revoked, if it was: it then gets no token, and those it has die.
    pub revoked_at: Option<OffsetDateTime>,
    /// When it was created.
    pub created_at: OffsetDateTime,
}

/// An API client with the organization it belongs to: what a token is made from.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The client.
    pub client: ApiClient,
    /// Its organization.
    pub organization: Organization,
}

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
