//! `/api/customer_password_resets`.

mod attempt;
mod view;

use actix_web::{HttpResponse, web::Data};
use rekey_core::{email::EmailAddress, ids::ResetId, recovery::Attempt, reset::ReferenceChange};

use self::{attempt::TokenUse, attributes::CUSTOMER_EMAIL, view::TYPE};
use super::path::PathId;
use crate::{
    api::Api,
    auth::principal::{Changer, Integration, Permitted, Requester, Session},
    jsonapi::{
        body::Body,
        document,
        error::{Fault, Problem},
        query::Query,
    },
};

/// The names of the attributes that are written.
pub mod attributes {
    pub const CUSTOMER_EMAIL: &str = "customer_email";
    pub const PASSWORD: &str = "customer_password";
    pub const TOKEN: &str = "_reset_password_token";
}

/// `POST`: an integration client gets the reset with its token; a guest gets a receipt, the same for every address.
pub async fn create(
    Permitted(requester): Permitted<Requester>,
    api: Data<Api>,
    _: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let mut attributes = body.read(TYPE, None).await?;
    let email = attributes.required::<EmailAddress>(CUSTOMER_EMAIL);
    match requester {
        Requester::Integration(session) => {
            let reference = attributes.reference();
            let email = attributes.finish(email)?;
            let reset = api.recovery.request(session.scope(), &session.caller, email, reference).await?;
            Ok(view::full(&api, &session, &reset)?.created())
        }
        Requester::SelfService(session) => {
            let email = attributes.finish(email)?;
            let receipt = api.recovery.request_self_service(session.scope(), &session.caller, email).await?;
            Ok(view::receipt(&api, &session, receipt).created())
        }
    }
}

/// `GET`: a page of them, newest first.
pub async fn list(
    Permitted(Integration(session)): Permitted<Integration>,
    api: Data<Api>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let listed = api.recovery.list(session.scope(), &query.listing).await?;
    let resources =
        listed.items.iter().map(|reset| view::full(&api, &session, reset)).collect::<Result<Vec<_>, _>>()?;
    let links = query.links(format!("{}/api/{TYPE}", api.public_url));
    Ok(document::list(&resources, listed.total, query.listing, &links))
}

/// `GET …/{id}`.
pub async fn retrieve(
    Permitted(Integration(session)): Permitted<Integration>,
    api: Data<Api>,
    PathId(id): PathId<ResetId>,
    _: Query,
) -> Result<HttpResponse, Problem> {
    let reset = api.recovery.find(session.scope(), id).await?.ok_or(Problem::NotFound)?;
    Ok(view::full(&api, &session, &reset)?.ok())
}

/// `PATCH …/{id}`: with a token and a password, uses the token; without, changes the references, which only an
/// integration client may.
pub async fn update(
    Permitted(changer): Permitted<Changer>,
    api: Data<Api>,
    PathId(id): PathId<ResetId>,
    _: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let mut attributes = body.read(TYPE, Some(id.as_str())).await?;
    let attempt = TokenUse::read(&mut attributes);
    match changer {
        Changer::Integration(session) => {
            let change = attributes.reference_change();
            let attempt = attributes.finish(attempt)?;
            update_as_integration(&api, &session, id, attempt, &change).await
        }
        Changer::Storefront(session) => {
            let attempt = attributes.finish(attempt)?;
            update_as_storefront(&api, &session, id, attempt).await
        }
    }
}

/// `DELETE …/{id}`.
pub async fn delete(
    Permitted(Integration(session)): Permitted<Integration>,
    api: Data<Api>,
    PathId(id): PathId<ResetId>,
) -> Result<HttpResponse, Problem> {
    if api.recovery.delete(session.scope(), &session.caller, id).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(Problem::NotFound)
    }
}

async fn update_as_integration(
    api: &Api,
    session: &Session,
    id: ResetId,
    attempt: TokenUse,
    change: &ReferenceChange,
) -> Result<HttpResponse, Problem> {
    let reset = match attempt {
        TokenUse::Password(token, password) => {
            let attempt = Attempt { reset: id, token: &token, password, change };
            api.recovery.complete(Some(session.scope()), &session.caller, attempt).await?
        }
        TokenUse::Token(_) | TokenUse::None => api
            .recovery
            .update(session.scope(), &session.caller, id, change)
            .await?
            .ok_or(Problem::NotFound)?,
    };
    Ok(view::full(api, session, &reset)?.ok())
}

/// A storefront may do nothing to a reset but use it: the references are the back office's.
async fn update_as_storefront(
    api: &Api,
    session: &Session,
    id: ResetId,
    attempt: TokenUse,
) -> Result<HttpResponse, Problem> {
    let wrong = || Problem::attribute(attributes::TOKEN, Fault::Invalid);
    let reset = match attempt {
        TokenUse::Password(token, password) => {
            let attempt = Attempt { reset: id, token: &token, password, change: &ReferenceChange::default() };
            api.recovery.complete(Some(session.scope()), &session.caller, attempt).await?
        }
        TokenUse::Token(token) => {
            let holder = api.recovery.holder(id, &token).await?;
            holder.filter(|holder| holder.scope == session.scope()).ok_or_else(wrong)?;
            api.recovery.find(session.scope(), id).await?.ok_or_else(wrong)?
        }
        TokenUse::None => return Err(Problem::Unauthorized),
    };
    Ok(view::used(api, session, &reset).ok())
}
