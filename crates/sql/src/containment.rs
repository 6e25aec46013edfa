use serde_json::{Map, Number, Value as Json};

use crate::{Bind, Statement};

/// PostgreSQL's `@>` between JSON documents, in SQLite's words: every member and every element that is asked for is
/// there, whatever else is; an element in whatever place. Keys and values are bound.
pub(crate) fn push_contains(statement: &mut Statement, document: &str, object: &Map<String, Json>) {
    Containment { depth: 0 }.push_members(statement, document, object);
}

struct Containment {
    depth: usize,
}

impl Containment {
    /// That the object at `document` has all these members.
    fn push_members(&self, statement: &mut Statement, document: &str, members: &Map<String, Json>) {
        if members.is_empty() {
            statement.push("TRUE");
        }
        statement.join(" AND ", members, |statement, (key, value)| {
            self.push_one(statement, document, Some(key), value);
        });
    }

    /// That the object or array at `document` has one member or element like `value`.
    fn push_one(&self, statement: &mut Statement, document: &str, key: Option<&str>, value: &Json) {
        let name = format!("j{}", self.depth);
        statement.push(&format!("EXISTS (SELECT 1 FROM json_each({document}) {name} WHERE "));
        if let Some(key) = key {
            statement.push(&format!("{name}.key = ")).bind_text(key).push(" AND ");
        }
        self.push_like(statement, document, &name, value);
        statement.push(")");
    }

    /// That the value in the row `name` of `document` contains this one.
    fn push_like(&self, statement: &mut Statement, document: &str, name: &str, value: &Json) {
        let inner = Self { depth: self.depth + 1 };
        let inside = format!("{name}.value");
        match value {
            Json::Null => {
                statement.push(&format!("{name}.type = 'null'"));
            }
            Json::Bool(is) => {
                statement.push(&format!("{name}.type = '{is}'"));
            }
            Json::Number(number) => push_number(statement, document, name, number),
            Json::String(text) => {
                statement.push(&format!("{name}.type = 'text' AND {name}.atom = ")).bind_text(text);
            }
            Json::Array(elements) => {
                statement.push(&format!("{name}.type = 'array'"));
                for element in elements {
                    statement.push(" AND ");
                    inner.push_one(statement, &inside, None, element);
                }
            }
            Json::Object(members) => {
                statement.push(&format!("{name}.type = 'object' AND "));
                inner.push_members(statement, &inside, members);
            }
        }
    }
}

/// That the value in the row `name` is that number: by its decimal, as PostgreSQL compares them. A whole number that no `i64`
/// holds would be read by SQLite as the nearest float, and so be taken for another: it is found by its digits.
fn push_number(statement: &mut Statement, document: &str, name: &str, number: &Number) {
    let Decimal { whole, float } = Decimal::of(number);
    if let Some(small) = whole.as_deref().and_then(small) {
        statement.push(&format!("{name}.type IN ('integer', 'real') AND {name}.atom = "));
        statement.bind(Bind::Integer(small));
        return;
    }
    let whole = whole
        .map(|digits| (format!("{name}.type = 'integer' AND ({document} -> {name}.fullkey) = "), digits, ""));
    // As a text, so that SQLite reads it as it read the stored one.
    let float =
        float.map(|float| (format!("{name}.type = 'real' AND {name}.atom = CAST("), float, " AS REAL)"));
    statement.push("(");
    statement.join(" OR ", whole.into_iter().chain(float), |statement, (before, text, after)| {
        statement.push(&before).bind_text(&text).push(after);
    });
    statement.push(")");
}

/// What a document may hold in place of a number, so that it has the same decimal.
#[derive(Debug, PartialEq)]
struct Decimal {
    /// Digits of a whole number.
    whole: Option<String>,
    /// A float, with the fewest digits that mean it: by these it is kept, and by these it has its decimal.
    float: Option<String>,
}

impl Decimal {
    fn of(number: &Number) -> Self {
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

/// The whole number, if it is so small that its float is no other's.
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
            let decimal = Decimal::of(&number.parse().unwrap());
            assert_eq!((decimal.whole.as_deref(), decimal.float.as_deref()), (whole, float));
            assert_eq!(whole.and_then(small), None);
        }
        for (number, whole) in [("1e2", 100), ("-0.0", 0), ("-9007199254740991", -9_007_199_254_740_991)] {
            assert_eq!(Decimal::of(&number.parse().unwrap()).whole.as_deref().and_then(small), Some(whole));
        }
    }
}
