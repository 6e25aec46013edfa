use rekey_core::resources::listing::{Filter, Test};
use serde_json::Value as Json;

use super::QueryProblem;

/// How many attributes and values the filters of one list may still have: each is a condition of a statement, which the database
/// plans and then checks on every record that it reads.
pub(super) struct Budget {
    attributes: usize,
    values: usize,
}

/// The most attributes in the filters of a list, each counted as often as it is named.
pub const MAX_ATTRIBUTES: usize = 50;
/// The most values in the filters of a list, including the members and elements of objects. SQLite allows conditions
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
