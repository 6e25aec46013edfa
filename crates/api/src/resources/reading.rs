//! The read side of every resource: lists, records, and what is related to them. All of it is for integrations only.

use actix_web::{HttpResponse, web::Data};
use rekey_core::{
    ids::RecordId,
    resources::{Relationship, Resource, listing::Filter},
};

use super::path::PathId;
use crate::{
    auth::principal::{IsIntegration, Permitted},
    jsonapi::{document::Documents, error::Problem, query::Query},
};

/// `GET /api/RESOURCE`.
pub async fn list(
    resource: &'static Resource,
    principal: Permitted<IsIntegration>,
    documents: Data<Documents>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let query = query.list(resource)?;
    let responder = principal.responder(&documents);
    responder.list(&responder.list_url(resource), &query).await
}

/// `GET /api/RESOURCE/{id}`.
pub async fn retrieve(
    resource: &'static Resource,
    principal: Permitted<IsIntegration>,
    documents: Data<Documents>,
    PathId(id): PathId<RecordId>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let view = query.one(resource, principal.audience())?;
    let responder = principal.responder(&documents);
    responder.ok(&responder.find(resource, id).await?, &view).await
}

/// `GET /api/RESOURCE/{id}/RELATIONSHIP`: the records at the other end of a relationship.
pub async fn related(
    resource: &'static Resource,
    relationship: &'static Relationship,
    principal: Permitted<IsIntegration>,
    documents: Data<Documents>,
    PathId(id): PathId<RecordId>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let responder = principal.responder(&documents);
    if relationship.is_to_one() {
        let view = query.one(relationship.target, principal.audience())?;
        let record = responder.find(resource, id).await?;
        return responder.linked(&record, relationship, &view).await;
    }
    let mut query = query.list(relationship.target)?;
    responder.find(resource, id).await?;
    let url = format!("{}/{id}/{}", responder.list_url(resource), relationship.name);
    if relationship.is_empty() {
        return responder.empty_list(&url, &query).await;
    }
    let related = Filter::RelatedTo(resource, relationship, id);
    query.listing.filter = Filter::All(vec![related, query.listing.filter]);
    responder.list(&url, &query).await
}

/// `GET /api/RESOURCE/{id}/relationships/RELATIONSHIP`: their identifiers.
pub async fn identifiers(
    resource: &'static Resource,
    relationship: &'static Relationship,
    principal: Permitted<IsIntegration>,
    documents: Data<Documents>,
    PathId(id): PathId<RecordId>,
) -> Result<HttpResponse, Problem> {
    let responder = principal.responder(&documents);
    responder.identifiers(&responder.find(resource, id).await?, relationship).await
}
