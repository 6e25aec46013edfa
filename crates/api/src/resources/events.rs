//! Writing `/api/events`. Reading is in [`super::reading`].

use actix_web::{HttpResponse, web::Data};
use rekey_core::{
    ids::EventId,
    resources::{EVENTS, events::TRIGGER},
    webhooks::service::WebhookService,
};

use super::path::PathId;
use crate::{
    auth::principal::{IsIntegration, Permitted},
    jsonapi::{body::Body, document::Documents, error::Problem, query::Query},
};

/// `PATCH …/{id}`: sends an event to its webhooks again.
pub async fn update(
    principal: Permitted<IsIntegration>,
    webhooks: Data<WebhookService>,
    documents: Data<Documents>,
    PathId(id): PathId<EventId>,
    query: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let view = query.one(&EVENTS, principal.audience())?;
    let mut input = body.read(&EVENTS, Some(id.as_str())).await?;
    let triggers = input.trigger(&TRIGGER);
    let triggers = input.finish(Some(triggers))?;
    if triggers {
        let sent = webhooks.trigger(principal.scope(), &principal.caller, id).await?;
        sent.ok_or(Problem::NotFound)?;
    }
    let responder = principal.responder(&documents);
    responder.ok(&responder.find(&EVENTS, id).await?, &view).await
}
