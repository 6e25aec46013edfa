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
use rekey_sql::{Dialect, RELATED_TO};
use sqlx::{PgPool, Row};

use crate::{
    PostgresStore,
    error::map_db_error,
    rows,
    statement::{fetch_all, fetch_optional},
};

#[async_trait]
impl Catalog for PostgresStore {
    async fn find(
        &self,
        scope: Scope,
        resource: &'static Resource,
        id: RecordId,
    ) -> Result<Option<Record>, StoreError> {
        let statement = rekey_sql::find(Dialect::Postgres, scope, resource, id);
        let row = fetch_optional(&self.pool, statement).await.map_err(map_db_error)?;
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
        of: &[RecordId],
    ) -> Result<Vec<Related>, StoreError> {
        let statement = rekey_sql::related(Dialect::Postgres, scope, owner, relationship, of);
        let rows = fetch_all(&self.pool, statement, true).await.map_err(map_db_error)?;
        let related = rows.iter().map(|row| {
            let record = rows::record(row, relationship.target)?;
            Ok(Related { of: rows::parsed(row, RELATED_TO)?, record })
        });
        related.collect::<Result<_, _>>().map_err(map_db_error)
    }
}

async fn list(pool: &PgPool, scope: Scope, listing: &Listing) -> Result<Listed, sqlx::Error> {
    let hot = listing.filter.is_empty();
    let rows = fetch_all(pool, rekey_sql::page(Dialect::Postgres, scope, listing), hot).await?;
    let items = rows.iter().map(|row| rows::record(row, listing.resource)).collect::<Result<_, _>>()?;
    let mut listed = Listed::of(listing, items);
    if listed.is_uncounted(listing) {
        let rows = fetch_all(pool, rekey_sql::count(Dialect::Postgres, scope, listing), hot).await?;
        let count: i64 = rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
        listed.total = Some(count.unsigned_abs());
    }
    Ok(listed)
}
