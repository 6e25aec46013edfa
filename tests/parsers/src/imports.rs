//! Files of customers that another system has written.

use std::{
    cell::RefCell,
    fmt::Display,
    io::{Seek, Write},
};

use rekey_core::resources::{Kind, record::holds_nul};
use rekey_import::{Format, Input, MAX_LINE, Names, Row, Rows};
use serde_json::{Deserializer, Value};
use tempfile::NamedTempFile;

/// A mistake is one line, and quotes no address.
fn check_error(error: &dyn Display) {
    let text = format!("{error:#}");
    assert!(!text.contains(|c: char| c == '@' || c.is_control()), "{text:?}");
}

/// A row that was read has a customer that can be stored.
fn check(row: &Row) {
    for error in row.content.as_ref().err().into_iter().chain(&row.warning) {
        check_error(error);
    }
    let Ok(customer) = &row.content else { return };
    assert_eq!((customer.line, customer.email.as_str().parse()), (row.line, Ok(customer.email.clone())));
    assert!(row.warning.is_none() || customer.password.is_none());
    let reference = &customer.reference;
    for text in [&reference.reference, &reference.reference_origin].into_iter().flatten() {
        assert!(
            !text.is_empty() && text.chars().count() <= Kind::MAX_TEXT && !text.contains('\0'),
            "{text:?}"
        );
    }
    assert!(!holds_nul(&Value::Object(reference.metadata.clone())));
}

/// Reads a file that may have no header, and returns its rows.
fn read(file: &[u8], format: Format) -> Vec<Row> {
    let mut rows = match Rows::new(file, format, Names::default(), false) {
        Ok(rows) => rows,
        Err(error) => {
            check_error(&error);
            return Vec::new();
        }
    };
    let mut read: Vec<Row> = Vec::new();
    while let Some(row) = rows.read_row().unwrap() {
        check(&row);
        assert!(read.last().is_none_or(|before| before.line < row.line), "{row:?}");
        read.push(row);
    }
    assert_eq!(rows.position(), file.len() as u64, "it is read to its end");
    read
}

/// Whatever comes before it, a whole line is read.
fn assert_last_is_read(start: &str, input: &[u8], line: &str, format: Format) {
    let file = [start.as_bytes(), input, b"\n", line.as_bytes(), b"\n"].concat();
    let rows = read(&file, format);
    let last = rows.last().and_then(|row| row.content.as_ref().ok()).expect("the last line");
    assert_eq!((last.email.as_str(), last.reference.reference.as_deref()), ("last@example.com", Some("1")));
}

/// CSV, also in another encoding.
pub fn csv(input: &[u8]) {
    thread_local!(static FILE: RefCell<NamedTempFile> = RefCell::new(NamedTempFile::new().unwrap()));
    assert_last_is_read("email,reference\n", input, "last@example.com,1", Format::Csv);
    read(input, Format::Csv);
    FILE.with_borrow_mut(|file| {
        // Without cutting it to nothing first, after which ext4 waits for the disk.
        file.rewind().unwrap();
        file.write_all(input).unwrap();
        file.as_file().set_len(input.len() as u64).unwrap();
        let mut rows = match Input::open(file.path(), Some(Format::Csv), None, Names::default()) {
            Ok(Input { rows, .. }) => rows,
            Err(error) => return check_error(&error),
        };
        while let Some(row) = rows.read_row().unwrap() {
            check(&row);
        }
    });
}

/// An object in each line.
pub fn jsonl(input: &[u8]) {
    assert_last_is_read("{}\n", input, r#"{"email":"last@example.com","reference":"1"}"#, Format::Jsonl);
}

/// Arrays of objects: each element is a row.
pub fn export(input: &[u8]) {
    let names = Names { is_export: true, ..Names::default() };
    let mut rows = match Rows::new(input, Format::CommerceLayer, names, false) {
        Ok(rows) => rows,
        Err(error) => return check_error(&error),
    };
    let mut count = 0;
    while let Some(row) = rows.read_row().unwrap() {
        check(&row);
        count += 1;
    }
    let arrays = Deserializer::from_slice(input).into_iter::<Vec<Value>>();
    let elements: Result<usize, _> = arrays.map(|array| array.map(|array| array.len())).sum();
    if let Ok(elements) = elements
        && input.len() <= MAX_LINE
    {
        assert_eq!(count, elements);
    }
}
