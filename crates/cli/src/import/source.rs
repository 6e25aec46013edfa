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
    #[value(alias = "ndjson")]
    Jsonl,
}

/// A file or the standard input.
pub struct Input {
    pub rows: Rows<Box<dyn BufRead>>,
    /// `None` if it can be read only once.
    pub file: Option<FileId>,
}

/// The length of a file in bytes, and the digest by which an interrupted import is recognized.
pub type FileId = (u64, SourceDigest);

/// Reads the rows of an input.
pub struct Rows<R> {
    lines: Lines<R>,
    /// The header, if it is CSV.
    table: Option<Table>,
}

/// Bytes read at a time.
const BUFFER: usize = 64 * 1024;

impl Input {
    /// Opens a file, or the standard input for `-`, and reads the header.
    pub fn open(path: &Path, format: Option<Format>) -> anyhow::Result<Self> {
        let by_name = || Format::from_str(path.extension()?.to_str()?, true).ok();
        let format = format.or_else(by_name);
        let format = format.context("the file's format is unknown: add --format csv or --format jsonl")?;
        let (reader, file) =
            open_reader(path).with_context(|| format!("{} can't be read", path.display()))?;
        Ok(Self { rows: Rows::new(reader, format)?, file })
    }
}

impl<R: BufRead> Rows<R> {
    /// Starts to read; the header comes first.
    pub fn new(input: R, format: Format) -> anyhow::Result<Self> {
        let mut lines = Lines::new(input);
        let table = (format == Format::Csv).then(|| Table::read_header(&mut lines)).transpose()?;
        Ok(Self { lines, table })
    }

    /// Returns the next row.
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

    /// Returns the number of bytes read so far.
    pub fn position(&self) -> u64 {
        self.lines.position()
    }
}

/// Opens the input. A file is read once for its digest.
fn open_reader(path: &Path) -> io::Result<(Box<dyn BufRead>, Option<FileId>)> {
    if path == Path::new("-") {
        return Ok((Box::new(BufReader::with_capacity(BUFFER, io::stdin())), None));
    }
    let mut file = BufReader::with_capacity(BUFFER, File::open(path)?);
    let metadata = file.get_ref().metadata()?;
    if !metadata.is_file() {
        return Ok((Box::new(file), None));
    }
    let mut hasher = Sha256::new();
    while let bytes @ [_, ..] = file.fill_buf()? {
        hasher.update(bytes);
        let length = bytes.len();
        file.consume(length);
    }
    file.rewind()?;
    Ok((Box::new(file), Some((metadata.len(), SourceDigest::new(hasher)))))
}
