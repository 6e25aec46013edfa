//! JSON lines: an object in each line, whose members are the columns.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{
    names::Names,
    row::{Fields, ImportRowError, Reason},
};

/// Reads the fields of the object in a line.
pub fn fields(line: &str, names: &Names) -> Result<Fields, ImportRowError> {
    let mut json = serde_json::Deserializer::from_str(line);
    let members = json.deserialize_map(Members).and_then(|members| json.end().map(|()| members));
    let mut fields = Fields::default();
    for (name, value) in members.map_err(|_| Reason::NotAnObject)? {
        if let Some(column) = names.find(&name).map_err(Reason::from)? {
            fields.insert(column, value)?;
        }
    }
    Ok(fields)
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
