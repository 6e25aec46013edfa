//! Documents: one record or a page of a list, with included records, as the caller may see them.

use actix_web::{HttpResponse, http::StatusCode, http::header};
use rekey_core::{
    documents::{DocumentError, Reader, Rendered, View, with_included},
    ids::RecordId,
    resources::{
        Audience, Relationship, Resource,
        listing::{Listed, Page},
        record::Record,
    },
    scope::Scope,
};
use serde_json::{Value, json};

use super::{
    MEDIA_TYPE,
    error::{Problem, QueryProblem},
    query::ListQuery,
};

pub use rekey_core::documents::Documents;

/// Answers one caller.
#[derive(Clone, Copy)]
pub struct Responder<'a>(Reader<'a>);

/// Answers a caller that can reach `scope` and is shown what that audience is.
#[must_use]
pub fn responder(documents: &Documents, scope: Scope, audience: Audience) -> Responder<'_> {
    Responder(documents.reader(scope, audience))
}

impl Responder<'_> {
    /// Reads a record.
    pub async fn find(self, resource: &'static Resource, id: impl Into<RecordId>) -> Result<Record, Problem> {
        self.0.find(resource, id).await?.ok_or(Problem::NotFound)
    }

    /// Returns the URL of a resource's list.
    #[must_use]
    pub fn list_url(self, resource: &Resource) -> String {
        self.0.list_url(resource)
    }

    /// Answers 200 with this record.
    pub async fn ok(self, record: &Record, view: &View) -> Result<HttpResponse, Problem> {
        self.one(StatusCode::OK, record, view).await
    }

    /// Answers 201 with this record and its URL.
    pub async fn created(self, record: &Record, view: &View) -> Result<HttpResponse, Problem> {
        let mut response = self.one(StatusCode::CREATED, record, view).await?;
        if let Ok(location) = header::HeaderValue::from_str(&self.0.url_of(record)) {
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
            Some(id) => self.0.find(relationship.target, id).await?,
            None => None,
        };
        match linked {
            Some(linked) => self.ok(&linked, view).await,
            None => Ok(respond(StatusCode::OK, &json!({ "data": null }))),
        }
    }

    /// Answers 200 with a part of a list. `url` is the list's own, without a query.
    pub async fn list(self, url: &str, query: &ListQuery) -> Result<HttpResponse, Problem> {
        let listed = self.0.catalog().list(self.0.scope, &query.listing).await?;
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
        let Rendered { data, included } = self.0.render(&listed.items, &query.view).await?;
        let document = json!({ "data": data, "meta": meta, "links": links });
        Ok(respond(StatusCode::OK, &with_included(document, included)))
    }

    /// Answers 200 with the identifiers at the other end of a relationship of that record.
    pub async fn identifiers(
        self,
        record: &Record,
        relationship: &'static Relationship,
    ) -> Result<HttpResponse, Problem> {
        Ok(respond(StatusCode::OK, &self.0.identifiers(record, relationship).await?))
    }

    async fn one(self, status: StatusCode, record: &Record, view: &View) -> Result<HttpResponse, Problem> {
        Ok(respond(status, &self.0.document(record, view).await?))
    }
}

impl From<DocumentError> for Problem {
    fn from(error: DocumentError) -> Self {
        match error {
            DocumentError::TooManyIncluded => {
                Self::Query(QueryProblem::TooManyIncluded, "include".to_owned())
            }
            DocumentError::Store(error) => error.into(),
        }
    }
}

fn respond(status: StatusCode, document: &Value) -> HttpResponse {
    HttpResponse::build(status).content_type(MEDIA_TYPE).body(document.to_string())
}
