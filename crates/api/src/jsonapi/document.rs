//! Answers: one resource, or a page of them.

use actix_web::{HttpResponse, http::StatusCode, http::header};
use rekey_core::{access::Scope, listing::Listing};
use serde::Serialize;
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, UtcOffset, format_description::BorrowedFormatItem, macros::format_description};

use super::{MEDIA_TYPE, query::PageLinks};

/// A resource object: what every answer under `/api` is made of.
#[derive(Debug, Serialize)]
pub struct Resource {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    links: Link,
    attributes: Value,
    relationships: Map<String, Value>,
    meta: Value,
}

#[derive(Debug, Serialize)]
struct Link {
    #[serde(rename = "self")]
    itself: String,
}

impl Resource {
    /// A resource of `scope` with its links under `public_url`.
    #[must_use]
    pub fn new(
        public_url: &str,
        kind: &'static str,
        id: &str,
        scope: Scope,
        attributes: Value,
        relationships: &[&str],
    ) -> Self {
        let itself = format!("{public_url}/api/{kind}/{id}");
        let relationship = |name: &&str| {
            let links = json!({ "self": format!("{itself}/relationships/{name}"), "related": format!("{itself}/{name}") });
            ((*name).to_owned(), json!({ "links": links }))
        };
        Self {
            id: id.to_owned(),
            kind,
            relationships: relationships.iter().map(relationship).collect(),
            links: Link { itself },
            attributes,
            meta: json!({ "mode": scope.mode.as_str(), "organization_id": scope.organization.as_str() }),
        }
    }

    /// 200 with this resource.
    #[must_use]
    pub fn ok(self) -> HttpResponse {
        respond(StatusCode::OK, &json!({ "data": self }))
    }

    /// 201 with this resource and its place.
    #[must_use]
    pub fn created(self) -> HttpResponse {
        let location = header::HeaderValue::from_str(&self.links.itself);
        let mut response = respond(StatusCode::CREATED, &json!({ "data": self }));
        if let Ok(location) = location {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

/// 200 with a page of resources, how many there are in all, and where the other pages are.
#[must_use]
pub fn list(resources: &[Resource], total: u64, listing: Listing, links: &PageLinks) -> HttpResponse {
    let pages = total.div_ceil(u64::from(listing.page.size)).max(1);
    let meta = json!({ "record_count": total, "page_count": pages });
    respond(
        StatusCode::OK,
        &json!({ "data": resources, "meta": meta, "links": links.around(listing.page, pages) }),
    )
}

fn respond(status: StatusCode, document: &Value) -> HttpResponse {
    HttpResponse::build(status).content_type(MEDIA_TYPE).body(document.to_string())
}

const TIMESTAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A time as on the wire: RFC 3339, UTC, milliseconds.
#[must_use]
pub fn timestamp(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC).format(TIMESTAMP).unwrap_or_default()
}
