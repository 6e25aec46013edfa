//! `/api/customer_password_resets`: what is written. Lists and relationships are [`super::reading`]'s.

mod attempt;

use std::convert::Infallible;

use actix_web::{HttpResponse, web::Data};
use rekey_core::{
    attributes::CommonAttributes,
    email::EmailAddress,
    ids::ResetId,
    resets::service::{Attempt, Receipt},
    resources::{
        Audience, CUSTOMER_PASSWORD_RESETS, Kind,
        customer_password_resets::{CUSTOMER_EMAIL, TOKEN},
        record::{Record, Value},
    },
};

use self::attempt::TokenUse;
use super::{path::PathId, reading};
use crate::{
    api::Api,
    auth::principal::{Changer, Integration, Permitted, Requester, Session},
    jsonapi::{
        body::Body,
        document::Responder,
        error::{Fault, Problem},
        query::Query,
    },
};

/// `POST`: an integration client gets the reset with its token; a guest gets a receipt, the same for every address.
pub async fn create(
    Permitted(requester): Permitted<Requester>,
    api: Data<Api>,
    query: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    match requester {
        Requester::Integration(session) => {
            let view = query.one(&CUSTOMER_PASSWORD_RESETS, Audience::BackOffice)?;
            let mut input = body.read(&CUSTOMER_PASSWORD_RESETS, None).await?;
            let email = input.required::<EmailAddress>(&CUSTOMER_EMAIL);
            let attributes = input.common();
            let email = input.finish(email)?;
            let reset =
                api.recovery.request(&session.registration, &session.caller, email, attributes).await?;
            Responder::new(&api, &session, Audience::BackOffice).created(&reset, &view).await
        }
        Requester::SelfService(session) => {
            let view = query.one(&CUSTOMER_PASSWORD_RESETS, Audience::Everyone)?;
            let mut input = body.read(&CUSTOMER_PASSWORD_RESETS, None).await?;
            let email = input.required::<EmailAddress>(&CUSTOMER_EMAIL);
            let email = input.finish(email)?;
            let receipt =
                api.recovery.request_self_service(&session.registration, &session.caller, email).await?;
            Responder::new(&api, &session, Audience::Everyone).created(&shown(receipt), &view).await
        }
    }
}

/// `PATCH …/{id}`: with a token and a password, uses the token; without, changes the plain attributes, which only an
/// integration client may.
pub async fn update(
    Permitted(changer): Permitted<Changer>,
    api: Data<Api>,
    PathId(id): PathId<ResetId>,
    query: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (session, audience) = match changer {
        Changer::Integration(session) => (session, Audience::BackOffice),
        Changer::Storefront(session) => (session, Audience::Everyone),
    };
    let view = query.one(&CUSTOMER_PASSWORD_RESETS, audience)?;
    let mut input = body.read(&CUSTOMER_PASSWORD_RESETS, Some(id.as_str())).await?;
    let attempt = TokenUse::read(&mut input);
    let reset = if audience == Audience::BackOffice {
        let attributes = input.common();
        let attempt = input.finish(attempt)?;
        update_as_integration(&api, &session, id, attempt, &attributes).await?
    } else {
        let attempt = input.finish(attempt)?;
        update_as_storefront(&api, &session, id, attempt).await?
    };
    Responder::new(&api, &session, audience).ok(&reset, &view).await
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
    changes: &CommonAttributes,
) -> Result<Record, Problem> {
    match attempt {
        TokenUse::Password(proof, password) => {
            let token = api.recovery.redeem(Some(session.scope()), id, proof).await?;
            let attempt = Attempt { reset: id, token: &token, password, changes };
            api.recovery.complete(Some(session.scope()), &session.caller, attempt).await?;
        }
        TokenUse::Proof(_) | TokenUse::None => {
            if !api.recovery.update(session.scope(), &session.caller, id, changes).await? {
                return Err(Problem::NotFound);
            }
        }
    }
    reading::find(api, session, &CUSTOMER_PASSWORD_RESETS, id).await
}

/// A storefront may do nothing to a reset but use it: its plain attributes are the back office's.
async fn update_as_storefront(
    api: &Api,
    session: &Session,
    id: ResetId,
    attempt: TokenUse,
) -> Result<Record, Problem> {
    let wrong = || Problem::attribute(TOKEN.name, Fault::Invalid);
    match attempt {
        TokenUse::Password(proof, password) => {
            let token = api.recovery.redeem(Some(session.scope()), id, proof).await?;
            let attempt =
                Attempt { reset: id, token: &token, password, changes: &CommonAttributes::default() };
            api.recovery.complete(Some(session.scope()), &session.caller, attempt).await?;
            reading::find(api, session, &CUSTOMER_PASSWORD_RESETS, id).await
        }
        TokenUse::Proof(proof) => {
            let token = api.recovery.redeem(Some(session.scope()), id, proof).await?;
            let holder = api.recovery.holder(id, &token).await?;
            holder.filter(|holder| holder.scope == session.scope()).ok_or_else(wrong)?;
            reading::find(api, session, &CUSTOMER_PASSWORD_RESETS, id).await.map_err(
                |problem| match problem {
                    Problem::NotFound => wrong(),
                    other => other,
                },
            )
        }
        TokenUse::None => Err(Problem::Unauthorized),
    }
}

/// A receipt as a reset of which nobody is told more than that it was asked for.
fn shown(Receipt { id, created_at }: Receipt) -> Record {
    let read = Record::read::<Infallible>(
        &CUSTOMER_PASSWORD_RESETS,
        id.into(),
        |attribute, _| {
            Ok(match attribute.name {
                "created_at" | "updated_at" => Value::Time(created_at),
                _ if attribute.kind == Kind::Object => Value::default_of(attribute),
                _ => Value::Null,
            })
        },
        |_| Ok(None),
    );
    read.unwrap_or_else(|never| match never {})
}
