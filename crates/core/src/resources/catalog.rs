//! The port by which records are read: whatever the resource, in three ways.

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

/// Reads records of one scope. Nobody is shown decoys.
#[async_trait]
pub trait Catalog: Send + Sync + 'static {
    /// The record with that id.
    async fn find(
        &self,
        scope: Scope,
        resource: &'static Resource,
        id: RecordId,
    ) -> Result<Option<Record>, StoreError>;

    /// A part of a list: one query for its records, and one for their number where that is asked for and does not follow
    /// from them.
    async fn list(&self, scope: Scope, listing: &Listing) -> Result<Listed, StoreError>;

    /// What these records of `owner` are related to, in one query: at the other end of a to-many relationship at most
    /// [`MAX_RELATED`] a record, the newest first.
    async fn related(
        &self,
        scope: Scope,
        owner: &'static Resource,
        relationship: &'static Relationship,
        of: &[RecordId],
    ) -> Result<Vec<Related>, StoreError>;
}

/// Records that are included at the other end of one record's to-many relationship, at most. The relationship's own list
/// has them all.
pub const MAX_RELATED: u32 = 100;

/// A related record.
#[derive(Debug, Clone, PartialEq)]
pub struct Related {
    /// Of whom it is related to one.
    pub of: RecordId,
    /// The record.
    pub record: Record,
}
