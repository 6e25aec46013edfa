//! What a caller may do stands in a handler's signature: `Permitted<R>` lets in the callers that are an `R`, nobody else.

use std::sync::Arc;

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use futures_util::future::LocalBoxFuture;
use rekey_core::{
    caller::{Actor, Caller},
    clients::{ClientKind, RegisteredClient},
    ids::{CustomerId, SessionId},
    resources::Audience,
    scope::{Mode, Scope},
};

use super::{bearer, jwt::Claims};
use crate::{api::Api, caller, jsonapi::error::Problem};

/// A caller whose access token is good, and what it stands for.
pub enum Principal {
    /// A back office.
    Integration(Session),
    /// A storefront whose visitor has not logged in.
    Guest(Session),
    /// A storefront whose visitor is this customer.
    Customer(Session, CustomerId),
}

impl Principal {
    /// What it has in common with every caller.
    pub fn session_mut(&mut self) -> &mut Session {
        match self {
            Self::Integration(session) | Self::Guest(session) | Self::Customer(session, _) => session,
        }
    }
}

/// What every caller has.
pub struct Session {
    pub registration: Arc<RegisteredClient>,
    /// Who and from where, for events and the audit log.
    pub caller: Caller,
}

impl Session {
    /// What this caller can reach.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.registration.client.scope
    }
}

/// Callers that may do one certain thing.
pub trait Role: Sized {
    /// The caller in this role, unless it isn't one.
    fn of(principal: Principal) -> Option<Self>;
}

/// A caller in a role that it was checked for.
pub struct Permitted<R>(pub R);

impl<R: Role + 'static> FromRequest for Permitted<R> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        let known = request.extensions_mut().remove::<Principal>();
        Box::pin(async move {
            let principal = match known {
                Some(principal) => principal,
                None => authenticate(&request).await?,
            };
            R::of(principal).map(Self).ok_or(Problem::Unauthorized)
        })
    }
}

/// Who calls, by the request's access token. What asks before the handler leaves it in the request's extensions.
pub async fn authenticate(request: &HttpRequest) -> Result<Principal, Problem> {
    let api = Api::of(request)?;
    let presented = bearer::of(request).await;
    let claims = presented.good().ok_or(Problem::InvalidToken)?;
    let id = claims.jti.parse().map_err(|_| Problem::InvalidToken)?;
    let found = api.clients.find_by_token(&claims.application.client_id, id).await;
    let registration = found.map_err(|error| Problem::from(&*error))?;
    let registration =
        registration.filter(|registration| is_of(claims, registration)).ok_or(Problem::InvalidToken)?;
    let client = &registration.client;

    let owner = match &claims.owner {
        Some(owner) => {
            let customer: CustomerId = owner.id.parse().map_err(|_| Problem::InvalidToken)?;
            let session: SessionId = claims.jti.parse().map_err(|_| Problem::InvalidToken)?;
            if !api.sign_in.is_live(client, session).await? {
                return Err(Problem::InvalidToken);
            }
            Some((customer, session))
        }
        None => None,
    };
    let actor = owner.map_or(Actor::Client(client.id), |(customer, session)| {
        Actor::Customer(client.id, customer, session)
    });
    let kind = client.kind;
    let session = Session { caller: caller::of(request, &api.trusted_proxies, actor), registration };
    Ok(match (kind, owner) {
        (ClientKind::Integration, _) => Principal::Integration(session),
        (ClientKind::SalesChannel, None) => Principal::Guest(session),
        (ClientKind::SalesChannel, Some((customer, _))) => Principal::Customer(session, customer),
    })
}

/// Whether a token was issued to this client as it is now: of the same organization, mode and kind.
fn is_of(claims: &Claims, RegisteredClient { client, organization }: &RegisteredClient) -> bool {
    claims.application.id == client.id.as_str()
        && claims.application.kind == client.kind.as_str()
        && claims.organization.id == organization.id.as_str()
        && claims.test == (client.scope.mode == Mode::Test)
}

/// Whoever has a good access token.
impl Role for Session {
    fn of(principal: Principal) -> Option<Self> {
        match principal {
            Principal::Integration(session) | Principal::Guest(session) | Principal::Customer(session, _) => {
                Some(session)
            }
        }
    }
}

/// A back office.
pub struct Integration(pub Session);

impl Role for Integration {
    fn of(principal: Principal) -> Option<Self> {
        match principal {
            Principal::Integration(session) => Some(Self(session)),
            Principal::Guest(_) | Principal::Customer(..) => None,
        }
    }
}

/// Who may ask for a reset.
pub enum Requester {
    /// For any customer.
    Integration(Session),
    /// For whoever types the address: a guest of a client with self-service on.
    SelfService(Session),
}

impl Role for Requester {
    fn of(principal: Principal) -> Option<Self> {
        match principal {
            Principal::Integration(session) => Some(Self::Integration(session)),
            Principal::Guest(session) if session.registration.client.self_service => {
                Some(Self::SelfService(session))
            }
            Principal::Guest(_) | Principal::Customer(..) => None,
        }
    }
}

/// Who may change a reset.
pub enum Changer {
    /// By a token, or its references without one.
    Integration(Session),
    /// By a token only.
    Storefront(Session),
}

impl Role for Changer {
    fn of(principal: Principal) -> Option<Self> {
        Some(match principal {
            Principal::Integration(session) => Self::Integration(session),
            Principal::Guest(session) | Principal::Customer(session, _) => Self::Storefront(session),
        })
    }
}

/// Who may create a customer.
pub enum Registrar {
    /// A back office.
    Integration(Session),
    /// Whoever visits a storefront and has not logged in.
    Guest(Session),
}

impl Role for Registrar {
    fn of(principal: Principal) -> Option<Self> {
        match principal {
            Principal::Integration(session) => Some(Self::Integration(session)),
            Principal::Guest(session) => Some(Self::Guest(session)),
            Principal::Customer(..) => None,
        }
    }
}

/// Who may read, change or delete a customer.
pub enum CustomerKeeper {
    /// Any.
    Integration(Session),
    /// This one.
    Own(Session, CustomerId),
}

impl Role for CustomerKeeper {
    fn of(principal: Principal) -> Option<Self> {
        match principal {
            Principal::Integration(session) => Some(Self::Integration(session)),
            Principal::Customer(session, customer) => Some(Self::Own(session, customer)),
            Principal::Guest(_) => None,
        }
    }
}

impl CustomerKeeper {
    /// The session and who is told, if the keeper keeps that customer.
    pub fn of(self, customer: CustomerId) -> Result<(Session, Audience), Problem> {
        match self {
            Self::Integration(session) => Ok((session, Audience::BackOffice)),
            Self::Own(session, own) if own == customer => Ok((session, Audience::Everyone)),
            Self::Own(..) => Err(Problem::Unauthorized),
        }
    }
}
