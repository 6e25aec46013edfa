//! Documents: a record or a page of a list, with what is included, as its reader may see it.

mod included;
mod render;

use actix_web::{HttpResponse, http::StatusCode, http::header};
use rekey_core::resources::{Audience, ORGANIZATIONS, Relationship, Resource, listing::Page, record::Record};
use serde_json::{Map, Value, json};

use self::{included::Included, render::Renderer};
use super::{
    MEDIA_TYPE,
    error::Problem,
    query::{ListQuery, View},
};
use crate::{api::Api, auth::principal::Session};

/// Answers one caller.
#[derive(Clone, Copy)]
pub struct Responder<'a> {
    api: &'a Api,
    session: &'a Session,
    audience: Audience,
}

impl<'a> Responder<'a> {
    /// For a caller of that audience.
    #[must_use]
    pub fn new(api: &'a Api, session: &'a Session, audience: Audience) -> Self {
        Self { api, session, audience }
    }

    /// 200 with this record.
    pub async fn ok(self, record: &Record, view: &View) -> Result<HttpResponse, Problem> {
        Ok(respond(StatusCode::OK, &self.document(record, view).await?))
    }

    /// 201 with this record and its place.
    pub async fn created(self, record: &Record, view: &View) -> Result<HttpResponse, Problem> {
        let mut response = respond(StatusCode::CREATED, &self.document(record, view).await?);
        if let Ok(location) = header::HeaderValue::from_str(&self.url_of(record)) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        Ok(response)
    }

    /// 200 with a record or null: the other end of a to-one relationship.
    pub async fn maybe(self, record: Option<&Record>, view: &View) -> Result<HttpResponse, Problem> {
        match record {
            Some(record) => self.ok(record, view).await,
            None => Ok(respond(StatusCode::OK, &json!({ "data": null }))),
        }
    }

    /// 200 with a part of a list; `url` is the list's own, without a query.
    pub async fn list(self, url: &str, query: &ListQuery) -> Result<HttpResponse, Problem> {
        let scope = self.session.scope();
        let listed = self.api.catalog.list(scope, &query.listing).await?;
        let included =
            Included::gather(&*self.api.catalog, scope, &query.view.includes, &listed.items).await?;
        let renderer = self.renderer(&query.view, &included);
        let data =
            listed.items.iter().map(|record| renderer.resource(record)).collect::<Result<Vec<_>, _>>()?;
        let (meta, links) = match &query.listing.page {
            Page::Number { number, size } => {
                let total = listed.total.unwrap_or_default();
                let pages = total.div_ceil(u64::from(*size)).max(1);
                let meta = json!({ "record_count": total, "page_count": pages });
                (meta, query.links.numbered(url, *number, *size, pages))
            }
            Page::After { size, .. } => {
                let next = listed.next.map(|cursor| cursor.encode(&query.listing.total_order()));
                (json!({}), query.links.after(url, *size, next.as_deref()))
            }
        };
        let document = document(Value::Array(data), renderer.included(&query.view)?);
        Ok(respond(StatusCode::OK, &with(document, [("meta", meta), ("links", Value::Object(links))])))
    }

    /// 200 with the identifiers at the other end of a relationship of that record.
    pub async fn identifiers(
        self,
        record: &Record,
        relationship: &'static Relationship,
    ) -> Result<HttpResponse, Problem> {
        let include = [super::query::Include { relationship, nested: Vec::new() }];
        let of = std::slice::from_ref(record);
        let included = Included::gather(&*self.api.catalog, self.session.scope(), &include, of).await?;
        let data = included.linkage(record, relationship);
        let links = render::relationship_links(&self.url_of(record), relationship);
        Ok(respond(StatusCode::OK, &json!({ "data": data, "links": links })))
    }

    async fn document(self, record: &Record, view: &View) -> Result<Map<String, Value>, Problem> {
        let of = std::slice::from_ref(record);
        let scope = self.session.scope();
        let included = Included::gather(&*self.api.catalog, scope, &view.includes, of).await?;
        let renderer = self.renderer(view, &included);
        Ok(document(renderer.resource(record)?, renderer.included(view)?))
    }

    fn renderer<'b>(self, view: &'b View, included: &'b Included) -> Renderer<'b>
    where
        'a: 'b,
    {
        let Self { api, session, audience } = self;
        Renderer { api, scope: session.scope(), audience, view, included }
    }

    fn url_of(self, record: &Record) -> String {
        url_of(&format!("{}/api", self.api.public_url), record.resource(), record.id().as_str())
    }
}

/// Where a record is; `api` is where the API is. The caller's own organization needs no id.
#[must_use]
pub fn url_of(api: &str, resource: &Resource, id: &str) -> String {
    if *resource == ORGANIZATIONS {
        format!("{api}/{}", resource.singular)
    } else {
        format!("{api}/{}/{id}", resource.name)
    }
}

/// Where a resource's list is.
#[must_use]
pub fn list_url(api: &Api, resource: &Resource) -> String {
    format!("{}/api/{}", api.public_url, resource.name)
}

fn document(data: Value, included: Option<Vec<Value>>) -> Map<String, Value> {
    let members = [("data", Some(data)), ("included", included.map(Value::Array))];
    members.into_iter().filter_map(|(name, member)| Some((name.to_owned(), member?))).collect()
}

fn with(mut document: Map<String, Value>, members: [(&str, Value); 2]) -> Map<String, Value> {
    document.extend(members.into_iter().map(|(name, member)| (name.to_owned(), member)));
    document
}

fn respond(status: StatusCode, document: &impl serde::Serialize) -> HttpResponse {
    match serde_json::to_vec(document) {
        Ok(body) => HttpResponse::build(status).content_type(MEDIA_TYPE).body(body),
        Err(error) => {
            tracing::error!(%error, "a document can't be written");
            HttpResponse::from_error(Problem::Internal)
        }
    }
}
