use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::{DocumentError, Include};
use crate::{
    ids::RecordId,
    resources::{
        Link, Relationship,
        catalog::{Catalog, MAX_INCLUDED, Related},
        record::Record,
    },
    scope::Scope,
};

/// The records that a document includes, and the relationships that lead to them.
#[derive(Default)]
pub struct Included {
    /// Each record once, and none that is primary data.
    records: Vec<Record>,
    seen: HashSet<(&'static str, RecordId)>,
    /// The number of related records that were read, each as often as it was.
    count: usize,
    /// The ids at the other end of each relationship, by resource, record and relationship.
    links: HashMap<(&'static str, RecordId, &'static str), Vec<RecordId>>,
}

impl Included {
    /// Reads the records that are included with the primary ones: one query for each relationship. Fails when there are more than
    /// [`MAX_INCLUDED`].
    pub async fn gather(
        catalog: &dyn Catalog,
        scope: Scope,
        includes: &[Include],
        primary: &[Record],
    ) -> Result<Self, DocumentError> {
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

    /// Returns the included records.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Whether the record's relationship was followed.
    pub fn covers(&self, record: &Record, relationship: &Relationship) -> bool {
        self.links.contains_key(&(record.resource().name, record.id(), relationship.name))
    }

    /// Returns the `data` of a relationship: an identifier or null, or an array of identifiers.
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
    ) -> Result<Vec<Record>, DocumentError> {
        let Some(resource) = owners.first().map(Record::resource) else { return Ok(Vec::new()) };
        let lookup_id = |owner: &Record| match relationship.link {
            Link::One(_) => owner.linked(relationship),
            Link::Many(_) | Link::About | Link::Same { .. } => Some(owner.id()),
            Link::EmptyOne | Link::EmptyMany => None,
        };
        let mut ids = Vec::new();
        for id in owners.iter().filter_map(lookup_id) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let related = if ids.is_empty() {
            Vec::new()
        } else {
            catalog.related(scope, resource, relationship, &ids).await?
        };
        self.count += related.len();
        if self.count > MAX_INCLUDED as usize {
            return Err(DocumentError::TooManyIncluded);
        }
        let mut by_id: HashMap<RecordId, Vec<Record>> = HashMap::new();
        for Related { key, record } in related {
            by_id.entry(key).or_default().push(record);
        }
        for owner in owners {
            let records = lookup_id(owner).and_then(|id| by_id.get(&id));
            let ids = records.into_iter().flatten().map(Record::id).collect();
            self.links.insert((resource.name, owner.id(), relationship.name), ids);
        }
        // In the order of the records that lead to them.
        let records: Vec<Record> = ids.iter().filter_map(|id| by_id.remove(id)).flatten().collect();
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
