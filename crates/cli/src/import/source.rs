use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek},
    path::Path,
};

use anyhow::Context;
use clap::ValueEnum;
use rekey_core::customers::import::SourceDigest;
use sha2::{Digest, Sha256};

use super::{csv::CsvRows, json::JsonRows, lines::Lines, row::Row};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A header, then a customer a line.
    Csv,
    /// A JSON object a line.
    Jsonl,
}

/// What is imported, not read yet.
pub struct Input {
    reader: Box<dyn BufRead>,
    format: Format,
    /// Of a file: its length and digest.
    file: Option<(u64, SourceDigest)>,
}

/// The rows of an input.
pub enum Rows {
    Csv(Box<CsvRows<Box<dyn BufRead>>>),
    Json(JsonRows<Box<dyn BufRead>>),
}

/// Octets read at a time.
const BUFFER: usize = 64 * 1024;

impl Input {
    /// Opens a file, or the standard input for `-`. Of a file the digest is taken, by which an interrupted import is known
    /// again; what comes from elsewhere can be read once only, and has none.
    pub fn open(path: &Path, format: Option<Format>) -> anyhow::Result<Self> {
        let is_stdin = path == Path::new("-");
        let by_name = path.extension().and_then(|ending| match ending.to_ascii_lowercase().to_str()? {
            "csv" => Some(Format::Csv),
            "jsonl" | "ndjson" => Some(Format::Jsonl),
            _ => None,
        });
        let format = format.or(by_name).context("say what the file is: --format csv or --format jsonl")?;
        if is_stdin {
            let reader = Box::new(BufReader::with_capacity(BUFFER, io::stdin()));
            return Ok(Self { reader, format, file: None });
        }
        let cant_be_read = || format!("{} can't be read", path.display());
        let mut file = File::open(path).with_context(cant_be_read)?;
        let is_file = file.metadata().with_context(cant_be_read)?.is_file();
        let file_data = if is_file { Some(digest(&mut file).with_context(cant_be_read)?) } else { None };
        Ok(Self { reader: Box::new(BufReader::with_capacity(BUFFER, file)), format, file: file_data })
    }

    /// Octets, if that is known.
    pub fn length(&self) -> Option<u64> {
        self.file.map(|(length, _)| length)
    }

    /// What it is known by.
    pub fn digest(&self) -> Option<SourceDigest> {
        self.file.map(|(_, digest)| digest)
    }

    /// Begins to read.
    pub fn rows(self) -> anyhow::Result<Rows> {
        let lines = Lines::new(self.reader);
        Ok(match self.format {
            Format::Csv => Rows::Csv(Box::new(CsvRows::new(lines)?)),
            Format::Jsonl => Rows::Json(JsonRows::new(lines)),
        })
    }
}

impl Rows {
    /// The next row.
    pub fn next(&mut self) -> anyhow::Result<Option<Row>> {
        let next = match self {
            Self::Csv(rows) => rows.next(),
            Self::Json(rows) => rows.next(),
        };
        next.context("the file can't be read on")
    }

    /// Octets read so far.
    pub fn position(&self) -> u64 {
        match self {
            Self::Csv(rows) => rows.position(),
            Self::Json(rows) => rows.position(),
        }
    }
}

/// A file's length and digest; it is then at its beginning again.
fn digest(file: &mut File) -> io::Result<(u64, SourceDigest)> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    let mut length = 0;
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(buffer.get(..read).unwrap_or_default());
        length += read as u64;
    }
    file.rewind()?;
    Ok((length, SourceDigest::new(hasher)))
}
