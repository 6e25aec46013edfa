//! `/api/customers`: what is written. Lists and relationships are [`reading`]'s.

use actix_web::{HttpResponse, web::Data};
use rekey_core::{
    customers::{CustomerAttributes, service::CustomerUpdate},
    email::EmailAddress,
    ids::CustomerId,
    resources::{
        Audience, CUSTOMERS,
        customers::{EMAIL, LOCALE, PASSWORD},
    },
};

use super::{path::PathId, reading};
use crate::{
    api::Api,
    auth::principal::{CustomerKeeper, Permitted, Registrar},
    jsonapi::{
        body::{Attributes, Body},
        document::Responder,
        error::Problem,
        query::Query,
    },
};

/// `POST`: with or without a password.
pub async fn create(
    Permitted(registrar): Permitted<Registrar>,
    api: Data<Api>,
    query: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (session, audience) = match registrar {
        Registrar::Integration(session) => (session, Audience::BackOffice),
        Registrar::Guest(session) => (session, Audience::Everyone),
    };
    let view = query.one(&CUSTOMERS, audience)?;
    let mut input = body.read(&CUSTOMERS, None).await?;
    let email = input.required::<EmailAddress>(&EMAIL);
    let password = input.password(&PASSWORD);
    let attributes = kept_attributes(&mut input);
    let email = input.finish(email)?;
    let id =
        api.registration.create(&session.registration, &session.caller, email, password, attributes).await?;
    let customer = reading::find(&api, &session, &CUSTOMERS, id).await?;
    Responder::new(&api, &session, audience).created(&customer, &view).await
}

/// `GET …/{id}`: any, for an integration client; itself, for a customer.
pub async fn retrieve(
    Permitted(keeper): Permitted<CustomerKeeper>,
    api: Data<Api>,
    PathId(id): PathId<CustomerId>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let (session, audience) = keeper.of(id)?;
    let view = query.one(&CUSTOMERS, audience)?;
    let customer = reading::find(&api, &session, &CUSTOMERS, id).await?;
    Responder::new(&api, &session, audience).ok(&customer, &view).await
}

/// `PATCH …/{id}`. Another address or password ends the customer's pending tokens, another password its sessions,
/// the one that asks for it, too.
pub async fn update(
    Permitted(keeper): Permitted<CustomerKeeper>,
    api: Data<Api>,
    PathId(id): PathId<CustomerId>,
    query: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (session, audience) = keeper.of(id)?;
    let view = query.one(&CUSTOMERS, audience)?;
    let mut input = body.read(&CUSTOMERS, Some(id.as_str())).await?;
    let email = input.optional::<EmailAddress>(&EMAIL);
    let password = input.password(&PASSWORD);
    let attributes = kept_attributes(&mut input);
    let update = input.finish(Some(CustomerUpdate { email, password, attributes }))?;
    if !api.registration.update(&session.registration, &session.caller, id, update).await? {
        return Err(Problem::NotFound);
    }
    let customer = reading::find(&api, &session, &CUSTOMERS, id).await?;
    Responder::new(&api, &session, audience).ok(&customer, &view).await
}

/// `DELETE …/{id}`.
pub async fn delete(
    Permitted(keeper): Permitted<CustomerKeeper>,
    api: Data<Api>,
    PathId(id): PathId<CustomerId>,
) -> Result<HttpResponse, Problem> {
    let (session, _) = keeper.of(id)?;
    if api.registration.delete(session.scope(), &session.caller, id).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(Problem::NotFound)
    }
}

/// The attributes that this service only keeps.
fn kept_attributes(input: &mut Attributes) -> CustomerAttributes {
    CustomerAttributes { locale: input.locale(&LOCALE), common: input.common() }
}
