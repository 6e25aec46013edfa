//! Query strings: which part of a list is asked for. Filters, sorting, includes and sparse fields are parsed here too.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use rekey_core::listing::{Listing, Page};
use serde_json::{Map, Value};
use url::form_urlencoded::Serializer;

use super::error::{Problem, QueryProblem};

/// A query string, read.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Which records of a list.
    pub listing: Listing,
    /// Parameters that links to other pages keep.
    kept: Vec<(String, String)>,
}

impl FromRequest for Query {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::parse(request.query_string()))
    }
}

impl Query {
    /// Reads a query string. A parameter of ours that can't be used is an error; a stranger's has no effect.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
            .map_err(|_| Problem::Query(QueryProblem::Field, String::new()))?;
        let mut parsed = Self::default();
        for (name, value) in pairs {
            let family = name.split('[').next().unwrap_or_default();
            let problem = match (family, name.as_str()) {
                ("page", "page[number]") => match value.parse() {
                    Ok(number @ 1..) => {
                        parsed.listing.page.number = number;
                        continue;
                    }
                    _ => QueryProblem::Page,
                },
                ("page", "page[size]") => match value.parse() {
                    Ok(size @ 1..=Page::MAX_SIZE) => {
                        parsed.listing.page.size = size;
                        continue;
                    }
                    _ => QueryProblem::Page,
                },
                ("page", _) => QueryProblem::Page,
                ("filter", _) => QueryProblem::Filter,
                ("sort", _) => QueryProblem::Sort,
                ("include", _) => QueryProblem::Include,
                ("fields", _) => QueryProblem::Field,
                _ => {
                    parsed.kept.push((name, value));
                    continue;
                }
            };
            return Err(Problem::Query(problem, name));
        }
        Ok(parsed)
    }

    /// The links of this list's pages; `url` is the list's, without a query.
    #[must_use]
    pub fn links(&self, url: String) -> PageLinks {
        PageLinks { url, kept: self.kept.clone() }
    }
}

/// Makes links to pages of a list, keeping the rest of the query.
#[derive(Debug)]
pub struct PageLinks {
    url: String,
    kept: Vec<(String, String)>,
}

impl PageLinks {
    /// `first`, `last`, and `prev` and `next` where there are such pages.
    #[must_use]
    pub fn around(&self, page: Page, pages: u64) -> Map<String, Value> {
        let number = u64::from(page.number);
        let others = [
            ("first", 1),
            ("prev", number.saturating_sub(1).min(pages)),
            ("next", number + 1),
            ("last", pages),
        ];
        let exists = |(name, other): &(&str, u64)| *other >= 1 && (*name != "next" || *other <= pages);
        others
            .into_iter()
            .filter(exists)
            .map(|(name, other)| (name.to_owned(), self.to(other, page.size).into()))
            .collect()
    }

    fn to(&self, number: u64, size: u32) -> String {
        let mut query = Serializer::new(String::new());
        query
            .extend_pairs(&self.kept)
            .append_pair("page[number]", &number.to_string())
            .append_pair("page[size]", &size.to_string());
        format!("{}?{}", self.url, query.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_within_its_bounds() {
        assert_eq!(Query::parse("").unwrap().listing.page, Page { number: 1, size: 10 });
        assert_eq!(
            Query::parse("page%5Bnumber%5D=3&page[size]=25").unwrap().listing.page,
            Page { number: 3, size: 25 }
        );
        for query in [
            "page[number]=0",
            "page[number]=-1",
            "page[number]=x",
            "page[size]=0",
            "page[size]=26",
            "page[number]=4294967296",
            "page[x]=1",
            "page=2",
        ] {
            assert!(matches!(Query::parse(query), Err(Problem::Query(QueryProblem::Page, _))), "{query}");
        }
    }

    #[test]
    fn links_lead_around_and_keep_the_query() {
        let query = Query::parse("x=a%26b&page[number]=2&page[size]=5").unwrap();
        let links = query.links("http://shop.test/api/things".to_owned()).around(query.listing.page, 3);
        assert_eq!(links.keys().collect::<Vec<_>>(), ["first", "last", "next", "prev"]);
        assert_eq!(links["next"], "http://shop.test/api/things?x=a%26b&page%5Bnumber%5D=3&page%5Bsize%5D=5");
        let ends = |number| {
            query.links(String::new()).around(Page { number, size: 5 }, 3).keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(ends(1), ["first", "last", "next"]);
        assert_eq!(ends(3), ["first", "last", "prev"]);
        assert_eq!(ends(9), ["first", "last", "prev"]);
    }
}
