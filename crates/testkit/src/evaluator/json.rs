//! `@>` between JSON documents, as PostgreSQL documents it (datatype-json.html#JSON-CONTAINMENT).

use serde_json::{Map, Number, Value};

/// Whether every wanted member exists and contains the wanted value; other members don't matter.
pub(super) fn contains_members(whole: &Map<String, Value>, part: &Map<String, Value>) -> bool {
    part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part)))
}

fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => contains_members(whole, part),
        (Value::Array(whole), Value::Array(part)) => {
            part.iter().all(|part| whole.iter().any(|whole| contains(whole, part)))
        }
        (Value::Number(whole), Value::Number(part)) => decimal(whole) == decimal(part),
        (whole, part) => whole == part,
    }
}

/// A number as its sign, its digits without leading and trailing zeros, and a power of ten.
fn decimal(number: &Number) -> (bool, String, i32) {
    let text = number.to_string();
    let (negative, text) = text.strip_prefix('-').map_or((false, text.as_str()), |text| (true, text));
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    let dropped = digits.len() - significant.len();
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return (false, String::new(), 0);
    }
    let exponent: i32 = exponent.parse().unwrap();
    let shift = i32::try_from(dropped).unwrap() - i32::try_from(fraction.len()).unwrap();
    (negative, significant.to_owned(), exponent + shift)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_equal_when_their_decimals_are() {
        let equal = |a: &str, b: &str| {
            let number = |text: &str| serde_json::from_str::<Number>(text).unwrap();
            decimal(&number(a)) == decimal(&number(b))
        };
        for (a, b) in [("1", "1.0"), ("100", "1e2"), ("0", "-0.0"), ("0.10", "1e-1"), ("1e300", "1e300")] {
            assert!(equal(a, b), "{a} = {b}");
        }
        for (a, b) in [
            ("1", "-1"),
            ("1", "10"),
            ("0.1", "0.11"),
            ("18446744073709551615", "18446744073709551614"),
            ("1152921504606846976", "1.152921504606846976e18"),
        ] {
            assert!(!equal(a, b), "{a} <> {b}");
        }
    }

    /// The examples of PostgreSQL's manual.
    #[test]
    fn containment_is_postgresqls() {
        for (whole, part, contained) in [
            (json!([1, 2, 3]), json!([1, 3]), true),
            (json!([1, 2, 3]), json!([3, 1]), true),
            (json!([1, 2, 3]), json!([1, 2, 2]), true),
            (json!({"a": 1, "b": true}), json!({"b": true}), true),
            (json!([1, 2, [1, 3]]), json!([1, 3]), false),
            (json!([1, 2, [1, 3]]), json!([[1, 3]]), true),
            (json!({"foo": {"bar": "baz"}}), json!({"bar": "baz"}), false),
            (json!({"foo": {"bar": "baz"}}), json!({"foo": {}}), true),
            (json!({"foo": ["bar"]}), json!({"foo": "bar"}), false),
        ] {
            assert_eq!(contains(&whole, &part), contained, "{whole} @> {part}");
        }
    }
}
