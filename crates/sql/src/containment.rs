use sea_query::{Expr, ExprTrait, Func, Query, extension::sqlite::SqliteExpr};
use serde_json::{Map, Number, Value as Json};

use crate::expression::{all, any, literal};

/// PostgreSQL's `@>` between JSON documents, for SQLite: the document has every member and every element of `object`, elements in any
/// place, and may have others.
pub(crate) fn contains(document: &Expr, object: &Map<String, Json>) -> Expr {
    has_members(0, document, object)
}

/// Returns the condition that the object at `document` has all these members.
fn has_members(depth: usize, document: &Expr, members: &Map<String, Json>) -> Expr {
    all(members.iter().map(|(key, value)| has_one(depth, document, Some(key), value)))
}

/// Returns the condition that the object or array at `document` has one member or element like `value`.
fn has_one(depth: usize, document: &Expr, key: Option<&str>, value: &Json) -> Expr {
    let name = format!("j{depth}");
    let mut select = Query::select();
    select.expr(Expr::cust("1")).from_function(Func::cust("json_each").arg(document.clone()), name.clone());
    if let Some(key) = key {
        select.and_where(Expr::col((name.clone(), "key")).eq(key));
    }
    Expr::exists(select.and_where(is_like(depth, document, &name, value)).take())
}

/// Returns the condition that the value in the row `name` of `document` contains `value`.
fn is_like(depth: usize, document: &Expr, name: &str, value: &Json) -> Expr {
    let column = |column: &'static str| Expr::col((name.to_owned(), column));
    let type_is = |kind: &str| column("type").eq(literal(kind));
    let inside = column("value");
    match value {
        Json::Null => type_is("null"),
        Json::Bool(true) => type_is("true"),
        Json::Bool(false) => type_is("false"),
        Json::Number(number) => is_number(document, name, number),
        Json::String(text) => type_is("text").and(column("atom").eq(text)),
        Json::Array(elements) => {
            let elements = elements.iter().map(|element| has_one(depth + 1, &inside, None, element));
            all([type_is("array")].into_iter().chain(elements))
        }
        Json::Object(members) => type_is("object").and(has_members(depth + 1, &inside, members)),
    }
}

/// Returns the condition that the value in the row `name` is that number, compared by its decimal, as PostgreSQL does. SQLite reads a whole
/// number that no `i64` holds as the nearest float, which other numbers have, too: it is compared by its digits.
fn is_number(document: &Expr, name: &str, number: &Number) -> Expr {
    let column = |column: &'static str| Expr::col((name.to_owned(), column));
    let type_is = |kind: &str| column("type").eq(literal(kind));
    let Decimal { whole, float } = Decimal::new(number);
    if let Some(small) = whole.as_deref().and_then(small) {
        return column("type").is_in(["integer", "real"]).and(column("atom").eq(small));
    }
    let whole = whole.map(|digits| {
        type_is("integer").and(SqliteExpr::get_json_field(document.clone(), column("fullkey")).eq(digits))
    });
    // Bound as text, so that SQLite parses it like the stored one.
    let float = float.map(|float| type_is("real").and(column("atom").eq(Expr::val(float).cast_as("REAL"))));
    any(whole.into_iter().chain(float))
}

/// The numbers in a document that have the same decimal.
#[derive(Debug, PartialEq)]
struct Decimal {
    /// The digits of a whole number.
    whole: Option<String>,
    /// A float with the fewest digits that identify it: by these it is stored, and by these it has its decimal.
    float: Option<String>,
}

impl Decimal {
    fn new(number: &Number) -> Self {
        let float = number.as_f64().unwrap_or(f64::NAN).to_string();
        if number.is_f64() {
            let whole =
                float.parse().ok().filter(|whole| (i64::MIN.into()..=u64::MAX.into()).contains(whole));
            Self { whole: whole.map(|whole: i128| whole.to_string()), float: Some(float) }
        } else {
            let digits = number.to_string();
            Self { float: Some(float).filter(|float| *float == digits), whole: Some(digits) }
        }
    }
}

/// Returns the whole number if it is so small that no other has the same float.
fn small(digits: &str) -> Option<i64> {
    const LIMIT: u64 = 1 << 53;
    digits.parse().ok().filter(|whole: &i64| whole.unsigned_abs() < LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_a_whole_number_or_a_float_or_both() {
        for (number, whole, float) in [
            ("0.1", None, Some("0.1")),
            ("1152921504606846976", Some("1152921504606846976"), None),
            ("1152921504606847000", Some("1152921504606847000"), Some("1152921504606847000")),
            ("1.152921504606847e18", Some("1152921504606847000"), Some("1152921504606847000")),
            ("18446744073709551615", Some("18446744073709551615"), None),
            ("1.8446744073709552e19", None, Some("18446744073709552000")),
            ("9007199254740992.0", Some("9007199254740992"), Some("9007199254740992")),
        ] {
            let decimal = Decimal::new(&number.parse().unwrap());
            assert_eq!((decimal.whole.as_deref(), decimal.float.as_deref()), (whole, float));
            assert_eq!(whole.and_then(small), None);
        }
        for (number, whole) in [("1e2", 100), ("-0.0", 0), ("-9007199254740991", -9_007_199_254_740_991)] {
            assert_eq!(Decimal::new(&number.parse().unwrap()).whole.as_deref().and_then(small), Some(whole));
        }
    }
}
