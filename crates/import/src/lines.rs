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
    encoding: LineEncoding,
    /// Lines that were given back.
    pending: VecDeque<Line>,
}

/// How the bytes of a file are lines of text.
#[derive(Debug, Clone, Copy)]
pub struct LineEncoding {
    /// The last byte of a line: LF, also after CR, or CR alone.
    pub end: u8,
    /// Whether the text was decoded, so that U+FFFD is in place of what could not be.
    pub is_decoded: bool,
}

/// A line without its end, or why it can't be read.
pub struct Line {
    /// Counted from 1. Of a JSON array, that of the element.
    pub number: u64,
    pub content: Result<String, Reason>,
}

rekey_core::redacted_debug!(Line);

impl<R: BufRead> Lines<R> {
    pub fn new(input: R, encoding: LineEncoding) -> Self {
        Self { input, number: 0, position: 0, encoding, pending: VecDeque::new() }
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
        let end = self.encoding.end;
        (&mut self.input).take(MAX_LINE as u64 + 1).read_until(end, &mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        self.position += bytes.len() as u64;
        let content = if bytes.len() <= MAX_LINE || bytes.ends_with(&[end]) {
            self.text(bytes)
        } else {
            self.position += self.input.skip_until(end)? as u64;
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
        let text = decode(bytes, self.encoding.is_decoded)?;
        let line = text.strip_suffix('\n').unwrap_or(&text).trim_end_matches('\r');
        Ok(if self.number == 1 { line.trim_start_matches('\u{feff}') } else { line }.to_owned())
    }
}

impl LineEncoding {
    /// Finds out how the lines end from the start of the text: macOS's old programs, and Excel's "CSV (Macintosh)", end them by CR alone.
    pub fn detect(start: &[u8], is_decoded: bool) -> Self {
        let first_end = start.iter().skip_while(|byte| !b"\r\n".contains(byte));
        let mut after_cr = first_end.skip_while(|byte| **byte == b'\r');
        let has_cr = start.iter().find(|byte| b"\r\n".contains(byte)) == Some(&b'\r');
        let is_cr_alone = has_cr && after_cr.next().is_some_and(|next| *next != b'\n');
        let end = if is_cr_alone { b'\r' } else { b'\n' };
        Self { end, is_decoded }
    }
}

/// Returns the bytes as text. If it was decoded from another encoding, U+FFFD is in place of what could not be.
pub fn decode(bytes: Vec<u8>, is_decoded: bool) -> Result<String, Reason> {
    let text = String::from_utf8(bytes).map_err(|_| Reason::NotUtf8)?;
    if text.contains('\0') {
        return Err(Reason::Nul);
    }
    if is_decoded && text.contains(char::REPLACEMENT_CHARACTER) {
        return Err(Reason::Undecodable);
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
