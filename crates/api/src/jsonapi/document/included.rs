use std::collections::{HashMap, HashSet};

use rekey_core::{
    access::Scope,
    catalog::Catalog,
    ids::RecordId,
    record::Record,
    resource::{Link, Relationship},
    store::StoreError,
};
use serde_json::{Value, json};

use crate::jsonapi::query::Include;

/// The records that a document includes, and who leads to them.
#[derive(Default)]
pub struct Included {
    /// Each once, and none that is primary data already.
    records: Vec<Record>,
    seen: HashSet<(&'static str, RecordId)>,
    /// By resource, record and relationship.
    links: HashMap<(&'static str, RecordId, &'static str), Vec<RecordId>>,
}

impl Included {
    /// Reads what is included with the primary records: one query a relationship.
    pub async fn gather(
        catalog: &dyn Catalog,
        scope: Scope,
        includes: &[Include],
        primary: &[Record],
    ) -> Result<Self, StoreError> {
        let mut gathered = Self::default();
        gathered.seen.extend(primary.iter().map(key));
        let mut open = vec![(includes, primary.to_vec())];
        while let Some((includes, owners)) = open.pop() {
            for Include { relationship, nested } in includes {
                let related = gathered.follow(catalog, scope, &owners, relationship).await?;
                if !nested.is_empty() {
                    open.push((nested, related));
                }
            }
        }
        Ok(gathered)
    }

    /// The included records.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Whether that relationship of that record was followed.
    pub fn covers(&self, record: &Record, relationship: &Relationship) -> bool {
        self.links.contains_key(&(record.resource().name, record.id(), relationship.name))
    }

    /// Its `data`: an identifier or null, or an array of identifiers.
    pub fn linkage(&self, record: &Record, relationship: &Relationship) -> Value {
        let ids = self.links.get(&(record.resource().name, record.id(), relationship.name));
        let identifier = |id: &RecordId| json!({ "type": relationship.target.name, "id": id.as_str() });
        let mut identifiers = ids.into_iter().flatten().map(identifier);
        if relationship.is_to_one() {
            identifiers.next().unwrap_or(Value::Null)
        } else {
            identifiers.collect()
        }
    }

    async fn follow(
        &mut self,
        catalog: &dyn Catalog,
        scope: Scope,
        owners: &[Record],
        relationship: &'static Relationship,
    ) -> Result<Vec<Record>, StoreError> {
        let Some(resource) = owners.first().map(Record::resource) else { return Ok(Vec::new()) };
        let asked: Vec<(RecordId, Option<RecordId>)> = owners
            .iter()
            .map(|owner| match relationship.link {
                Link::One(_) => (owner.id(), owner.linked(relationship)),
                Link::Many(_) | Link::About => (owner.id(), Some(owner.id())),
            })
            .collect();
        let of: HashSet<RecordId> = asked.iter().filter_map(|(_, of)| *of).collect();
        let of: Vec<RecordId> = of.into_iter().collect();
        let related = if of.is_empty() {
            Vec::new()
        } else {
            catalog.related(scope, resource, relationship, &of).await?
        };
        let mut by_asked: HashMap<RecordId, Vec<RecordId>> = HashMap::new();
        for related in &related {
            by_asked.entry(related.of).or_default().push(related.record.id());
        }
        for (owner, of) in asked {
            let ids = of.and_then(|of| by_asked.get(&of).cloned()).unwrap_or_default();
            self.links.insert((resource.name, owner, relationship.name), ids);
        }
        let records: Vec<Record> = related.into_iter().map(|related| related.record).collect();
        for record in &records {
            if self.seen.insert(key(record)) {
                self.records.push(record.clone());
            }
        }
        Ok(records)
    }
}

fn key(record: &Record) -> (&'static str, RecordId) {
    (record.resource().name, record.id())
}
