//! JSON bodies, in which no object has a member twice: readers differ in which of the two they take (RFC 8259 §4), so a proxy could have
//! checked another value than the one that is used here.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value, error::Category};

/// Why a body can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonError {
    /// It is not JSON, or nested more than 127 levels deep.
    Malformed,
    /// An object in it has two members of the same name.
    DuplicateName,
}

/// Reads a body.
pub fn read(bytes: &[u8]) -> Result<Value, JsonError> {
    serde_json::from_slice(bytes).map(|UniqueNames(value)| value).map_err(|error| match error.classify() {
        Category::Data => JsonError::DuplicateName,
        Category::Io | Category::Syntax | Category::Eof => JsonError::Malformed,
    })
}

/// A value in which no object has a member twice.
struct UniqueNames(Value);

impl<'de> Deserialize<'de> for UniqueNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(UniqueNames(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, UniqueNames(value))) = members.next_entry()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a name twice"));
            }
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a14_a_name_occurs_once_in_an_object_at_every_depth() {
        let deep = format!("{}{{\"x\":1,\"x\":1}}{}", "[".repeat(100), "]".repeat(100));
        for text in [r#"{"a":1,"a":2}"#, r#"{"a":{"b":[{"c":1,"\u0063":1}]}}"#, r#"[{"a":1,"a":1}]"#, &deep] {
            assert_eq!(read(text.as_bytes()), Err(JsonError::DuplicateName), "{text}");
        }
        for text in ["", "{", "{\"a\":1,}", "nul", "{\"a\":1} {}", &"[".repeat(1_000)] {
            assert_eq!(read(text.as_bytes()), Err(JsonError::Malformed), "{text}");
        }
    }

    #[test]
    fn everything_else_is_read_as_serde_json_reads_it() {
        let text =
            r#"{"a":[null,true,-1,18446744073709551615,1.5,1e300,"\u00e9\n"],"b":{"a":{}},"A":1,"":[]}"#;
        assert_eq!(read(text.as_bytes()), Ok(serde_json::from_str(text).unwrap()));
    }
}
