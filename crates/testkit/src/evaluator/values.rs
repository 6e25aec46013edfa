//! Values that stores might disagree about. Rows and queries draw from the same ones, so that they match.

use proptest::{collection, prelude::*, sample::select};
use serde_json::{Map, Number, Value, json};
use time::{Duration, OffsetDateTime, macros::datetime};

/// Texts: empty ones, ASCII and other letters in both cases, letters with several or no forms in the other case, the special
/// characters of LIKE, JSON and SQL, and the limits of UTF-8's byte ranges.
pub const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "A",
    "b",
    "ab",
    "aB",
    "AB",
    "abc",
    "a ",
    " a",
    "é",
    "É",
    "e\u{301}",
    "ß",
    "ẞ",
    "ss",
    "İ",
    "i",
    "I",
    "ı",
    "K",
    "k",
    "\u{212a}",
    "ſ",
    "s",
    "Σ",
    "σ",
    "ς",
    "%",
    "_",
    "a%b",
    "a_b",
    "axb",
    "\\",
    "a\\b",
    "\\%",
    "\\_",
    "a\\",
    "'",
    "''",
    "\"",
    "'; --",
    "$1",
    "?1",
    "a,b",
    ",",
    "null",
    "true",
    "1",
    "{}",
    "[]",
    "😀",
    "a😀b",
    "👩‍👩‍👧",
    "\u{1}",
    "\t",
    "\n",
    "\u{7f}",
    "\u{80}",
    "\u{7ff}",
    "\u{800}",
    "\u{ffff}",
    "\u{10000}",
    "\u{10ffff}",
    "\u{feff}a",
    "\u{202e}a",
    "a_or_b",
    "customers.create",
    "create",
];

/// Keys of objects, among them keys with special characters of JSON paths.
pub const KEYS: &[&str] = &[
    "a", "A", "b", "", " ", "é", "É", "a.b", "$", "$.a", "a[0]", "0", "\"", "a\"b", "\\", "'", "😀", "\n",
    "[0]",
];

/// The moment around which the times of rows and queries are.
#[must_use]
pub fn epoch() -> OffsetDateTime {
    datetime!(2024-10-28 14:36:05.408 UTC)
}

/// A text of at most 255 characters.
pub fn text() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        16 => select(TEXTS).prop_map(str::to_owned),
        4 => (select(TEXTS), select(TEXTS)).prop_map(|(a, b)| format!("{a}{b}")),
        1 => (select(TEXTS), 10..60_usize).prop_map(|(text, times)| text.repeat(times).chars().take(255).collect()),
        2 => collection::vec(any::<char>().prop_filter("no NUL", |c| !matches!(c, '\0' | '\u{fffd}')), 0..8)
            .prop_map(String::from_iter),
    ]
}

/// A time in whole microseconds, mostly close to a full millisecond.
pub fn time() -> impl Strategy<Value = OffsetDateTime> + Clone {
    let near = select(
        &[-1_001_i64, -1_000, -999, -1, 0, 1, 499, 500, 999, 1_000, 1_001, 60_000_000, -86_400_000_000][..],
    );
    prop_oneof![
        12 => near.clone().prop_map(|by| epoch() + Duration::microseconds(by)),
        1 => near.prop_map(|by| OffsetDateTime::UNIX_EPOCH + Duration::microseconds(by)),
        1 => select(&[datetime!(0001-01-01 0:00 UTC), datetime!(1582-10-10 12:00 UTC), datetime!(9999-12-31 23:59:59.999 UTC)][..]),
    ]
}

/// JSON numbers: integers and fractions, up to the limits of `i64` and `f64`.
#[must_use]
pub fn json_numbers() -> Vec<Number> {
    [
        "0",
        "-0.0",
        "1",
        "1.0",
        "-1",
        "10",
        "1e1",
        "1.5",
        "0.1",
        "0.30000000000000004",
        "0.3",
        "1e-7",
        "5e-324",
        "1e300",
        "-1e300",
        "9007199254740991",
        "9007199254740992",
        "9007199254740993",
        "9007199254740992.0",
        "1152921504606846976",
        "1152921504606847000",
        "1.152921504606847e18",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "9.223372036854776e18",
        "18446744073709551614",
        "18446744073709551615",
        "1.8446744073709552e19",
    ]
    .map(|number| serde_json::from_str(number).unwrap())
    .to_vec()
}

/// An object with few keys and values, so that one often contains another.
pub fn object() -> impl Strategy<Value = Map<String, Value>> + Clone {
    let key = prop_oneof![3 => select(&["a", "b"][..]), 2 => select(KEYS)].prop_map(str::to_owned).boxed();
    let leaf = prop_oneof![
        4 => select(vec![json!(null), json!(true), json!(false), json!(1), json!("a"), json!({}), json!([])]),
        2 => select(json_numbers()).prop_map(Value::Number),
        2 => select(TEXTS).prop_map(|text| json!(text)),
    ];
    let members = key.clone();
    let value = leaf.prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            collection::btree_map(members.clone(), inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    collection::btree_map(key, value, 0..4).prop_map(|members| members.into_iter().collect()).boxed()
}
