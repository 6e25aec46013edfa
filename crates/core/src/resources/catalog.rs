//! The port that reads records of all resources.

use async_trait::async_trait;

use crate::{
    error::StoreError,
    ids::RecordId,
    resources::{
        Relationship, Resource,
        listing::{Listed, Listing},
        record::Record,
    },
    scope::Scope,
};

/// Reads records of one scope. Decoys are never returned.
#[async_trait]
pub trait Catalog: Send + Sync + 'static {
    /// Returns the record with that id.
    async fn find(
        &self,
        scope: Scope,
        resource: &'static Resource,
        id: RecordId,
    ) -> Result<Option<Record>, StoreError>;

    /// Returns a page of a list: one query for its records, and one for the total if the page needs it and does not show it.
    async fn list(&self, scope: Scope, listing: &Listing) -> Result<Listed, StoreError>;

    /// Returns the records that these records of `owner` are related to, in one query. For a to-many relationship it returns at most
    /// [`MAX_RELATED`] for each, the newest first; for a to-one relationship `ids` are those of the related records. It returns one record
    /// more than [`MAX_INCLUDED`] at most. An [empty](Relationship::is_empty) relationship leads to none.
    async fn related(
        &self,
        scope: Scope,
        owner: &'static Resource,
        relationship: &'static Relationship,
        ids: &[RecordId],
    ) -> Result<Vec<Related>, StoreError>;
}

/// The maximum number of related records that are included for one record. The list of the relationship has all of them.
pub const MAX_RELATED: u32 = 100;

/// The maximum number of related records that are read for one document: those of one relationship of a whole page always fit.
pub const MAX_INCLUDED: u32 = 25 * MAX_RELATED;

/// A related record.
#[derive(Debug, Clone, PartialEq)]
pub struct Related {
    /// The requested id: of the owner, or, for a to-one relationship, of the record itself.
    pub key: RecordId,
    /// The record.
    pub record: Record,
}
