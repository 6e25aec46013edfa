//! Authenticated callers. A handler's signature says who may call it: `Permitted<P>` lets in callers with the
//! permission `P`, `Principal` any.

use std::{marker::PhantomData, ops::Deref, sync::Arc};

use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, dev::Payload, web::Data};
use futures_util::future::LocalBoxFuture;
use rekey_core::{
    caller::{Actor, Caller},
    clients::{ClientKind, RegisteredClient},
    ids::{CustomerId, SessionId},
    resources::Audience,
    scope::{Mode, Scope},
    sessions::sign_in::SignIn,
};

use super::{bearer::BearerToken, claims::Claims, clients::ClientDirectory};
use crate::{
    caller,
    jsonapi::{
        document::{Documents, Responder, responder},
        error::Problem,
    },
};

/// A caller with a valid access token, of a client and a session that still exist.
pub struct Principal {
    pub client: Arc<RegisteredClient>,
    pub kind: CallerKind,
    /// For events and the audit log.
    pub caller: Caller,
}

/// What a caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// A back office.
    Integration,
    /// A storefront whose visitor has not signed in.
    Guest,
    /// A storefront whose visitor is this customer.
    Customer(CustomerId),
}

impl Principal {
    /// Returns the organization and mode that this caller can reach.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.client.scope
    }

    /// Answers this caller.
    #[must_use]
    pub fn responder<'a>(&self, documents: &'a Documents) -> Responder<'a> {
        responder(documents, self.scope(), self.audience())
    }

    /// Returns which attributes are shown to this caller.
    #[must_use]
    pub fn audience(&self) -> Audience {
        match self.kind {
            CallerKind::Integration => Audience::BackOffice,
            CallerKind::Guest | CallerKind::Customer(_) => Audience::Everyone,
        }
    }
}

impl FromRequest for Principal {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    /// Authenticates by the access token, unless middleware has left the principal in the request's extensions.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = request.extensions_mut().remove::<Self>();
        let request = request.clone();
        Box::pin(async move {
            match known {
                Some(known) => Ok(known),
                None => authenticate(&request).await,
            }
        })
    }
}

async fn authenticate(request: &HttpRequest) -> Result<Principal, Error> {
    let (clients, sign_in, token) =
        <(Data<ClientDirectory>, Data<SignIn>, BearerToken)>::extract(request).await?;
    let claims = token.valid_claims().ok_or(Problem::InvalidToken)?;
    let id = claims.jti.parse().map_err(|_| Problem::InvalidToken)?;
    let found = clients.find_by_token(&claims.application.client_id, id).await;
    let found = found.map_err(|error| Problem::from(&*error))?;
    let client = found.filter(|client| is_issued_to(claims, client)).ok_or(Problem::InvalidToken)?;
    let RegisteredClient { id, kind, .. } = *client;
    let (kind, actor) = match (kind, &claims.owner) {
        (ClientKind::Integration, None) => (CallerKind::Integration, Actor::Client(id)),
        (ClientKind::Integration, Some(_)) => return Err(Problem::InvalidToken.into()),
        (ClientKind::SalesChannel, None) => (CallerKind::Guest, Actor::Client(id)),
        (ClientKind::SalesChannel, Some(owner)) => {
            let customer: CustomerId = owner.id.parse().map_err(|_| Problem::InvalidToken)?;
            let session: SessionId = claims.jti.parse().map_err(|_| Problem::InvalidToken)?;
            if !sign_in.is_live(&client, session).await.map_err(Problem::from)? {
                return Err(Problem::InvalidToken.into());
            }
            (CallerKind::Customer(customer), Actor::Customer(id, customer, session))
        }
    };
    Ok(Principal { caller: caller::from_request(request, actor), client, kind })
}

/// Whether a token was issued to this client as it is now: of the same organization, mode and kind.
fn is_issued_to(claims: &Claims, client: &RegisteredClient) -> bool {
    claims.application.id == client.id.as_str()
        && claims.application.kind == client.kind.as_str()
        && claims.organization.id == client.organization.id.as_str()
        && claims.test == (client.scope.mode == Mode::Test)
}

/// Something that not every caller may do.
pub trait Permission {
    fn allows(principal: &Principal) -> bool;
}

/// A caller that has the permission `P`.
pub struct Permitted<P>(Principal, PhantomData<P>);

impl<P: Permission + 'static> FromRequest for Permitted<P> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let principal = Principal::from_request(request, payload);
        Box::pin(async move {
            let principal = principal.await?;
            if P::allows(&principal) {
                Ok(Self(principal, PhantomData))
            } else {
                Err(Problem::Unauthorized.into())
            }
        })
    }
}

impl<P> Deref for Permitted<P> {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.0
    }
}

/// Everything that only a back office may do.
pub struct IsIntegration;

impl Permission for IsIntegration {
    fn allows(principal: &Principal) -> bool {
        principal.kind == CallerKind::Integration
    }
}

/// Asking for a reset: a back office for any customer; a guest, where self-service is on, by typing an address.
pub struct CanRequestReset;

impl Permission for CanRequestReset {
    fn allows(principal: &Principal) -> bool {
        match principal.kind {
            CallerKind::Integration => true,
            CallerKind::Guest => principal.client.permissions.self_service,
            CallerKind::Customer(_) => false,
        }
    }
}

/// Creating a customer: a back office, and a guest where sign-up is on.
pub struct CanCreateCustomer;

impl Permission for CanCreateCustomer {
    fn allows(principal: &Principal) -> bool {
        match principal.kind {
            CallerKind::Integration => true,
            CallerKind::Guest => principal.client.permissions.sign_up,
            CallerKind::Customer(_) => false,
        }
    }
}

/// Reading, changing and deleting customers: a back office any of them, a customer itself.
pub struct CanManageCustomer;

impl Permission for CanManageCustomer {
    fn allows(principal: &Principal) -> bool {
        matches!(principal.kind, CallerKind::Integration | CallerKind::Customer(_))
    }
}

impl Permitted<CanManageCustomer> {
    /// Refuses a customer that asks for another customer.
    pub fn require(&self, customer: CustomerId) -> Result<(), Problem> {
        match self.kind {
            CallerKind::Integration => Ok(()),
            CallerKind::Customer(own) if own == customer => Ok(()),
            CallerKind::Customer(_) | CallerKind::Guest => Err(Problem::Unauthorized),
        }
    }
}
