//! What the commands print: results on standard output, as text for people or as JSON for scripts, and everything else on standard error.

use std::{
    io::{self, Write},
    time::Duration,
};

use anyhow::Context;
use console::{Alignment, Term};
use indicatif::{ProgressBar, ProgressStyle};
use rekey_core::name::is_invisible;
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// How results are printed. A reader that closes the pipe ends nothing: the command does its work, and the rest of its output is dropped.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// Each record is one JSON object on a line of its own; otherwise records are text.
    pub is_json: bool,
}

/// A record in a list. Its JSON object has the fields of its type.
pub trait Row: Serialize {
    /// The titles of the columns.
    const COLUMNS: &'static [&'static str];

    /// The value of each column.
    fn cells(&self) -> Vec<String>;
}

/// There is no such record, or there is nothing to do. Exit code 3.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NothingFound(pub String);

impl Output {
    /// Prints a list: a table whose columns are as wide as their values, cut to the width of a terminal.
    pub fn list<R: Row>(self, rows: &[R]) -> anyhow::Result<()> {
        if self.is_json {
            return rows.iter().try_for_each(|row| self.record(row, ""));
        }
        let titles = R::COLUMNS.iter().map(|&title| title.to_owned()).collect();
        let cells: Vec<_> = [titles].into_iter().chain(rows.iter().map(R::cells)).collect();
        let terminal = Term::stdout();
        let width = if terminal.is_term() { terminal.size_checked() } else { None };
        print(&table(&cells, width.map(|(_, columns)| columns.into())))
    }

    /// Prints one record: each column of its list on a line of its own.
    pub fn show<R: Row>(self, row: &R) -> anyhow::Result<()> {
        let lines = R::COLUMNS.iter().zip(row.cells()).map(|(title, cell)| vec![format!("{title}:"), cell]);
        self.record(row, &table(&lines.collect::<Vec<_>>(), None))
    }

    /// Prints a result, as this text for people.
    pub fn record(self, record: &impl Serialize, text: &str) -> anyhow::Result<()> {
        if self.is_json { print(&format!("{}\n", serde_json::to_string(record)?)) } else { print(text) }
    }
}

/// Prints text as it is.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("standard output can't be written"),
    }
}

/// Prints a line on standard error. If that is closed, nobody can be shown anything.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Shows on a terminal that something is going on, until the returned value is cleared or dropped.
pub fn spinner(message: &str) -> ProgressBar {
    let spinner = ProgressBar::no_length().with_message(message.to_owned());
    let style = ProgressStyle::with_template("{spinner} {msg} {human_pos}  {elapsed_precise}");
    let spinner = style.map_or_else(|_| ProgressBar::hidden(), |style| spinner.with_style(style));
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

/// Writes a time as RFC 3339 in UTC, to the second.
pub fn timestamp(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC).truncate_to_second().format(&Rfc3339).unwrap_or_default()
}

/// Writes a value that may be missing.
pub fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// Writes the names in a list.
pub fn joined<'a>(values: impl Iterator<Item = &'a str>) -> String {
    let values: Vec<_> = values.collect();
    if values.is_empty() { "none".to_owned() } else { values.join(",") }
}

/// Lays rows out in columns, in lines of at most `limit` columns of a terminal.
fn table(rows: &[Vec<String>], limit: Option<usize>) -> String {
    let rows: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
    let mut widths = Vec::new();
    for row in &rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = console::measure_text_width(cell).max(*width);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths);
        let cells: Vec<_> =
            cells.map(|(cell, width)| console::pad_str(cell, *width, Alignment::Left, None)).collect();
        let line = cells.join("  ");
        let line = line.trim_end();
        let line = limit.map_or(line.into(), |limit| console::truncate_str(line, limit, "…"));
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Replaces invisible characters: what others wrote, such as a mail server or whoever publishes on the broker, can't steer a terminal.
pub fn printable(text: &str) -> String {
    text.replace(is_invisible, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()).collect()
    }

    #[test]
    fn columns_are_as_wide_as_their_values() {
        let rows = rows(&[&["ID", "NAME"], &["1234567", "Ökoläden"], &["1", "日本"]]);
        assert_eq!(table(&rows, None), "ID       NAME\n1234567  Ökoläden\n1        日本\n");
    }

    #[test]
    fn lines_are_cut_to_the_width_of_a_terminal() {
        let rows = rows(&[&["ID", "REASON"], &["1", "550 no such user here"], &["2", "日本日本日本"]]);
        assert_eq!(table(&rows, Some(10)), "ID  REASON\n1   550 n…\n2   日本…\n");
    }

    #[test]
    fn what_others_wrote_does_not_steer_the_terminal() {
        let rows = rows(&[&["\u{1b}[31mred\u{7}\r\nnext\u{9b}2J"]]);
        assert_eq!(table(&rows, None), "\u{fffd}[31mred\u{fffd}\u{fffd}\u{fffd}next\u{fffd}2J\n");
    }
}
