//! JSON:API documents: records and the records that are included with them, as a reader may see them.

mod included;
mod render;
mod view;

use std::{cell::Cell, slice, sync::Arc};

use serde_json::{Value, json};

use self::{included::Included, render::Renderer};
pub use self::{
    render::{timestamp, url_of},
    view::{Include, MAX_DEPTH, MAX_PATHS, View},
};
use crate::{
    error::StoreError,
    ids::RecordId,
    resources::{Audience, Relationship, Resource, catalog::Catalog, record::Record},
    scope::Scope,
    secrets::{KeyRing, UnsealError},
};

/// Reads and renders records.
#[derive(Clone)]
pub struct Documents {
    /// Reads records.
    pub catalog: Arc<dyn Catalog>,
    /// Decrypts what integrations are shown.
    pub keys: KeyRing,
    /// What every link begins with, such as `https://shop.example.com/api`.
    pub api_url: String,
}

/// Renders for a reader.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    documents: &'a Documents,
    /// What the reader can reach.
    pub scope: Scope,
    /// What the reader is shown.
    pub audience: Audience,
}

/// Why a document can't be made.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// More than [`MAX_INCLUDED`](crate::resources::catalog::MAX_INCLUDED) related records would be read.
    #[error("a document includes too many records")]
    TooManyIncluded,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Records as resource objects.
#[derive(Debug)]
pub struct Rendered {
    /// The records.
    pub data: Vec<Value>,
    /// The records that are included with them, if any are asked for.
    pub included: Option<Vec<Value>>,
}

impl Documents {
    /// Returns what renders for a reader in `scope` who is shown what that audience is.
    #[must_use]
    pub fn reader(&self, scope: Scope, audience: Audience) -> Reader<'_> {
        Reader { documents: self, scope, audience }
    }
}

impl<'a> Reader<'a> {
    /// Reads a record.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(
        self,
        resource: &'static Resource,
        id: impl Into<RecordId>,
    ) -> Result<Option<Record>, StoreError> {
        self.documents.catalog.find(self.scope, resource, id.into()).await
    }

    /// Reads records.
    #[must_use]
    pub fn catalog(self) -> &'a dyn Catalog {
        &*self.documents.catalog
    }

    /// Returns the URL of a resource's list.
    #[must_use]
    pub fn list_url(self, resource: &Resource) -> String {
        format!("{}/{}", self.documents.api_url, resource.name)
    }

    /// Returns the URL of a record.
    #[must_use]
    pub fn url_of(self, record: &Record) -> String {
        url_of(&self.documents.api_url, record.resource(), record.id().as_str())
    }

    /// Renders a document with one record.
    ///
    /// # Errors
    /// See [`DocumentError`].
    pub async fn document(self, record: &Record, view: &View) -> Result<Value, DocumentError> {
        let Rendered { mut data, included } = self.render(slice::from_ref(record), view).await?;
        Ok(with_included(json!({ "data": data.pop() }), included))
    }

    /// Renders a document with the identifiers at the other end of a relationship.
    ///
    /// # Errors
    /// See [`DocumentError`].
    pub async fn identifiers(
        self,
        record: &Record,
        relationship: &'static Relationship,
    ) -> Result<Value, DocumentError> {
        let include = [Include { relationship, nested: Vec::new() }];
        let included =
            Included::gather(self.catalog(), self.scope, &include, slice::from_ref(record)).await?;
        let data = included.linkage(record, relationship);
        let links = render::relationship_links(&self.url_of(record), relationship);
        Ok(json!({ "data": data, "links": links }))
    }

    /// Renders records, and those that are included with them.
    ///
    /// # Errors
    /// See [`DocumentError`].
    pub async fn render(self, records: &[Record], view: &View) -> Result<Rendered, DocumentError> {
        let Self { documents: Documents { catalog, keys, api_url }, scope, audience } = self;
        let included = Included::gather(&**catalog, scope, &view.includes, records).await?;
        let undecryptable = Cell::default();
        let renderer = Renderer { keys, api_url, scope, audience, view, included: &included, undecryptable };
        let render =
            |records: &[Record]| records.iter().map(|record| renderer.resource(record)).collect::<Vec<_>>();
        let data = render(records);
        let included = (!view.includes.is_empty()).then(|| render(included.records()));
        let count = renderer.undecryptable.get();
        if count > 0 {
            tracing::error!(count, "values can't be decrypted and are shown as null: {UnsealError}");
        }
        Ok(Rendered { data, included })
    }
}

/// Adds included records to a document.
#[must_use]
pub fn with_included(mut document: Value, included: Option<Vec<Value>>) -> Value {
    if let (Some(document), Some(included)) = (document.as_object_mut(), included) {
        document.insert("included".to_owned(), included.into());
    }
    document
}
