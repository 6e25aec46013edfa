//! Query strings: which records are requested, and which of their fields and related records are shown.

mod budget;
mod filter;
mod page;
pub mod value;
mod view;

use std::{
    convert::Infallible,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
pub use rekey_core::documents::{MAX_DEPTH, MAX_PATHS, View};
use rekey_core::resources::{
    Audience, Resource,
    listing::{Filter, Listing, Order},
};

use self::budget::Budget;
pub use self::{
    budget::MAX_ATTRIBUTES,
    filter::{MAX_ALTERNATIVES, Operand, predicates_of},
    page::PageLinks,
};
use super::error::{Problem, QueryProblem};

/// The parameters of a query string, in their order. Their meaning depends on the resource, so they are not read yet.
#[derive(Clone, Default)]
pub struct Query(Vec<(String, String)>);

rekey_core::redacted_debug!(Query);

/// A query for a list.
#[derive(Debug)]
pub struct ListQuery {
    /// The records that are requested.
    pub listing: Listing,
    /// What is shown of them.
    pub view: View,
    /// Makes the links to other pages.
    pub links: PageLinks,
}

/// The most parts of an order.
pub const MAX_ORDERS: usize = 5;

impl FromRequest for Query {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::parse(request.query_string())))
    }
}

impl Query {
    /// Splits a query string. Bytes that are not UTF-8 become U+FFFD, which no parameter allows.
    #[must_use]
    pub fn parse(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// Reads the parameters for one record of `resource`. Those for lists have no effect.
    pub fn one(&self, resource: &'static Resource, audience: Audience) -> Result<View, Problem> {
        view::read(&self.0, resource, audience)
    }

    /// Reads the parameters for a list of `resource`, which only integrations get. A known parameter with a wrong value is an error; an
    /// unknown parameter has no effect.
    pub fn list(self, resource: &'static Resource) -> Result<ListQuery, Problem> {
        let view = view::read(&self.0, resource, Audience::BackOffice)?;
        let mut listing = Listing::first_page(resource);
        let (mut filters, mut budget) = (Vec::new(), Budget::new());
        for (name, value) in &self.0 {
            let problem = |problem| Problem::Query(problem, name.clone());
            match family(name) {
                "filter" => {
                    let filter = filter::read(resource, name, value);
                    let filter = filter.and_then(|filter| budget.spend(&filter).map(|()| filter));
                    filters.push(filter.map_err(problem)?);
                }
                "sort" => {
                    listing.order = read_order(resource, value).ok_or_else(|| problem(QueryProblem::Sort))?;
                }
                _ => {}
            }
        }
        listing.filter = Filter::All(filters);
        listing.page = page::read(&self.0, &listing.total_order())?;
        Ok(ListQuery { listing, view, links: PageLinks::new(self.0) })
    }
}

/// Returns the part of a parameter's name before its brackets.
fn family(name: &str) -> &str {
    name.split('[').next().unwrap_or_default()
}

/// Returns the names in a comma-separated list.
fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|_| !list.is_empty())
}

fn read_order(resource: &'static Resource, value: &str) -> Option<Vec<Order>> {
    let parts = names(value);
    let order = parts.map(|part| {
        let (name, descending) = part.strip_prefix('-').map_or((part, false), |name| (name, true));
        let attribute = resource.attribute(name.trim()).filter(|attribute| attribute.sort)?;
        Some(Order { attribute, descending })
    });
    order.collect::<Option<Vec<_>>>().filter(|order| order.len() <= MAX_ORDERS)
}

#[cfg(test)]
mod tests;
