//! Writing `/api/customer_password_resets`. Lists and relationships are in [`super::reading`].

use std::convert::Infallible;

use actix_web::{HttpResponse, web::Data};
use rekey_core::{
    attributes::CommonAttributes,
    email::EmailAddress,
    ids::ResetId,
    passwords::PlainPassword,
    resets::{
        Proof,
        service::{Attempt, CompleteError, Receipt, RequestError, ResetService},
    },
    resources::{
        CUSTOMER_PASSWORD_RESETS,
        customer_password_resets::{CUSTOMER_EMAIL, CUSTOMER_PASSWORD, TOKEN},
        record::{Record, Value},
    },
};
use serde_json::Value as Json;

use super::path::PathId;
use crate::{
    auth::principal::{CallerKind, CanRequestReset, IsIntegration, Permitted, Principal},
    jsonapi::{
        body::{Attributes, Body},
        document::Documents,
        error::{Problem, ValidationError},
        query::Query,
    },
};

/// `POST`: an integration gets the reset with its token; a guest gets a receipt that is the same for every address.
pub async fn create(
    principal: Permitted<CanRequestReset>,
    resets: Data<ResetService>,
    documents: Data<Documents>,
    query: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let view = query.one(&CUSTOMER_PASSWORD_RESETS, principal.audience())?;
    let mut input = body.read(&CUSTOMER_PASSWORD_RESETS, None).await?;
    let email = input.required::<EmailAddress>(&CUSTOMER_EMAIL);
    let reset = if principal.kind == CallerKind::Integration {
        let attributes = input.common();
        let email = input.finish(email)?;
        resets.request(&principal.client, &principal.caller, email, attributes).await?
    } else {
        let email = input.finish(email)?;
        receipt_record(resets.request_self_service(&principal.client, &principal.caller, email).await?)
    };
    principal.responder(&documents).created(&reset, &view).await
}

/// `PATCH …/{id}`: with a token and a password, uses the token. Without, changes the plain attributes, which only an
/// integration may; anybody else with a right token is shown the reset. An integration gets a 404 for a reset that is not there, and
/// anybody else the answer to a wrong token.
pub async fn update(
    principal: Principal,
    resets: Data<ResetService>,
    documents: Data<Documents>,
    PathId(id): PathId<ResetId>,
    query: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (scope, responder) = (principal.scope(), principal.responder(&documents));
    let is_integration = principal.kind == CallerKind::Integration;
    let view = query.one(&CUSTOMER_PASSWORD_RESETS, principal.audience())?;
    if is_integration {
        // It may know which resets there are, so one that is not there is a 404 whatever the body says.
        responder.find(&CUSTOMER_PASSWORD_RESETS, id).await?;
    }
    let mut input = body.read(&CUSTOMER_PASSWORD_RESETS, Some(id.as_str())).await?;
    let token_use = TokenUse::read(&mut input);
    let changes = if is_integration { input.common() } else { CommonAttributes::default() };
    let reset = match input.finish(token_use)? {
        TokenUse::Password(proof, password) => {
            let token = resets.redeem(Some(scope), &principal.caller, id, proof).await?;
            let attempt = Attempt { reset: id, token: &token, password, changes: &changes };
            resets.complete(Some(scope), &principal.caller, attempt).await?;
            responder.find(&CUSTOMER_PASSWORD_RESETS, id).await?
        }
        TokenUse::Proof(_) | TokenUse::None if is_integration => {
            if !resets.update(scope, &principal.caller, id, &changes).await? {
                return Err(Problem::NotFound);
            }
            responder.find(&CUSTOMER_PASSWORD_RESETS, id).await?
        }
        TokenUse::Proof(proof) => {
            let wrong = || Problem::attribute(TOKEN.name, ValidationError::Invalid);
            let token = resets.redeem(Some(scope), &principal.caller, id, proof).await?;
            let holder = resets.holder(id, &token).await?;
            holder.filter(|holder| holder.scope == scope).ok_or_else(wrong)?;
            let found = responder.find(&CUSTOMER_PASSWORD_RESETS, id).await;
            found.map_err(|problem| if problem == Problem::NotFound { wrong() } else { problem })?
        }
        TokenUse::None => return Err(Problem::Unauthorized),
    };
    responder.ok(&reset, &view).await
}

/// `DELETE …/{id}`.
pub async fn delete(
    principal: Permitted<IsIntegration>,
    resets: Data<ResetService>,
    PathId(id): PathId<ResetId>,
) -> Result<HttpResponse, Problem> {
    let was_deleted = resets.delete(principal.scope(), &principal.caller, id).await?;
    was_deleted.then(|| HttpResponse::NoContent().finish()).ok_or(Problem::NotFound)
}

/// The token (or short code) in a PATCH, and what it is for.
enum TokenUse {
    /// Sets this password.
    Password(Proof, PlainPassword),
    /// Sets no password.
    Proof(Proof),
    /// There is neither a token nor a password.
    None,
}

impl TokenUse {
    /// Reads both attributes. A malformed token is refused like a wrong one.
    fn read(attributes: &mut Attributes) -> Option<Self> {
        let sets_password = attributes.has(&CUSTOMER_PASSWORD);
        let proof = match attributes.take(&TOKEN) {
            None | Some(Json::Null) if !sets_password => return Some(Self::None),
            Some(Json::String(text)) => Proof::parse(&text),
            _ => None,
        };
        let Some(proof) = proof else {
            attributes.refuse(&TOKEN, ValidationError::Invalid);
            return None;
        };
        if sets_password {
            attributes.password(&CUSTOMER_PASSWORD).map(|password| Self::Password(proof, password))
        } else {
            Some(Self::Proof(proof))
        }
    }
}

/// Returns a receipt in the form of a reset that shows nothing but the request itself.
fn receipt_record(Receipt { id, created_at }: Receipt) -> Record {
    let read = Record::read::<Infallible>(
        &CUSTOMER_PASSWORD_RESETS,
        id.into(),
        |attribute, _| {
            Ok(match attribute.name {
                "created_at" | "updated_at" => Value::Time(created_at),
                _ => Value::default_of(attribute),
            })
        },
        |_| Ok(None),
    );
    read.unwrap_or_else(|never| match never {})
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::UnknownCustomer => Self::attribute(CUSTOMER_EMAIL.name, ValidationError::Unknown),
            RequestError::Store(error) => error.into(),
        }
    }
}

impl From<CompleteError> for Problem {
    fn from(error: CompleteError) -> Self {
        match error {
            CompleteError::Token => Self::attribute(TOKEN.name, ValidationError::Invalid),
            CompleteError::Password(rejected) => Self::attribute(CUSTOMER_PASSWORD.name, rejected.into()),
            CompleteError::Hash(error) => error.into(),
            CompleteError::Sealed(error) => error.into(),
            CompleteError::Store(error) => error.into(),
        }
    }
}
