use std::{
    collections::VecDeque,
    io::{self, BufRead, Read},
};

use super::row::Reason;

/// The longest line, or CSV record of several lines, in bytes: the API's limit for a body.
pub const MAX_LINE: usize = 64 * 1024;

/// Reads text line by line in bounded memory. A line that is too long is skipped, and reported as such.
pub struct Lines<R> {
    input: R,
    number: u64,
    position: u64,
    /// Lines that were given back.
    pending: VecDeque<Line>,
}

/// A line without its end, or why it can't be read.
pub struct Line {
    /// Counted from 1.
    pub number: u64,
    pub content: Result<String, Reason>,
}

rekey_core::redacted_debug!(Line);

impl<R: BufRead> Lines<R> {
    pub fn new(input: R) -> Self {
        Self { input, number: 0, position: 0, pending: VecDeque::new() }
    }

    /// Returns the number of bytes read so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns the next line that is not blank.
    pub fn next_filled(&mut self) -> io::Result<Option<Line>> {
        loop {
            match self.next()? {
                Some(Line { content: Ok(text), .. }) if text.trim().is_empty() => {}
                line => return Ok(line),
            }
        }
    }

    /// Returns the next line.
    pub fn next(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.pending.pop_front() {
            return Ok(Some(line));
        }
        let mut bytes = Vec::new();
        (&mut self.input).take(MAX_LINE as u64 + 1).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        self.position += bytes.len() as u64;
        let content = if bytes.len() <= MAX_LINE || bytes.ends_with(b"\n") {
            self.text(bytes)
        } else {
            self.position += self.input.skip_until(b'\n')? as u64;
            Err(Reason::LineTooLong)
        };
        Ok(Some(Line { number: self.number, content }))
    }

    /// Gives lines back, to be read next.
    pub fn give_back(&mut self, lines: Vec<Line>) {
        for line in lines.into_iter().rev() {
            self.pending.push_front(line);
        }
    }

    /// Returns the text without the line's end and, on the first line, without byte order marks. There may be two: some programs add
    /// one to a file that has one.
    fn text(&self, bytes: Vec<u8>) -> Result<String, Reason> {
        let text = String::from_utf8(bytes).map_err(|error| match error.as_bytes() {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] if self.number == 1 => Reason::Utf16,
            _ => Reason::NotUtf8,
        })?;
        if text.contains('\0') {
            return Err(Reason::Nul);
        }
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        Ok(if self.number == 1 { line.trim_start_matches('\u{feff}') } else { line }.to_owned())
    }
}

#[cfg(test)]
mod tests;
