use async_trait::async_trait;
use rekey_core::{
    error::StoreError,
    ids::RecordId,
    resources::{
        Relationship, Resource,
        catalog::{Catalog, Related},
        listing::{Listed, Listing},
        record::Record,
    },
    scope::Scope,
};
use rekey_sql::RELATED_TO;
use rekey_sql::rows::{self, Read};
use sqlx::{Row, SqliteExecutor};

use crate::{SqliteStore, error::map_db_error};

#[async_trait]
impl Catalog for SqliteStore {
    async fn find(
        &self,
        scope: Scope,
        resource: &'static Resource,
        id: RecordId,
    ) -> Result<Option<Record>, StoreError> {
        find_in(&self.readers, self.present(), scope, resource, id).await.map_err(map_db_error)
    }

    async fn list(&self, scope: Scope, listing: &Listing) -> Result<Listed, StoreError> {
        list(self, scope, listing).await.map_err(map_db_error)
    }

    async fn related(
        &self,
        scope: Scope,
        owner: &'static Resource,
        relationship: &'static Relationship,
        ids: &[RecordId],
    ) -> Result<Vec<Related>, StoreError> {
        if relationship.is_empty() {
            return Ok(Vec::new());
        }
        let statement = rekey_sql::related(self.dialect(), scope, owner, relationship, ids);
        let rows = statement.query().fetch_all(&self.readers).await.map_err(map_db_error)?;
        let related = rows.iter().map(|row| {
            let record = rows::record(row, relationship.target)?;
            Ok(Related { key: rows::parsed(row, RELATED_TO)?, record })
        });
        related.collect::<Result<_, _>>().map_err(map_db_error)
    }
}

/// Returns the record with that id, as of `now`.
pub(crate) async fn find_in(
    executor: impl SqliteExecutor<'_>,
    now: i64,
    scope: Scope,
    resource: &'static Resource,
    id: RecordId,
) -> Read<Option<Record>> {
    let statement = rekey_sql::find(rekey_sql::Dialect::Sqlite { now }, scope, resource, id);
    let row = statement.query().fetch_optional(executor).await?;
    row.map(|row| rows::record(&row, resource)).transpose()
}

async fn list(store: &SqliteStore, scope: Scope, listing: &Listing) -> Read<Listed> {
    let rows = rekey_sql::page(store.dialect(), scope, listing).query().fetch_all(&store.readers).await?;
    let items = rows.iter().map(|row| rows::record(row, listing.resource)).collect::<Result<_, _>>()?;
    let mut listed = Listed::from_fetched(listing, items);
    if listed.needs_count(listing) {
        let row = rekey_sql::count(store.dialect(), scope, listing).query().fetch_one(&store.readers).await?;
        listed.total = Some(row.try_get::<i64, _>(0)?.unsigned_abs());
    }
    Ok(listed)
}
