use rekey_core::{
    email::EmailAddress,
    locale::Locale,
    resources::{Kind, record::Value},
};
use serde_json::{Map, Value as Json};
use time::{
    Date, Duration, OffsetDateTime, PrimitiveDateTime, UtcOffset, format_description::well_known::Iso8601,
    format_description::well_known::Rfc3339, macros::format_description,
};

use super::QueryProblem;

/// The most characters of a value: four times the longest text of a record.
pub const MAX_VALUE: usize = 4 * Kind::MAX_TEXT;
/// The most values of a list.
pub const MAX_VALUES: usize = 100;
/// The most members and elements of an object in a `_jcont` filter, and how deep they may be nested: each is a condition.
const MAX_NODES: usize = 64;
const MAX_DEPTH: usize = 16;

/// Reads a value of that kind to compare with.
pub(super) fn read(kind: Kind, value: &str) -> Result<Value, QueryProblem> {
    match kind {
        // Addresses are stored as they are parsed. No record has a malformed one.
        Kind::Email => text(value).map(|text| {
            let email = text.parse().map(|email: EmailAddress| email.to_string());
            Value::Text(email.unwrap_or_else(|_| text.to_ascii_lowercase()))
        }),
        // Tags are stored in their usual spelling. No record has a malformed one.
        Kind::Locale => {
            text(value).map(|text| Value::Text(text.parse().map_or(text, |tag: Locale| tag.to_string())))
        }
        Kind::Text | Kind::Id => text(value).map(Value::Text),
        Kind::Time => time(value).map(Value::Time),
        Kind::Boolean => boolean(value).map(Value::Boolean),
        Kind::Integer => value.parse().map(Value::Integer).map_err(|_| QueryProblem::FilterValue),
        Kind::Object | Kind::Texts | Kind::Token | Kind::SharedSecret | Kind::Payload | Kind::Password => {
            Err(QueryProblem::Filter)
        }
    }
}

/// Splits the values of a comma-separated list.
pub(super) fn list(value: &str) -> Result<Vec<&str>, QueryProblem> {
    let values: Vec<&str> = value.split(',').collect();
    if values.len() <= MAX_VALUES { Ok(values) } else { Err(QueryProblem::FilterValue) }
}

pub(super) fn text(value: &str) -> Result<String, QueryProblem> {
    let fits = value.chars().count() <= MAX_VALUE && !value.contains(['\0', '\u{fffd}']);
    if fits { Ok(value.to_owned()) } else { Err(QueryProblem::FilterValue) }
}

pub(super) fn boolean(value: &str) -> Result<bool, QueryProblem> {
    match value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(QueryProblem::FilterValue),
    }
}

/// Reads a time in RFC 3339, or without its zone (then UTC), or a date (then its beginning in UTC), cut to milliseconds.
pub(super) fn time(value: &str) -> Result<OffsetDateTime, QueryProblem> {
    let local = || PrimitiveDateTime::parse(value, &Iso8601::DATE_TIME).map(PrimitiveDateTime::assume_utc);
    let date = || {
        Date::parse(value, format_description!("[year]-[month]-[day]"))
            .map(|date| date.midnight().assume_utc())
    };
    let at = OffsetDateTime::parse(value, &Rfc3339).or_else(|_| local()).or_else(|_| date());
    let at = at.ok().and_then(|at| at.checked_to_offset(UtcOffset::UTC));
    // The years that every database can store.
    let at = at.filter(|at| (1..=9999).contains(&at.year())).ok_or(QueryProblem::FilterValue)?;
    Ok(at - Duration::nanoseconds(i64::from(at.nanosecond() % 1_000_000)))
}

pub(super) fn object(value: &str) -> Result<Map<String, Json>, QueryProblem> {
    let object: Map<String, Json> =
        text(value).and_then(|text| serde_json::from_str(&text).map_err(|_| QueryProblem::FilterValue))?;
    let mut nodes = 0;
    let fits = object.iter().all(|(key, value)| !key.contains('\0') && is_bounded(value, 1, &mut nodes));
    if fits { Ok(object) } else { Err(QueryProblem::FilterValue) }
}

fn is_bounded(value: &Json, depth: usize, nodes: &mut usize) -> bool {
    *nodes += 1;
    let inside = depth < MAX_DEPTH && *nodes <= MAX_NODES;
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => *nodes <= MAX_NODES,
        Json::String(text) => *nodes <= MAX_NODES && !text.contains('\0'),
        Json::Array(elements) => {
            inside && elements.iter().all(|element| is_bounded(element, depth + 1, nodes))
        }
        Json::Object(members) => {
            inside
                && members
                    .iter()
                    .all(|(key, member)| !key.contains('\0') && is_bounded(member, depth + 1, nodes))
        }
    }
}
