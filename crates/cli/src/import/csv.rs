//! CSV (RFC 4180): a header that names the columns, in any order; comma, semicolon or tab between the fields.

use std::io::{self, BufRead};

use anyhow::{Context, bail};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{
    lines::{Line, Lines, MAX_LINE},
    row::{Column, Reason, Refusal, Row, Values},
};

/// Reads the rows of a CSV file. A fault spoils its own line only: where a quotation mark is not closed, the next line is
/// read as if it had been.
pub struct CsvRows<R> {
    lines: Lines<R>,
    columns: Vec<Column>,
    splitter: Splitter,
}

impl<R: BufRead> CsvRows<R> {
    /// Reads the header.
    pub fn new(mut lines: Lines<R>) -> anyhow::Result<Self> {
        let header = lines.next()?.context("the file is empty: its first line names the columns")?;
        let header = header.content.map_err(|reason| anyhow::anyhow!("the header: {reason}"))?;
        let delimiter = [b';', b'\t'].into_iter().find(|&mark| header.contains(char::from(mark)));
        let mut splitter = Splitter::new(delimiter.unwrap_or(b','));
        let names = match splitter.feed(&header) {
            Fed::Record(names) => names,
            Fed::More | Fed::Fault(_) => bail!("the header is not a line of CSV"),
        };
        let mut columns = Vec::with_capacity(names.len());
        for (name, number) in names.iter().zip(1..) {
            let known = Column::parse(name.trim());
            let column = known
                .with_context(|| format!("column {number} of the header is none of {}", known_columns()))?;
            anyhow::ensure!(
                !columns.contains(&column),
                "the header names the column {} twice",
                column.as_str()
            );
            columns.push(column);
        }
        anyhow::ensure!(columns.contains(&Column::Email), "the header has no column email");
        Ok(Self { lines, columns, splitter })
    }

    /// Octets read so far.
    pub fn position(&self) -> u64 {
        self.lines.position()
    }

    /// The next row.
    pub fn next(&mut self) -> io::Result<Option<Row>> {
        let Some(first) = self.lines.next()? else { return Ok(None) };
        let line = first.number;
        let content = match first.content {
            Ok(text) => self.record(&text)?.and_then(|fields| self.values(fields)),
            Err(reason) => Err(reason.into()),
        };
        let content = content.and_then(|values| values.understand(line));
        Ok(Some(Row { line, content }))
    }

    /// The fields of the record that begins with this line, and may go on for some more.
    fn record(&mut self, first: &str) -> io::Result<Result<Vec<String>, Refusal>> {
        self.splitter.reset();
        let mut length = first.len();
        let mut more: Vec<Line> = Vec::new();
        let mut fed = self.splitter.feed(first);
        loop {
            match fed {
                Fed::Record(fields) => {
                    let texts = more.iter().filter_map(|line| line.content.as_deref().ok());
                    let record: Vec<_> = std::iter::once(first).chain(texts).collect();
                    let closed = quotes_are_closed_at_the_end(&record.join("\n"), self.splitter.delimiter);
                    return Ok(if closed { Ok(fields) } else { Err(Reason::TextAfterQuote.into()) });
                }
                Fed::Fault(reason) => {
                    self.lines.give_back(more.into_iter());
                    return Ok(Err(reason.into()));
                }
                Fed::More => {}
            }
            let next = self.lines.next_of_all()?;
            fed = match &next {
                Some(Line { content: Ok(text), .. }) if length + text.len() < MAX_LINE => {
                    length += text.len() + 1;
                    self.splitter.feed(text)
                }
                _ => Fed::Fault(Reason::OpenQuote),
            };
            more.extend(next);
        }
    }

    fn values(&self, fields: Vec<String>) -> Result<Values, Refusal> {
        if fields.len() != self.columns.len() {
            return Err(Reason::FieldCount.into());
        }
        let mut values = Values::default();
        for (column, field) in self.columns.iter().zip(fields) {
            values.set(*column, field);
        }
        Ok(values)
    }
}

/// Splits records into fields.
struct Splitter {
    delimiter: u8,
    reader: Reader,
    output: Vec<u8>,
    ends: [usize; MAX_FIELDS],
    written: usize,
    ended: usize,
}

/// What a line has led to.
enum Fed {
    Record(Vec<String>),
    /// The record goes on: a quotation mark is open.
    More,
    Fault(Reason),
}

/// More than there are columns.
const MAX_FIELDS: usize = 32;

impl Splitter {
    fn new(delimiter: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Self { delimiter, reader, output: vec![0; MAX_LINE + 2], ends: [0; MAX_FIELDS], written: 0, ended: 0 }
    }

    fn reset(&mut self) {
        self.reader.reset();
        (self.written, self.ended) = (0, 0);
    }

    /// Takes the next line of a record.
    fn feed(&mut self, line: &str) -> Fed {
        for input in [line, "\n"].into_iter().filter(|input| !input.is_empty()) {
            let (output, ends) = (self.output.get_mut(self.written..), self.ends.get_mut(self.ended..));
            let (Some(output), Some(ends)) = (output, ends) else { return Fed::Fault(Reason::FieldCount) };
            let (result, _, written, ended) = self.reader.read_record(input.as_bytes(), output, ends);
            self.written += written;
            self.ended += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record if input == "\n" => return self.fields(),
                // A record can't end within a line but by a carriage return.
                ReadRecordResult::Record | ReadRecordResult::End => {
                    return Fed::Fault(Reason::CarriageReturn);
                }
                ReadRecordResult::OutputFull => return Fed::Fault(Reason::LineTooLong),
                ReadRecordResult::OutputEndsFull => return Fed::Fault(Reason::FieldCount),
            }
        }
        Fed::More
    }

    fn fields(&self) -> Fed {
        let ends = self.ends.iter().take(self.ended);
        let begins = std::iter::once(&0).chain(ends.clone());
        let field = |(&begin, &end): (&usize, &usize)| {
            Some(str::from_utf8(self.output.get(begin..end)?).ok()?.to_owned())
        };
        let fields: Option<Vec<_>> = begins.zip(ends).map(field).collect();
        fields.map_or(Fed::Fault(Reason::NotUtf8), Fed::Record)
    }
}

/// Whether each quoted field of a whole record ends with its closing quotation mark. csv-core takes what comes behind it for a
/// part of the field, and so would make another address of `"a@example.com"b`.
fn quotes_are_closed_at_the_end(record: &str, delimiter: u8) -> bool {
    let mut rest = record.as_bytes();
    loop {
        let is_delimiter = |octet: &u8| *octet == delimiter;
        let Some(mut quoted) = rest.strip_prefix(b"\"") else {
            let Some(end) = rest.iter().position(is_delimiter) else { return true };
            rest = rest.get(end + 1..).unwrap_or_default();
            continue;
        };
        loop {
            let Some(mark) = quoted.iter().position(|octet| *octet == b'"') else { return false };
            match quoted.get(mark + 1..).unwrap_or_default() {
                [b'"', after @ ..] => quoted = after,
                [] => return true,
                [next, after @ ..] if is_delimiter(next) => break rest = after,
                _ => return false,
            }
        }
    }
}

fn known_columns() -> String {
    Column::ALL.map(Column::as_str).join(", ")
}

#[cfg(test)]
mod tests;
