use rekey_core::resources::listing::{Cursor, Order, Page};
use serde_json::{Map, Value};
use url::form_urlencoded::Serializer;

use super::{Problem, QueryProblem, family};

/// Makes links to pages of a list, with the rest of its query.
pub struct PageLinks(Vec<(String, String)>);

rekey_core::redacted_debug!(PageLinks);

/// Reads which page is requested: `page[number]` and `page[size]`, or `page[after]` and `page[size]`. The vendor's SDK adds
/// `page[number]=1` by default, which is ignored next to `page[after]`.
pub(super) fn read(pairs: &[(String, String)], order: &[Order]) -> Result<Page, Problem> {
    let (mut number, mut size, mut after) = (None, Page::DEFAULT_SIZE, None);
    for (name, value) in pairs.iter().filter(|(name, _)| family(name) == "page") {
        let error = || Problem::Query(QueryProblem::Page, name.clone());
        match name.as_str() {
            "page[number]" => {
                number = Some(value.parse().ok().filter(|number| *number >= 1).ok_or_else(error)?);
            }
            "page[size]" => {
                let within = |size: &u32| (1..=Page::MAX_SIZE).contains(size);
                size = value.parse().ok().filter(within).ok_or_else(error)?;
            }
            "page[after]" if value.is_empty() => after = Some(None),
            "page[after]" => after = Some(Some(Cursor::decode(value, order).ok_or_else(error)?)),
            _ => return Err(error()),
        }
    }
    match (number, after) {
        (number, None) => Ok(Page::Number { number: number.unwrap_or(1), size }),
        (None | Some(1), Some(cursor)) => Ok(Page::After { cursor, size }),
        (Some(_), Some(_)) => Err(Problem::Query(QueryProblem::Page, "page[after]".to_owned())),
    }
}

impl PageLinks {
    pub(super) fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs.into_iter().filter(|(name, _)| family(name) != "page").collect())
    }

    /// Returns the links of a numbered page of the list at `url`: `first`, `last`, and `prev` and `next` where there are such pages.
    #[must_use]
    pub fn numbered(&self, url: &str, number: u32, size: u32, pages: u64) -> Map<String, Value> {
        let number = u64::from(number);
        let others = [
            ("first", 1),
            ("prev", number.saturating_sub(1).min(pages)),
            ("next", number + 1),
            ("last", pages),
        ];
        let exists = |(name, other): &(&str, u64)| *other >= 1 && (*name != "next" || *other <= pages);
        let link = |(name, other): (&str, u64)| {
            (name.to_owned(), self.url(url, "page[number]", &other.to_string(), size).into())
        };
        others.into_iter().filter(exists).map(link).collect()
    }

    /// Returns the links of a page after a cursor: `first`, and `next` if there is one.
    #[must_use]
    pub fn after(&self, url: &str, size: u32, next: Option<&str>) -> Map<String, Value> {
        let links = [("first", Some("")), ("next", next)];
        let link = |(name, cursor): (&str, Option<&str>)| {
            Some((name.to_owned(), self.url(url, "page[after]", cursor?, size).into()))
        };
        links.into_iter().filter_map(link).collect()
    }

    fn url(&self, url: &str, name: &str, value: &str, size: u32) -> String {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(&self.0).append_pair(name, value).append_pair("page[size]", &size.to_string());
        format!("{url}?{}", query.finish())
    }
}
