use async_trait::async_trait;
use rekey_core::{
    access::Scope,
    catalog::{Catalog, Related},
    ids::RecordId,
    listing::{Cursor, Listed, Listing, Page},
    record::Record,
    resource::{Relationship, Resource},
    store::StoreError,
};
use rekey_sql::{Dialect, RELATED_TO};
use sqlx::{PgPool, Row};

use crate::{
    PostgresStore,
    error::fault,
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
        let row = fetch_optional(&self.pool, statement).await.map_err(fault)?;
        row.map(|row| rows::record(&row, resource)).transpose().map_err(fault)
    }

    async fn list(&self, scope: Scope, listing: &Listing) -> Result<Listed, StoreError> {
        list(&self.pool, scope, listing).await.map_err(fault)
    }

    async fn related(
        &self,
        scope: Scope,
        owner: &'static Resource,
        relationship: &'static Relationship,
        of: &[RecordId],
    ) -> Result<Vec<Related>, StoreError> {
        let statement = rekey_sql::related(Dialect::Postgres, scope, owner, relationship, of);
        let rows = fetch_all(&self.pool, statement, true).await.map_err(fault)?;
        let related = rows.iter().map(|row| {
            let record = rows::record(row, relationship.target)?;
            Ok(Related { of: rows::parsed(row, RELATED_TO)?, record })
        });
        related.collect::<Result<_, _>>().map_err(fault)
    }
}

async fn list(pool: &PgPool, scope: Scope, listing: &Listing) -> Result<Listed, sqlx::Error> {
    let hot = listing.filter.is_empty();
    let rows = fetch_all(pool, rekey_sql::page(Dialect::Postgres, scope, listing), hot).await?;
    let mut items =
        rows.iter().map(|row| rows::record(row, listing.resource)).collect::<Result<Vec<_>, _>>()?;
    match listing.page {
        Page::After { size, .. } => {
            let goes_on = items.len() > size as usize;
            items.truncate(size as usize);
            let last = items.last().filter(|_| goes_on);
            let next = last.map(|last| Cursor::after(last, &listing.total_order()));
            Ok(Listed { items, total: None, next })
        }
        Page::Number { size, .. } => {
            let on_page = items.len() as u64;
            // A page that is neither full nor empty is the last one, and so tells how many there are.
            let total = if (1..u64::from(size)).contains(&on_page) {
                listing.page.offset() + on_page
            } else {
                let counted =
                    fetch_all(pool, rekey_sql::count(Dialect::Postgres, scope, listing), hot).await?;
                counted.first().ok_or(sqlx::Error::RowNotFound)?.try_get::<i64, _>(0)?.unsigned_abs()
            };
            Ok(Listed { items, total: Some(total), next: None })
        }
    }
}
