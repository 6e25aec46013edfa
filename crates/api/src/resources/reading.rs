//! What is read of any resource: lists, records, and what is related to them. All of it is the back office's.

use actix_web::{HttpResponse, web::Data};
use rekey_core::{
    ids::RecordId,
    resources::{Audience, Link, Relationship, Resource, listing::Filter, record::Record},
};

use super::path::PathId;
use crate::{
    api::Api,
    auth::principal::{Integration, Permitted, Session},
    jsonapi::{
        document::{Responder, list_url},
        error::Problem,
        query::Query,
    },
};

/// `GET /api/RESOURCE`: a part of its list.
pub async fn list(
    resource: &'static Resource,
    Permitted(Integration(session)): Permitted<Integration>,
    api: Data<Api>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let query = query.list(resource)?;
    Responder::new(&api, &session, Audience::BackOffice).list(&list_url(&api, resource), &query).await
}

/// `GET /api/RESOURCE/{id}`.
pub async fn retrieve(
    resource: &'static Resource,
    Permitted(Integration(session)): Permitted<Integration>,
    api: Data<Api>,
    PathId(id): PathId<RecordId>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let view = query.one(resource, Audience::BackOffice)?;
    let record = find(&api, &session, resource, id).await?;
    Responder::new(&api, &session, Audience::BackOffice).ok(&record, &view).await
}

/// `GET /api/RESOURCE/{id}/RELATIONSHIP`: what is related to a record.
pub async fn related(
    resource: &'static Resource,
    relationship: &'static Relationship,
    Permitted(Integration(session)): Permitted<Integration>,
    api: Data<Api>,
    PathId(id): PathId<RecordId>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let responder = Responder::new(&api, &session, Audience::BackOffice);
    let target = relationship.target;
    if let Link::One(_) = relationship.link {
        let view = query.one(target, Audience::BackOffice)?;
        let record = find(&api, &session, resource, id).await?;
        let related = match record.linked(relationship) {
            Some(linked) => api.catalog.find(session.scope(), target, linked).await?,
            None => None,
        };
        return responder.maybe(related.as_ref(), &view).await;
    }
    let mut query = query.list(target)?;
    find(&api, &session, resource, id).await?;
    let mine = Filter::RelatedTo(resource, relationship, id);
    query.listing.filter = Filter::All(vec![mine, query.listing.filter]);
    let url = format!("{}/{id}/{}", list_url(&api, resource), relationship.name);
    responder.list(&url, &query).await
}

/// `GET /api/RESOURCE/{id}/relationships/RELATIONSHIP`: the identifiers of what is related to a record.
pub async fn identifiers(
    resource: &'static Resource,
    relationship: &'static Relationship,
    Permitted(Integration(session)): Permitted<Integration>,
    api: Data<Api>,
    PathId(id): PathId<RecordId>,
) -> Result<HttpResponse, Problem> {
    let record = find(&api, &session, resource, id).await?;
    Responder::new(&api, &session, Audience::BackOffice).identifiers(&record, relationship).await
}

/// The record, or 404.
pub async fn find(
    api: &Api,
    session: &Session,
    resource: &'static Resource,
    id: impl Into<RecordId>,
) -> Result<Record, Problem> {
    api.catalog.find(session.scope(), resource, id.into()).await?.ok_or(Problem::NotFound)
}
