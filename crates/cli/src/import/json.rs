//! JSON lines: an object a line, whose members are the columns.

use std::{
    fmt,
    io::{self, BufRead},
};

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::{
    lines::Lines,
    row::{Column, Reason, Refusal, Row, Values},
};

/// Reads the rows of a file of JSON lines.
pub struct JsonRows<R>(Lines<R>);

impl<R: BufRead> JsonRows<R> {
    pub fn new(lines: Lines<R>) -> Self {
        Self(lines)
    }

    /// Octets read so far.
    pub fn position(&self) -> u64 {
        self.0.position()
    }

    /// The next row.
    pub fn next(&mut self) -> io::Result<Option<Row>> {
        let Some(line) = self.0.next()? else { return Ok(None) };
        let values = line.content.map_err(Refusal::from).and_then(|text| values(&text));
        Ok(Some(Row { line: line.number, content: values.and_then(|values| values.understand(line.number)) }))
    }
}

fn values(text: &str) -> Result<Values, Refusal> {
    let mut json = serde_json::Deserializer::from_str(text);
    let values = json.deserialize_map(Members).and_then(|values| json.end().map(|()| values));
    values.unwrap_or_else(|_| Err(Reason::NotAnObject.into()))
}

/// Reads the members one by one: a map would keep only the last of those with one name.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Result<Values, Refusal>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut read = Ok(Values::default());
        let mut seen = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            let Ok(values) = &mut read else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = members.next_value::<Value>()?;
            let added = match Column::parse(&name) {
                None => Err(Reason::UnknownMember.into()),
                Some(column) if seen.contains(&column) => Err(column.refuse(Reason::Twice)),
                Some(column) => {
                    seen.push(column);
                    add(values, column, value)
                }
            };
            if let Err(refusal) = added {
                read = Err(refusal);
            }
        }
        Ok(read)
    }
}

fn add(values: &mut Values, column: Column, value: Value) -> Result<(), Refusal> {
    match (column, value) {
        (_, Value::Null) => {}
        (Column::Metadata, metadata) => values.metadata = Some(metadata),
        (_, Value::String(text)) => values.set(column, text),
        (_, _) => return Err(column.refuse(Reason::NotAText)),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
