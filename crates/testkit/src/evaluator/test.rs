use std::{cmp::Ordering, iter};

use rekey_core::resources::{
    Attribute,
    listing::{Comparison, Part, Pattern, Test},
    record::Value,
};

use super::{Row, json};

/// Whether the row's value of that attribute passes a test.
#[must_use]
pub fn passes(row: &Row, attribute: &Attribute, test: &Test) -> bool {
    let value = row.record.get(attribute.name);
    match test {
        Test::Null => *value == Value::Null,
        Test::NotNull => *value != Value::Null,
        Test::Blank => is_blank(value),
        Test::Present => !is_blank(value),
        Test::Compare(comparison, other) => compares(*comparison, value, other),
        Test::In(others) => others.iter().any(|other| compares(Comparison::Equal, value, other)),
        Test::NotIn(others) => {
            *value != Value::Null && others.iter().all(|other| compares(Comparison::NotEqual, value, other))
        }
        Test::Like(pattern) => value.as_text().is_some_and(|text| is_like(text, pattern)),
        Test::NotLike(pattern) => value.as_text().is_some_and(|text| !is_like(text, pattern)),
        Test::Contains(object) => match value {
            Value::Object(whole) => json::contains_members(whole, object),
            _ => false,
        },
        Test::Token(digest) => row.token == Some(*digest),
        Test::All(tests) => tests.iter().all(|test| passes(row, attribute, test)),
        Test::Any(tests) => tests.iter().any(|test| passes(row, attribute, test)),
    }
}

/// Compares two values of one kind; texts by their bytes.
pub(super) fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Boolean(a), Value::Boolean(b)) => Some(a.cmp(b)),
        (Value::Integer(a), Value::Integer(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn compares(comparison: Comparison, a: &Value, b: &Value) -> bool {
    order(a, b).is_some_and(|ordering| match comparison {
        Comparison::Equal => ordering.is_eq(),
        Comparison::NotEqual => ordering.is_ne(),
        Comparison::Less => ordering.is_lt(),
        Comparison::LessOrEqual => ordering.is_le(),
        Comparison::Greater => ordering.is_gt(),
        Comparison::GreaterOrEqual => ordering.is_ge(),
    })
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

/// Matches part by part, with the set of positions in the text that the pattern can have reached.
fn is_like(text: &str, pattern: &Pattern) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut places = vec![false; text.len() + 1];
    places[0] = true;
    let step = |places: &[bool], fits: &dyn Fn(char) -> bool| {
        let stepped = places.iter().zip(&text).map(|(here, next)| *here && fits(*next));
        iter::once(false).chain(stepped).collect::<Vec<_>>()
    };
    for part in pattern.parts() {
        match part {
            Part::One => places = step(&places, &|_| true),
            Part::Many => {
                let first = places.iter().position(|here| *here).unwrap_or(places.len());
                places[first..].fill(true);
            }
            Part::Literal(literal) => {
                for literal in literal.chars() {
                    places = step(&places, &|character| character.eq_ignore_ascii_case(&literal));
                }
            }
        }
    }
    places[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts_and_fold_ascii_only() {
        for (text, pattern, matches) in [
            ("", "", true),
            ("", "%", true),
            ("", "_", false),
            ("abc", "A%", true),
            ("abc", "b%", false),
            ("abc", "%b%", true),
            ("abc", "a_c", true),
            ("abc", "ab", false),
            ("é", "É", false),
            ("\u{212a}", "k", false),
            ("👍x", "_x", true),
            ("a%c", r"a\%c", true),
            ("abc", r"a\%c", false),
            ("aXbXb", "a%xb", true),
        ] {
            assert_eq!(is_like(text, &Pattern::parse(pattern)), matches, "{text} LIKE {pattern}");
        }
    }
}
