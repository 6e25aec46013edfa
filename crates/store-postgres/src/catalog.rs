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
use rekey_sql::rows;
use rekey_sql::{Dialect, RELATED_TO};
use sqlx::Row;

use crate::{PostgresStore, error::map_db_error, pool::Pool};

#[async_trait]
impl Catalog for PostgresStore {
    async fn find(
        &self,
        scope: Scope,
        resource: &'static Resource,
        id: RecordId,
    ) -> Result<Option<Record>, StoreError> {
        let statement = rekey_sql::find(Dialect::Postgres, scope, resource, id);
        let row = statement.query().fetch_optional(&self.pool).await.map_err(map_db_error)?;
        row.map(|row| rows::record(&row, resource)).transpose().map_err(map_db_error)
    }

    async fn list(&self, scope: Scope, listing: &Listing) -> Result<Listed, StoreError> {
        list(&self.pool, scope, listing).await.map_err(map_db_error)
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
        let statement = rekey_sql::related(Dialect::Postgres, scope, owner, relationship, ids);
        let rows = statement.query().fetch_all(&self.pool).await.map_err(map_db_error)?;
        let related = rows.iter().map(|row| {
            let record = rows::record(row, relationship.target)?;
            Ok(Related { key: rows::parsed(row, RELATED_TO)?, record })
        });
        related.collect::<Result<_, _>>().map_err(map_db_error)
    }
}

async fn list(pool: &Pool, scope: Scope, listing: &Listing) -> Result<Listed, sqlx::Error> {
    // Lists without filters are kept prepared, but for pages further on, whose offset is in the text. PostgreSQL plans the others for
    // their values: a plan for any filter would look for metadata that no record has by walking through all records in their order.
    let hot = listing.filter.is_empty() && listing.page.offset() == 0;
    let rows =
        rekey_sql::page(Dialect::Postgres, scope, listing).query().persistent(hot).fetch_all(pool).await?;
    let items = rows.iter().map(|row| rows::record(row, listing.resource)).collect::<Result<_, _>>()?;
    let mut listed = Listed::from_fetched(listing, items);
    if listed.needs_count(listing) {
        let rows = rekey_sql::count(Dialect::Postgres, scope, listing)
            .query()
            .persistent(hot)
            .fetch_all(pool)
            .await?;
        let count: i64 = rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
        listed.total = Some(count.unsigned_abs());
    }
    Ok(listed)
}
