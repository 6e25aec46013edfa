//! The elements of a JSON array, as Commerce Layer's exports have all records in one.

use std::io::{self, BufRead};

use super::{
    lines::{Line, MAX_LINE, decode},
    row::Reason,
};

/// Reads the elements of a JSON array one by one, in bounded memory. Another array may follow: an export of Commerce Layer has at most
/// 10,000 records, and shops with more put several into one file.
pub struct Elements<R> {
    input: R,
    number: u64,
    position: u64,
    is_decoded: bool,
    state: State,
}

/// What comes next in the file.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// An array, or the end.
    Outside,
    /// An element, or the array's end.
    Inside,
    /// Nothing that can be read.
    Ended,
}

/// Where in an element a byte is.
#[derive(Default)]
struct Place {
    depth: u64,
    in_string: bool,
    is_escaped: bool,
}

impl<R: BufRead> Elements<R> {
    pub fn new(input: R, is_decoded: bool) -> Self {
        Self { input, number: 0, position: 0, is_decoded, state: State::Outside }
    }

    /// Returns the number of bytes read so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns the next element, with its number in the place of a line's: an array may be a single line.
    pub fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let content = match self.state {
                State::Ended => return Ok(None),
                State::Outside => self.enter()?.map_or(Ok(None), Err),
                State::Inside => self.element()?,
            };
            if let Some(content) = content.transpose() {
                self.number += 1;
                return Ok(Some(Line { number: self.number, content }));
            }
        }
    }

    /// Enters the next array, if there is one. Returns what is wrong with what comes instead.
    fn enter(&mut self) -> io::Result<Option<Reason>> {
        self.state = State::Ended;
        while let Some(byte) = self.byte()? {
            match byte {
                b'[' => {
                    self.state = State::Inside;
                    return Ok(None);
                }
                // White space, and the bytes of a byte order mark.
                b' ' | b'\t' | b'\r' | b'\n' | 0xef | 0xbb | 0xbf => {}
                _ => return Ok(Some(Reason::AfterArray)),
            }
        }
        Ok(None)
    }

    /// Reads an element to the comma or bracket after it; `None` if it is blank.
    fn element(&mut self) -> io::Result<Result<Option<String>, Reason>> {
        let (mut bytes, mut place) = (Vec::new(), Place::default());
        let end = loop {
            let byte = self.byte()?;
            match byte {
                Some(byte) if !place.ends_at(byte) => {
                    if bytes.len() <= MAX_LINE {
                        bytes.push(byte);
                    }
                }
                end => break end,
            }
        };
        self.state = match end {
            Some(b',') => State::Inside,
            Some(_) => State::Outside,
            None => State::Ended,
        };
        Ok(match end {
            None => Err(Reason::OpenArray),
            Some(_) if bytes.len() > MAX_LINE => Err(Reason::LineTooLong),
            Some(_) if bytes.trim_ascii().is_empty() => Ok(None),
            Some(_) => decode(bytes, self.is_decoded).map(Some),
        })
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let next = self.input.fill_buf()?.first().copied();
        if next.is_some() {
            self.input.consume(1);
            self.position += 1;
        }
        Ok(next)
    }
}

impl Place {
    /// Follows a byte. True if it is the comma or bracket after the element.
    fn ends_at(&mut self, byte: u8) -> bool {
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' if self.in_string => self.is_escaped = true,
            b'"' => self.in_string = !self.in_string,
            _ if self.in_string => {}
            b'[' | b'{' => self.depth += 1,
            b',' | b']' if self.depth == 0 => return true,
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests;
