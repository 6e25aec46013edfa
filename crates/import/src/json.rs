//! JSON objects with the columns as their members: one in each line, or the elements of an array.

use std::fmt;

use rekey_core::resources::CUSTOMERS;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{
    names::{Names, shown},
    row::{Fields, ImportRowError, Reason},
};

/// Reads the fields of an object.
pub fn fields(text: &str, names: &Names) -> Result<Fields, ImportRowError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let members = json.deserialize_map(Members).and_then(|members| json.end().map(|()| members));
    let mut members = members.map_err(|_| Reason::NotAnObject)?;
    if names.is_export {
        members = attributes(members)?;
    }
    let mut fields = Fields::default();
    for (name, value) in members {
        if let Some(column) = names.find(&name).map_err(Reason::from)? {
            fields.insert(column, value)?;
        }
    }
    Ok(fields)
}

/// Returns the attributes of a customer of Commerce Layer, which may be members of the record itself, as in its exports, or of its member
/// `attributes`, as in JSON:API. Those of another resource are refused.
fn attributes(members: Vec<(String, Value)>) -> Result<Vec<(String, Value)>, Reason> {
    let mut flat = Vec::with_capacity(members.len());
    for (name, value) in members {
        match (&*name, value) {
            ("type", Value::Null) => {}
            ("type", found) if found == CUSTOMERS.name => {}
            ("type", found) => {
                let found = found.as_str().and_then(shown);
                return Err(Reason::OtherType(found.unwrap_or_else(|| "another".to_owned())));
            }
            ("attributes", Value::Object(attributes)) => flat.extend(attributes),
            (_, value) => flat.push((name, value)),
        }
    }
    Ok(flat)
}

/// Reads all members: a map would keep only the last of those with the same name.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = object.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests;
