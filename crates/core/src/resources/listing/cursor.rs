use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::Order;
use crate::{
    clock::{from_unix_microseconds, to_unix_microseconds},
    resources::{
        Attribute, Kind,
        record::{Record, Value},
    },
};

/// A position in a list, right after a record: the record's values of the attributes that the list is sorted by, with the id. It stays
/// the same when records are added or deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor(Vec<Value>);

/// The maximum length of a cursor: four of the longest texts that a record can have, in base64, and some more.
const MAX_LENGTH: usize = 6_000;

/// The encoded form of a value.
#[derive(Serialize, Deserialize)]
enum EncodedValue {
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
    /// Returns the position after a record, in a list with that [total order](super::Listing::total_order).
    #[must_use]
    pub fn after(record: &Record, order: &[Order]) -> Self {
        Self(order.iter().map(|order| record.get(order.attribute.name).clone()).collect())
    }

    /// Returns the values, one for each part of the order.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.0
    }

    /// Encodes the cursor for clients, in letters, digits, `-` and `_`.
    #[must_use]
    pub fn encode(&self, order: &[Order]) -> String {
        let values: Vec<EncodedValue> = self.0.iter().filter_map(encode_value).collect();
        let json = serde_json::to_vec(&(order_name(order), values)).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(json)
    }

    /// Decodes what [`Cursor::encode`] made for the same order; `None` for anything else.
    #[must_use]
    pub fn decode(text: &str, order: &[Order]) -> Option<Self> {
        let json = URL_SAFE_NO_PAD.decode(text.get(..MAX_LENGTH.min(text.len()))?).ok()?;
        let (name, values): (String, Vec<EncodedValue>) = serde_json::from_slice(&json).ok()?;
        let values = values.into_iter().map(decode_value).collect::<Option<Vec<Value>>>()?;
        let fits = name == order_name(order)
            && values.len() == order.len()
            && order.iter().zip(&values).all(|(order, value)| can_have(order.attribute, value));
        fits.then_some(Self(values))
    }
}

/// Returns the name of an order, since a cursor is only valid for its own.
fn order_name(order: &[Order]) -> String {
    let parts = order
        .iter()
        .map(|order| format!("{}{}", if order.descending { "-" } else { "" }, order.attribute.name));
    parts.collect::<Vec<_>>().join(",")
}

fn encode_value(value: &Value) -> Option<EncodedValue> {
    Some(match value {
        Value::Null => EncodedValue::Null,
        Value::Text(text) => EncodedValue::Text(text.clone()),
        Value::Time(at) => EncodedValue::Time(to_unix_microseconds(*at)),
        Value::Boolean(is) => EncodedValue::Boolean(*is),
        Value::Integer(number) => EncodedValue::Integer(*number),
        Value::Object(_) | Value::Texts(_) | Value::Token(_) | Value::SharedSecret(_) | Value::Payload(_) => {
            return None;
        }
    })
}

fn decode_value(value: EncodedValue) -> Option<Value> {
    Some(match value {
        EncodedValue::Null => Value::Null,
        EncodedValue::Text(text) => Value::Text(text),
        EncodedValue::Time(micros) => Value::Time(from_unix_microseconds(micros)?),
        EncodedValue::Boolean(is) => Value::Boolean(is),
        EncodedValue::Integer(number) => Value::Integer(number),
    })
}

/// Whether a record could have the value, so that a made-up cursor can't lead to a statement that fails.
fn can_have(attribute: &Attribute, value: &Value) -> bool {
    match value {
        Value::Null => attribute.nullable,
        Value::Text(text) => {
            matches!(attribute.kind, Kind::Id | Kind::Email | Kind::Text | Kind::Locale)
                && !text.contains('\0')
        }
        // The years that every store supports.
        Value::Time(at) => attribute.kind == Kind::Time && (1..=9999).contains(&at.year()),
        Value::Boolean(_) => attribute.kind == Kind::Boolean,
        Value::Integer(_) => attribute.kind == Kind::Integer,
        Value::Object(_) | Value::Texts(_) | Value::Token(_) | Value::SharedSecret(_) | Value::Payload(_) => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::OffsetDateTime;

    use super::*;
    use crate::resources::{CUSTOMERS, listing::Listing};

    fn order(names: &[&str]) -> Vec<Order> {
        let by = |name: &&str| Order { attribute: CUSTOMERS.attribute(name).unwrap(), descending: false };
        Listing { order: names.iter().map(by).collect(), ..Listing::first_page(&CUSTOMERS) }.total_order()
    }

    #[test]
    fn the_longest_cursor_is_read_back() {
        // Escaped, a control character is the longest there is.
        let longest = Value::Text("\u{1}".repeat(Kind::MAX_TEXT));
        let order = order(&["reference", "reference_origin", "email", "reference", "created_at", "email"]);
        let values = order.iter().map(|order| match order.attribute.kind {
            Kind::Time => Value::Time(OffsetDateTime::UNIX_EPOCH),
            Kind::Email => Value::Text("x".repeat(254)),
            Kind::Id => Value::Text("CUSTOMERS1".to_owned()),
            _ => longest.clone(),
        });
        let cursor = Cursor(values.collect());
        assert_eq!(Cursor::decode(&cursor.encode(&order), &order), Some(cursor));
    }

    #[test]
    fn a_cursor_is_for_its_order_only() {
        let ascending = order(&["reference"]);
        let descending: Vec<_> = ascending.iter().map(|order| Order { descending: true, ..*order }).collect();
        let id = Value::Text("CUSTOMERS1".to_owned());
        let text = Cursor(vec![Value::Text("a".to_owned()), id]).encode(&ascending);
        assert!(Cursor::decode(&text, &ascending).is_some());
        assert_eq!(Cursor::decode(&text, &descending), None);
        assert_eq!(Cursor::decode(&text, &order(&["email"])), None);
    }

    #[test]
    fn a_made_up_cursor_is_rejected() {
        let order = order(&["reference", "created_at"]);
        let name = order_name(&order);
        let decode =
            |json: serde_json::Value| Cursor::decode(&URL_SAFE_NO_PAD.encode(json.to_string()), &order);
        let id = json!({"s": "CUSTOMERS1"});
        assert!(decode(json!([name, ["n", {"t": 0}, id]])).is_some());
        assert!(decode(json!([name, [{"s": "a"}, {"t": 0}, id]])).is_some());
        for values in [
            json!([]),
            json!(["n", {"t": 0}]),
            json!(["n", {"t": 0}, id, id]),
            json!(["n", "n", id]),
            json!(["n", {"s": "a"}, id]),
            json!([{"t": 0}, {"t": 0}, id]),
            json!([{"s": "a\0"}, {"t": 0}, id]),
            json!(["n", {"t": i64::MAX}, id]),
            json!(["n", {"t": -70_000_000_000_000_000_i64}, id]),
            json!(["n", {"t": 0}, {"b": true}]),
            json!(["n", {"t": 0}, {"i": 1}]),
        ] {
            assert_eq!(decode(json!([name, values])), None, "{values}");
        }
        assert_eq!(decode(json!(["-reference,created_at,id", ["n", {"t": 0}, id]])), None);
    }
}
