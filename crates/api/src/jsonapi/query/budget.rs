use rekey_core::resources::listing::{Filter, Test};
use serde_json::Value as Json;

use super::QueryProblem;

/// What the filters of one list may still ask for, all together: each attribute and each value is a condition of a statement,
/// which a store must plan and then check on every record that it comes by.
pub(super) struct Budget {
    attributes: usize,
    values: usize,
}

/// Attributes that lists are filtered by at most, an attribute counted as often as it is named.
pub const MAX_ATTRIBUTES: usize = 50;
/// Values that these are compared with at most, the members and elements of an object among them. SQLite takes conditions
/// that are 1,000 deep (sqlite.org/limits.html), PostgreSQL 65,535 parameters.
const MAX_VALUES: usize = 500;

impl Budget {
    pub(super) fn new() -> Self {
        Self { attributes: MAX_ATTRIBUTES, values: MAX_VALUES }
    }

    pub(super) fn spend(&mut self, filter: &Filter) -> Result<(), QueryProblem> {
        match filter {
            Filter::All(filters) | Filter::Any(filters) => {
                filters.iter().try_for_each(|filter| self.spend(filter))
            }
            Filter::Test(_, test) => {
                self.attributes = self.attributes.checked_sub(1).ok_or(QueryProblem::FilterValue)?;
                self.values = self.values.checked_sub(values(test)).ok_or(QueryProblem::FilterValue)?;
                Ok(())
            }
            Filter::RelatedTo(..) => Ok(()),
        }
    }
}

fn values(test: &Test) -> usize {
    match test {
        Test::All(tests) | Test::Any(tests) => tests.iter().map(values).sum(),
        Test::In(values) | Test::NotIn(values) => values.len(),
        Test::Contains(object) => object.values().map(nodes).sum(),
        _ => 1,
    }
}

fn nodes(json: &Json) -> usize {
    1 + match json {
        Json::Array(elements) => elements.iter().map(nodes).sum::<usize>(),
        Json::Object(members) => members.values().map(nodes).sum(),
        _ => 0,
    }
}
