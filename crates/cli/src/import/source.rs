use std::{
    fs::File,
    io::{self, BufRead, BufReader, Seek},
    path::Path,
};

use anyhow::Context;
use clap::ValueEnum;
use rekey_core::customers::import::SourceDigest;
use sha2::{Digest, Sha256};

use super::{csv::Table, json, lines::Lines, row::Row};

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A header, then a customer in each line.
    Csv,
    /// A JSON object in each line.
    Jsonl,
}

/// An opened file or the standard input.
pub struct Input {
    pub reader: Box<dyn BufRead>,
    pub format: Format,
    /// The length in bytes and the digest of a file, by which an interrupted import is recognized. What comes from elsewhere can
    /// be read only once, and has none.
    pub file: Option<(u64, SourceDigest)>,
}

/// Reads the rows of an input.
pub struct Rows<R> {
    lines: Lines<R>,
    /// The header, if it is CSV.
    table: Option<Table>,
}

/// Bytes read at a time.
const BUFFER: usize = 64 * 1024;

impl Input {
    /// Opens a file, or the standard input for `-`.
    pub fn open(path: &Path, format: Option<Format>) -> anyhow::Result<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let by_name = match &*extension.to_ascii_lowercase() {
            "csv" => Some(Format::Csv),
            "jsonl" | "ndjson" => Some(Format::Jsonl),
            _ => None,
        };
        let format =
            format.or(by_name).context("the file's format is unknown: add --format csv or --format jsonl")?;
        if path == Path::new("-") {
            let reader = Box::new(BufReader::with_capacity(BUFFER, io::stdin()));
            return Ok(Self { reader, format, file: None });
        }
        Self::open_file(path, format).with_context(|| format!("{} can't be read", path.display()))
    }

    fn open_file(path: &Path, format: Format) -> io::Result<Self> {
        let mut reader = BufReader::with_capacity(BUFFER, File::open(path)?);
        let metadata = reader.get_ref().metadata()?;
        let file = metadata.is_file().then(|| digest(&mut reader)).transpose()?;
        Ok(Self { reader: Box::new(reader), format, file: file.map(|digest| (metadata.len(), digest)) })
    }
}

impl<R: BufRead> Rows<R> {
    /// Starts to read; the header comes first.
    pub fn new(input: R, format: Format) -> anyhow::Result<Self> {
        let mut lines = Lines::new(input);
        let table = (format == Format::Csv).then(|| Table::read_header(&mut lines)).transpose()?;
        Ok(Self { lines, table })
    }

    /// The next row.
    pub fn next(&mut self) -> io::Result<Option<Row>> {
        let Some(first) = self.lines.next_filled()? else { return Ok(None) };
        let line = first.number;
        let fields = match (first.content, &mut self.table) {
            (Ok(text), Some(table)) => table.fields(text, &mut self.lines)?,
            (Ok(text), None) => json::fields(&text),
            (Err(reason), _) => Err(reason.into()),
        };
        Ok(Some(Row { line, content: fields.and_then(|fields| fields.into_customer(line)) }))
    }

    /// Bytes read so far.
    pub fn position(&self) -> u64 {
        self.lines.position()
    }
}

/// The digest of a file, which is then at its start again.
fn digest(file: &mut BufReader<File>) -> io::Result<SourceDigest> {
    let mut hasher = Sha256::new();
    while let bytes @ [_, ..] = file.fill_buf()? {
        hasher.update(bytes);
        let length = bytes.len();
        file.consume(length);
    }
    file.rewind()?;
    Ok(SourceDigest::new(hasher))
}
