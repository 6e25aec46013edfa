//! Documents: one record or a page of a list, with included records, as the caller may see them.

mod included;
mod render;

use std::{cell::Cell, slice, sync::Arc};

use actix_web::{HttpResponse, http::StatusCode, http::header};
use rekey_core::{
    ids::RecordId,
    resources::{
        Audience, Relationship, Resource,
        catalog::Catalog,
        listing::{Listed, Page},
        record::Record,
    },
    scope::Scope,
    secrets::{KeyRing, UnsealError},
};
use rekey_runtime::config::PublicUrl;
use serde_json::{Value, json};

pub use self::render::url_of;
use self::{included::Included, render::Renderer};
use super::{
    MEDIA_TYPE,
    error::Problem,
    query::{Include, ListQuery, View},
};

/// Reads records and renders them.
pub struct Documents {
    catalog: Arc<dyn Catalog>,
    /// Opens the tokens that integrations are shown.
    keys: KeyRing,
    /// What every link begins with; no request can change it.
    api_url: String,
}

/// Answers one caller.
#[derive(Clone, Copy)]
pub struct Responder<'a> {
    documents: &'a Documents,
    scope: Scope,
    audience: Audience,
}

impl Documents {
    pub fn new(catalog: Arc<dyn Catalog>, keys: KeyRing, public_url: &PublicUrl) -> Self {
        Self { catalog, keys, api_url: format!("{}/api", public_url.as_str()) }
    }

    /// Answers a caller that can reach `scope` and is shown what that audience is.
    #[must_use]
    pub fn responder(&self, scope: Scope, audience: Audience) -> Responder<'_> {
        Responder { documents: self, scope, audience }
    }
}

impl Responder<'_> {
    /// Reads a record.
    pub async fn find(self, resource: &'static Resource, id: impl Into<RecordId>) -> Result<Record, Problem> {
        let found = self.documents.catalog.find(self.scope, resource, id.into()).await?;
        found.ok_or(Problem::NotFound)
    }

    /// Returns the URL of a resource's list.
    #[must_use]
    pub fn list_url(self, resource: &Resource) -> String {
        format!("{}/{}", self.documents.api_url, resource.name)
    }

    /// Answers 200 with this record.
    pub async fn ok(self, record: &Record, view: &View) -> Result<HttpResponse, Problem> {
        self.one(StatusCode::OK, record, view).await
    }

    /// Answers 201 with this record and its URL.
    pub async fn created(self, record: &Record, view: &View) -> Result<HttpResponse, Problem> {
        let mut response = self.one(StatusCode::CREATED, record, view).await?;
        if let Ok(location) = header::HeaderValue::from_str(&self.url_of(record)) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        Ok(response)
    }

    /// Answers 200 with the record at the other end of a to-one relationship, or null.
    pub async fn linked(
        self,
        record: &Record,
        relationship: &'static Relationship,
        view: &View,
    ) -> Result<HttpResponse, Problem> {
        let linked = match record.linked(relationship) {
            Some(id) => self.documents.catalog.find(self.scope, relationship.target, id).await?,
            None => None,
        };
        match linked {
            Some(linked) => self.ok(&linked, view).await,
            None => Ok(respond(StatusCode::OK, &json!({ "data": null }))),
        }
    }

    /// Answers 200 with a part of a list. `url` is the list's own, without a query.
    pub async fn list(self, url: &str, query: &ListQuery) -> Result<HttpResponse, Problem> {
        let listed = self.documents.catalog.list(self.scope, &query.listing).await?;
        self.page(url, query, listed).await
    }

    /// Answers 200 with an empty list.
    pub async fn empty_list(self, url: &str, query: &ListQuery) -> Result<HttpResponse, Problem> {
        self.page(url, query, Listed::from_fetched(&query.listing, Vec::new())).await
    }

    async fn page(self, url: &str, query: &ListQuery, listed: Listed) -> Result<HttpResponse, Problem> {
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
        let (data, included) = self.render(&listed.items, &query.view).await?;
        let document = json!({ "data": data, "meta": meta, "links": links });
        Ok(respond(StatusCode::OK, &with_included(document, included)))
    }

    /// Answers 200 with the identifiers at the other end of a relationship of that record.
    pub async fn identifiers(
        self,
        record: &Record,
        relationship: &'static Relationship,
    ) -> Result<HttpResponse, Problem> {
        let include = [Include { relationship, nested: Vec::new() }];
        let included =
            Included::gather(&*self.documents.catalog, self.scope, &include, slice::from_ref(record)).await?;
        let data = included.linkage(record, relationship);
        let links = render::relationship_links(&self.url_of(record), relationship);
        Ok(respond(StatusCode::OK, &json!({ "data": data, "links": links })))
    }

    async fn one(self, status: StatusCode, record: &Record, view: &View) -> Result<HttpResponse, Problem> {
        let (mut data, included) = self.render(slice::from_ref(record), view).await?;
        Ok(respond(status, &with_included(json!({ "data": data.pop() }), included)))
    }

    /// Renders records, and the records that are included with them if the caller asks for any.
    async fn render(
        self,
        records: &[Record],
        view: &View,
    ) -> Result<(Vec<Value>, Option<Vec<Value>>), Problem> {
        let Self { documents: Documents { catalog, keys, api_url }, scope, audience } = self;
        let included = Included::gather(&**catalog, scope, &view.includes, records).await?;
        let unreadable_tokens = Cell::default();
        let renderer =
            Renderer { keys, api_url, scope, audience, view, included: &included, unreadable_tokens };
        let render = |records: &[Record]| {
            records.iter().map(|record| renderer.resource(record)).collect::<Result<Vec<_>, _>>()
        };
        let data = render(records)?;
        let included = if view.includes.is_empty() { None } else { Some(render(included.records())?) };
        let count = renderer.unreadable_tokens.get();
        if count > 0 {
            tracing::error!(count, "tokens can't be decrypted and are shown as null: {UnsealError}");
        }
        Ok((data, included))
    }

    fn url_of(self, record: &Record) -> String {
        url_of(&self.documents.api_url, record.resource(), record.id().as_str())
    }
}

fn with_included(mut document: Value, included: Option<Vec<Value>>) -> Value {
    if let (Some(document), Some(included)) = (document.as_object_mut(), included) {
        document.insert("included".to_owned(), included.into());
    }
    document
}

fn respond(status: StatusCode, document: &Value) -> HttpResponse {
    HttpResponse::build(status).content_type(MEDIA_TYPE).body(document.to_string())
}
