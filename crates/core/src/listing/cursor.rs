use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::Order;
use crate::record::{Record, Value};

/// A place in a list, right after a record: the record's values of what the list is sorted by, the id among them. It
/// stays where it is when records come and go.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor(Vec<Value>);

/// Characters of a cursor at most: four texts of the longest that a record has, in base64, and some.
const MAX_LENGTH: usize = 6_000;

/// A value on its way through a client.
#[derive(Serialize, Deserialize)]
enum Carried {
    #[serde(rename = "n")]
    Null,
    #[serde(rename = "s")]
    Text(String),
    /// Microseconds since 1970.
    #[serde(rename = "t")]
    Time(i64),
    #[serde(rename = "b")]
    Boolean(bool),
    #[serde(rename = "i")]
    Integer(i64),
}

impl Cursor {
    /// The place after that record, in a list of that [total order](super::Listing::total_order).
    #[must_use]
    pub fn after(record: &Record, order: &[Order]) -> Self {
        Self(order.iter().map(|order| record.get(order.attribute.name).clone()).collect())
    }

    /// The values, as many as the order has parts.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.0
    }

    /// The form for clients: opaque, of letters, digits, `-` and `_`.
    #[must_use]
    pub fn encode(&self, order: &[Order]) -> String {
        let carried: Vec<Carried> = self.0.iter().filter_map(carry).collect();
        let json = serde_json::to_vec(&(order_name(order), carried)).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(json)
    }

    /// Reads what [`Cursor::encode`] made for the same order; `None` for anything else.
    #[must_use]
    pub fn decode(text: &str, order: &[Order]) -> Option<Self> {
        let json = URL_SAFE_NO_PAD.decode(text.get(..MAX_LENGTH.min(text.len()))?).ok()?;
        let (name, carried): (String, Vec<Carried>) = serde_json::from_slice(&json).ok()?;
        let fits = name == order_name(order) && carried.len() == order.len();
        let values = carried.into_iter().map(uncarry).collect::<Option<Vec<Value>>>()?;
        (fits && values.iter().all(|value| !holds_nul(value))).then_some(Self(values))
    }
}

/// Which order a cursor is of: a place in another means nothing.
fn order_name(order: &[Order]) -> String {
    let parts = order
        .iter()
        .map(|order| format!("{}{}", if order.descending { "-" } else { "" }, order.attribute.name));
    parts.collect::<Vec<_>>().join(",")
}

fn carry(value: &Value) -> Option<Carried> {
    Some(match value {
        Value::Null => Carried::Null,
        Value::Text(text) => Carried::Text(text.clone()),
        Value::Time(at) => Carried::Time(i64::try_from(at.unix_timestamp_nanos() / 1_000).ok()?),
        Value::Boolean(is) => Carried::Boolean(*is),
        Value::Integer(number) => Carried::Integer(*number),
        Value::Object(_) | Value::Token(_) => return None,
    })
}

fn uncarry(carried: Carried) -> Option<Value> {
    Some(match carried {
        Carried::Null => Value::Null,
        Carried::Text(text) => Value::Text(text),
        Carried::Time(micros) => {
            Value::Time(OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).ok()?)
        }
        Carried::Boolean(is) => Value::Boolean(is),
        Carried::Integer(number) => Value::Integer(number),
    })
}

fn holds_nul(value: &Value) -> bool {
    value.as_text().is_some_and(|text| text.contains('\0'))
}
