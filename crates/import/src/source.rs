use std::{
    fs::File,
    io::{self, BufRead, BufReader, Seek},
    path::Path,
};

use anyhow::{Context, anyhow, ensure};
use clap::ValueEnum;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use encoding_rs_io::DecodeReaderBytesBuilder;
use rekey_core::customers::import::SourceDigest;
use sha2::{Digest, Sha256};

use super::{
    csv::Table,
    elements::Elements,
    json,
    lines::{Line, LineEncoding, Lines},
    names::Names,
    row::Row,
};

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A header, then a customer in each line.
    Csv,
    /// A JSON object in each line.
    #[value(alias = "ndjson")]
    Jsonl,
    /// Customers as Commerce Layer exports them: a JSON array, or CSV.
    CommerceLayer,
}

/// A file or the standard input.
pub struct Input {
    pub rows: Rows<Box<dyn BufRead>>,
    /// `None` if it can be read only once.
    pub file: Option<FileId>,
}

/// A file's identity.
pub struct FileId {
    /// Its length in bytes, if the position in it can be shown.
    pub length: Option<u64>,
    /// The digest by which an interrupted import is recognized.
    pub digest: SourceDigest,
}

/// Reads the rows of an input.
pub struct Rows<R> {
    records: Records<R>,
    names: Names,
}

/// How a file is divided into records.
enum Records<R> {
    Csv(Lines<R>, Table),
    Lines(Lines<R>),
    Array(Elements<R>),
}

/// Bytes read at a time.
const BUFFER: usize = 64 * 1024;
const UNKNOWN_FORMAT: &str =
    "the file's format is unknown: add --format csv, --format jsonl or --format commerce-layer";

impl Input {
    /// Opens a file, or the standard input for `-`, and reads the header.
    pub fn open(
        path: &Path,
        format: Option<Format>,
        encoding: Option<&'static Encoding>,
        names: Names,
    ) -> anyhow::Result<Self> {
        let by_name = || Format::from_str(path.extension()?.to_str()?, true).ok();
        let format = format.or_else(by_name);
        let format = format.context(UNKNOWN_FORMAT)?;
        let cant_be_read = || format!("{} can't be read", path.display());
        let (mut reader, mut file) = open_reader(path).with_context(cant_be_read)?;
        let encoding = detect_encoding(reader.fill_buf().with_context(cant_be_read)?, encoding)?;
        if encoding != UTF_8 {
            let decoder = DecodeReaderBytesBuilder::new().encoding(Some(encoding)).build(reader);
            reader = Box::new(BufReader::with_capacity(BUFFER, decoder));
            // What is read is not what the file has.
            file = file.map(|file| FileId { length: None, ..file });
        }
        Ok(Self { rows: Rows::new(reader, format, names, encoding != UTF_8)?, file })
    }
}

impl<R: BufRead> Rows<R> {
    /// Starts to read; the header comes first.
    pub fn new(mut input: R, format: Format, names: Names, is_decoded: bool) -> anyhow::Result<Self> {
        let start = input.fill_buf()?;
        let first = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start().first();
        let (is_array, is_object) = (first == Some(&b'['), first == Some(&b'{'));
        ensure!(
            format != Format::Jsonl || !is_array,
            "the file is a JSON array: write one object in each line (`jq -c '.[]'` does), or add --format commerce-layer if it is \
             Commerce Layer's export"
        );
        ensure!(
            format != Format::CommerceLayer || !is_object,
            "the file is a JSON object, expected an array or CSV: of an answer of the API, take the array (`jq .data` does)"
        );
        if format == Format::CommerceLayer && is_array {
            return Ok(Self { records: Records::Array(Elements::new(input, is_decoded)), names });
        }
        let encoding = LineEncoding::detect(start, is_decoded);
        let mut lines = Lines::new(input, encoding);
        if format == Format::Jsonl {
            return Ok(Self { records: Records::Lines(lines), names });
        }
        let table = Table::read_header(&mut lines, &names)?;
        Ok(Self { records: Records::Csv(lines, table), names })
    }

    /// Returns what a row's number counts.
    pub fn unit(&self) -> &'static str {
        if let Records::Array(_) = self.records { "record" } else { "line" }
    }

    /// Returns the next row that is not blank.
    pub fn read_row(&mut self) -> io::Result<Option<Row>> {
        while let Some(first) = self.records.next()? {
            let line = first.number;
            let fields = match (first.content, &mut self.records) {
                (Ok(text), Records::Csv(lines, table)) => table.fields(text, lines)?,
                (Ok(text), _) => json::fields(&text, &self.names).map(Some),
                (Err(reason), _) => Err(reason.into()),
            };
            let parsed = match fields {
                Ok(Some(fields)) => fields.into_customer(line),
                Ok(None) => continue,
                Err(error) => Err(error),
            };
            let (content, warning) = match parsed {
                Ok((customer, warning)) => (Ok(customer), warning),
                Err(error) => (Err(error), None),
            };
            return Ok(Some(Row { line, content, warning }));
        }
        Ok(None)
    }

    /// Returns the number of bytes read so far.
    pub fn position(&self) -> u64 {
        match &self.records {
            Records::Csv(lines, _) | Records::Lines(lines) => lines.position(),
            Records::Array(elements) => elements.position(),
        }
    }
}

impl<R: BufRead> Records<R> {
    /// Returns the next line that is not blank, or the next element.
    fn next(&mut self) -> io::Result<Option<Line>> {
        match self {
            Self::Csv(lines, _) | Self::Lines(lines) => lines.next_filled(),
            Self::Array(elements) => elements.next(),
        }
    }
}

/// Parses the name of an encoding, as of the WHATWG's standard: `utf-16le`, `windows-1252`, `latin1`, `shift_jis`.
pub fn encoding(name: &str) -> Result<&'static Encoding, String> {
    Encoding::for_label(name.as_bytes())
        .ok_or_else(|| "expected an encoding such as utf-8, utf-16le, windows-1252 or shift_jis".to_owned())
}

/// Finds out the encoding from the start of a file. Its own mark counts more than what is `expected`; without either it is UTF-8.
fn detect_encoding(start: &[u8], expected: Option<&'static Encoding>) -> anyhow::Result<&'static Encoding> {
    let found = match start {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Err("UTF-32: save it as CSV UTF-8"),
        [b'P', b'K', 3, 4, ..] => Err("a ZIP archive, as an Excel workbook is one: save it as CSV UTF-8"),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Err("an Excel workbook: save it as CSV UTF-8"),
        [0x1f, 0x8b, ..] => {
            Err("compressed by gzip: decompress it, or use `gunzip -c FILE | rekey import customers -`")
        }
        [b'%', b'P', b'D', b'F', ..] => Err("a PDF: export it as CSV UTF-8"),
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => Ok(UTF_16LE),
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => Ok(UTF_16BE),
        _ => Ok(expected.unwrap_or(UTF_8)),
    };
    let found = found.map_err(|kind| anyhow!("the file is {kind}"))?;
    Ok(Encoding::for_bom(start).map_or(found, |(encoding, _)| encoding))
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
    let id = FileId { length: Some(metadata.len()), digest: SourceDigest::new(hasher) };
    Ok((Box::new(file), Some(id)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::row::{ImportRowError, Reason};

    type ReadRow = Result<(String, Option<String>), ImportRowError>;

    fn open(content: &[u8], name: Option<&str>) -> anyhow::Result<Vec<ReadRow>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("customers.csv");
        fs::write(&path, content).unwrap();
        let encoding = name.map(|name| encoding(name).unwrap());
        let mut rows = Input::open(&path, None, encoding, Names::default())?.rows;
        let mut read = Vec::new();
        while let Some(row) = rows.read_row().unwrap() {
            read.push(row.content.map(|customer| (customer.email.to_string(), customer.reference.reference)));
        }
        Ok(read)
    }

    const TEXT: &str = "email;reference\r\nanna@example.com;Müller €\r\nbert@example.com;2\r\n";

    fn expected() -> [ReadRow; 2] {
        [("anna@example.com", "Müller €"), ("bert@example.com", "2")]
            .map(|(email, reference)| Ok((email.to_owned(), Some(reference.to_owned()))))
    }

    #[test]
    fn c4_utf_16_is_read_with_and_without_its_mark() {
        for mark in ["\u{feff}", ""] {
            let units: Vec<u16> = format!("{mark}{TEXT}").encode_utf16().collect();
            for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
                let content: Vec<u8> = units.iter().flat_map(|unit| bytes(*unit)).collect();
                assert_eq!(open(&content, None).unwrap(), expected());
            }
        }
        let lone: Vec<u8> =
            "\u{feff}email\na".encode_utf16().chain([0xd800, 10]).flat_map(u16::to_le_bytes).collect();
        assert_eq!(open(&lone, None).unwrap(), [Err(Reason::Undecodable.into())]);
    }

    #[test]
    fn c4_another_encoding_is_read_where_it_is_named() {
        let (content, _, _) = encoding_rs::WINDOWS_1252.encode(TEXT);
        for name in ["windows-1252", "cp1252", "latin1", "ISO-8859-1"] {
            assert_eq!(open(&content, Some(name)).unwrap(), expected(), "{name}");
        }
        let [anna, bert] = open(&content, None).unwrap().try_into().unwrap();
        assert_eq!((anna, bert), (Err(Reason::NotUtf8.into()), expected()[1].clone()));
        // The file's own mark counts more.
        assert_eq!(open(format!("\u{feff}{TEXT}").as_bytes(), Some("latin1")).unwrap(), expected());
        assert!(encoding("klingon").is_err());
    }

    #[test]
    fn c4_files_that_are_no_text_are_named() {
        for (start, name) in [
            (b"PK\x03\x04\x14\0".as_slice(), "ZIP"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1", "Excel workbook"),
            (b"\x1f\x8b\x08\0", "gzip"),
            (b"\xff\xfe\0\0e\0\0\0", "UTF-32"),
            (b"%PDF-1.7", "PDF"),
        ] {
            let error = open(start, None).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
