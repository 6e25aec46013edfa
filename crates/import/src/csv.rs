//! CSV (RFC 4180): a header that names the columns, in any order; comma, semicolon, tab or `|` between the fields.

use std::{
    collections::VecDeque,
    io::{self, BufRead},
};

use anyhow::{Context, anyhow, bail, ensure};
use csv::{Reader, ReaderBuilder, StringRecord};
use serde_json::Value;

use super::{
    lines::{Line, Lines, MAX_LINE},
    names::{Column, Names},
    row::{Fields, ImportRowError, Reason},
};

/// Reads the records of a table by its header.
pub struct Table {
    /// `None` is a column that is passed over.
    columns: Vec<Option<Column>>,
    delimiter: u8,
    /// Splits the records that are put into its queue. Creating a reader for each takes 20 µs.
    reader: Reader<VecDeque<u8>>,
}

/// Where in a record a line ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    FieldStart,
    Unquoted,
    Quoted,
    /// After a quotation mark in a quoted field, which closes the field or is the first of a pair.
    QuoteInQuoted,
}

impl Table {
    /// Reads the header. Excel's `sep=;`, which names the delimiter, may come before it.
    pub fn read_header(lines: &mut Lines<impl BufRead>, names: &Names) -> anyhow::Result<Self> {
        let mut header = header_line(lines)?;
        let declared = declared_delimiter(&header);
        if declared.is_some() {
            header = header_line(lines)?;
        }
        let delimiter = declared.unwrap_or_else(|| most_frequent_delimiter(&header));
        let mut builder = ReaderBuilder::new();
        let builder = builder.delimiter(delimiter).has_headers(false).flexible(true);
        let mut table = Self { columns: Vec::new(), delimiter, reader: builder.from_reader(VecDeque::new()) };
        let end = table.scan(Place::FieldStart, &header);
        ensure!(end.is_ok_and(|place| place != Place::Quoted), "the header is not a line of CSV");
        let found = table.split(&header);
        let found: Vec<_> = found.iter().map(str::trim).collect();
        for (&name, number) in found.iter().zip(1..) {
            let column =
                names.find(name).map_err(|error| anyhow!("column {number} of the header {error}"))?;
            if let Some(column) = column
                && table.columns.contains(&Some(column))
            {
                bail!("the header has two columns for {}", <&str>::from(column));
            }
            table.columns.push(column);
        }
        if let Some(renamed) = names.renamed.iter().find(|renamed| !found.contains(&&*renamed.name)) {
            bail!("the header has no column \"{}\", which --map names", renamed.name);
        }
        ensure!(table.columns.contains(&Some(Column::Email)), "the header has no column email");
        Ok(table)
    }

    /// Reads the fields of the record that starts with the line `first` and may continue in the next ones; `None` if all are blank.
    pub fn fields(
        &mut self,
        first: String,
        lines: &mut Lines<impl BufRead>,
    ) -> io::Result<Result<Option<Fields>, ImportRowError>> {
        Ok(self.join(first, lines)?.map_err(Into::into).and_then(|record| self.parse(&record)))
    }

    fn parse(&mut self, record: &str) -> Result<Option<Fields>, ImportRowError> {
        let record = self.split(record);
        if record.iter().all(|text| text.trim().is_empty()) {
            return Ok(None);
        }
        let (found, expected) = (record.len(), self.columns.len());
        if found != expected {
            return Err(Reason::FieldCount { found, expected }.into());
        }
        let mut fields = Fields::default();
        let known = self.columns.iter().zip(&record).filter_map(|(column, text)| Some(((*column)?, text)));
        for (column, text) in known {
            let value = match column {
                Column::Metadata if text.is_empty() => Value::Null,
                Column::Metadata => {
                    serde_json::from_str(text).map_err(|_| column.error(Reason::MetadataNotAnObject))?
                }
                _ => Value::String(text.to_owned()),
            };
            fields.insert(column, value)?;
        }
        Ok(Some(fields))
    }

    /// Splits a whole record into its fields.
    fn split(&mut self, record: &str) -> StringRecord {
        self.reader.get_mut().extend(record.bytes().chain([b'\n']));
        self.reader.records().find_map(Result::ok).unwrap_or_default()
    }

    /// Joins the lines of a record. An error affects its own line only: where a quotation mark is not closed, the lines after it are
    /// read again, as separate records.
    fn join(&self, first: String, lines: &mut Lines<impl BufRead>) -> io::Result<Result<String, Reason>> {
        let mut place = self.scan(Place::FieldStart, &first);
        let mut record = first;
        let mut following = Vec::new();
        while place == Ok(Place::Quoted) {
            let next = lines.next()?;
            place = match &next {
                Some(Line { content: Ok(text), .. }) if record.len() + text.len() < MAX_LINE => {
                    record.push('\n');
                    record.push_str(text);
                    self.scan(Place::Quoted, text)
                }
                _ => Err(Reason::OpenQuote),
            };
            following.extend(next);
        }
        if place.is_err() {
            lines.give_back(following);
        }
        Ok(place.map(|_| record))
    }

    /// Follows the quotation marks of a line. The csv crate alone would read `"a@example.com"b` as another address, and an open
    /// quotation mark to the end of the file.
    fn scan(&self, start: Place, line: &str) -> Result<Place, Reason> {
        line.bytes().try_fold(start, |place, byte| match (place, byte) {
            (Place::Quoted, b'"') => Ok(Place::QuoteInQuoted),
            (Place::Quoted, _) | (Place::FieldStart | Place::QuoteInQuoted, b'"') => Ok(Place::Quoted),
            (_, b'\r') => Err(Reason::CarriageReturn),
            (_, byte) if byte == self.delimiter => Ok(Place::FieldStart),
            (Place::QuoteInQuoted, _) => Err(Reason::TextAfterQuote),
            (Place::FieldStart | Place::Unquoted, _) => Ok(Place::Unquoted),
        })
    }
}

/// Returns the delimiter that Excel's first line `sep=;` declares.
fn declared_delimiter(line: &str) -> Option<u8> {
    let (name, delimiter) = line.trim_matches('"').split_at_checked(4)?;
    match delimiter.as_bytes() {
        [delimiter] if name.eq_ignore_ascii_case("sep=") => Some(*delimiter),
        _ => None,
    }
}

/// Returns the delimiter that the header has most often outside of quotation marks; a comma if it has none.
fn most_frequent_delimiter(header: &str) -> u8 {
    let unquoted: String = header.split('"').step_by(2).collect();
    let count = |delimiter: &u8| unquoted.bytes().filter(|byte| byte == delimiter).count();
    // Of several with the same count, the last one.
    b"|\t;,".iter().copied().max_by_key(count).unwrap_or(b',')
}

fn header_line(lines: &mut Lines<impl BufRead>) -> anyhow::Result<String> {
    let line = lines.next_filled()?.context("the file is empty: its first line names the columns")?;
    line.content.map_err(|reason| anyhow!("the header: {reason}"))
}

#[cfg(test)]
mod tests;
