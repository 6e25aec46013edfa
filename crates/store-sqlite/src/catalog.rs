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
use rekey_sql::RELATED_TO;
use sqlx::{Row, SqliteExecutor};

use crate::{
    SqliteStore,
    error::fault,
    rows::{self, Read},
    statement::{fetch_all, fetch_one, fetch_optional},
};

#[async_trait]
impl Catalog for SqliteStore {
    async fn find(
        &self,
        scope: Scope,
        resource: &'static Resource,
        id: RecordId,
    ) -> Result<Option<Record>, StoreError> {
        find_in(&self.readers, self.present(), scope, resource, id).await.map_err(fault)
    }

    async fn list(&self, scope: Scope, listing: &Listing) -> Result<Listed, StoreError> {
        list(self, scope, listing).await.map_err(fault)
    }

    async fn related(
        &self,
        scope: Scope,
        owner: &'static Resource,
        relationship: &'static Relationship,
        of: &[RecordId],
    ) -> Result<Vec<Related>, StoreError> {
        let statement = rekey_sql::related(self.dialect(), scope, owner, relationship, of);
        let rows = fetch_all(&self.readers, statement).await.map_err(fault)?;
        let related = rows.iter().map(|row| {
            let record = rows::record(row, relationship.target)?;
            Ok(Related { of: rows::parsed(row, RELATED_TO)?, record })
        });
        related.collect::<Result<_, _>>().map_err(fault)
    }
}

/// The record with that id, as of `now`.
pub(crate) async fn find_in(
    executor: impl SqliteExecutor<'_>,
    now: i64,
    scope: Scope,
    resource: &'static Resource,
    id: RecordId,
) -> Read<Option<Record>> {
    let statement = rekey_sql::find(rekey_sql::Dialect::Sqlite { now }, scope, resource, id);
    let row = fetch_optional(executor, statement).await?;
    row.map(|row| rows::record(&row, resource)).transpose()
}

async fn list(store: &SqliteStore, scope: Scope, listing: &Listing) -> Read<Listed> {
    let rows = fetch_all(&store.readers, rekey_sql::page(store.dialect(), scope, listing)).await?;
    let mut items = rows.iter().map(|row| rows::record(row, listing.resource)).collect::<Read<Vec<_>>>()?;
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
                let statement = rekey_sql::count(store.dialect(), scope, listing);
                fetch_one(&store.readers, statement).await?.try_get::<i64, _>(0)?.unsigned_abs()
            };
            Ok(Listed { items, total: Some(total), next: None })
        }
    }
}
