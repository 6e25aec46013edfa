use std::{
    collections::VecDeque,
    io::{self, BufRead},
};

use super::row::Reason;

/// Octets of a line, or of a CSV record of several lines, at most: the API's limit for a body.
pub const MAX_LINE: usize = 64 * 1024;

/// Reads a text line by line in bounded memory: of one that is too long, only the fact is kept.
pub struct Lines<R> {
    input: R,
    number: u64,
    position: u64,
    /// Lines that were given back.
    pending: VecDeque<Line>,
}

/// A line without its end, or why it can't be read.
#[derive(Debug)]
pub struct Line {
    /// Counted from 1.
    pub number: u64,
    pub content: Result<String, Reason>,
}

impl<R: BufRead> Lines<R> {
    pub fn new(input: R) -> Self {
        Self { input, number: 0, position: 0, pending: VecDeque::new() }
    }

    /// Octets read so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next line that is not empty.
    pub fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            match self.next_of_all()? {
                Some(Line { content: Ok(content), .. }) if content.trim().is_empty() => {}
                line => return Ok(line),
            }
        }
    }

    /// The next line, be it empty.
    pub fn next_of_all(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.pending.pop_front() {
            return Ok(Some(line));
        }
        let mut octets = Vec::new();
        let length = self.read(&mut octets)?;
        if length == 0 {
            return Ok(None);
        }
        self.position += length;
        self.number += 1;
        // The rest of a line that is too long was read and thrown away.
        let content = if octets.len() > MAX_LINE { Err(Reason::LineTooLong) } else { self.text(octets) };
        Ok(Some(Line { number: self.number, content }))
    }

    /// Gives lines back, to be read next.
    pub fn give_back(&mut self, lines: impl DoubleEndedIterator<Item = Line>) {
        for line in lines.rev() {
            self.pending.push_front(line);
        }
    }

    /// Reads to the end of the line, and keeps one octet more than may be, at most; how many were read.
    fn read(&mut self, octets: &mut Vec<u8>) -> io::Result<u64> {
        let mut length = 0;
        loop {
            let available = match self.input.fill_buf() {
                Ok([]) => return Ok(length),
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = available.iter().position(|&octet| octet == b'\n');
            let read = end.map_or(available.len(), |end| end + 1);
            let wanted = end.unwrap_or(read).min((MAX_LINE + 1).saturating_sub(octets.len()));
            octets.extend(available.iter().take(wanted));
            self.input.consume(read);
            length += read as u64;
            if end.is_some() {
                return Ok(length);
            }
        }
    }

    fn text(&self, octets: Vec<u8>) -> Result<String, Reason> {
        let mut text = String::from_utf8(octets).map_err(|_| Reason::NotUtf8)?;
        if text.contains('\0') {
            return Err(Reason::Nul);
        }
        if text.ends_with('\r') {
            text.pop();
        }
        if self.number == 1 && text.starts_with('\u{feff}') {
            text.remove(0);
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> Vec<(u64, Result<String, Reason>)> {
        let mut lines = Lines::new(io::BufReader::with_capacity(7, input));
        let mut read = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            read.push((line.number, line.content));
        }
        assert_eq!(lines.position(), input.len() as u64);
        read
    }

    #[test]
    fn lines_end_in_lf_or_crlf_and_empty_ones_are_only_counted() {
        let text = "\u{feff}one\r\n\n \t\ntwo\nthree".as_bytes();
        let expected = [(1, "one"), (4, "two"), (5, "three")];
        assert_eq!(read(text), expected.map(|(number, line)| (number, Ok(line.to_owned()))));
        assert!(read(b"").is_empty());
        assert!(read(b"\n\n\r\n").is_empty());
    }

    #[test]
    fn a_line_that_cant_be_read_is_named_and_the_next_is_read() {
        let mut text = vec![b'x'; MAX_LINE + 1];
        text.extend(b"\nafter\n\xff\xfe\na\0b\nlast\n");
        let expected = [
            (1, Err(Reason::LineTooLong)),
            (2, Ok("after".to_owned())),
            (3, Err(Reason::NotUtf8)),
            (4, Err(Reason::Nul)),
            (5, Ok("last".to_owned())),
        ];
        assert_eq!(read(&text), expected);
        assert_eq!(read(&vec![b'x'; MAX_LINE])[0].1.as_ref().unwrap().len(), MAX_LINE);
    }

    #[test]
    fn lines_are_given_back_in_their_order() {
        let mut lines = Lines::new(&b"1\n2\n3\n4\n"[..]);
        let next = |lines: &mut Lines<&[u8]>| lines.next().unwrap().unwrap();
        let read = [next(&mut lines), next(&mut lines), next(&mut lines)];
        lines.give_back(read.into_iter().skip(1));
        let numbers = [0; 3].map(|_| next(&mut lines).number);
        assert_eq!(numbers, [2, 3, 4]);
    }
}
