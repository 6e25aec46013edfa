//! The display names of shops and API clients.

use std::str::FromStr;

use crate::newtypes::text_newtype;

/// A name that people read: customers in mails and on pages, operators in lists. One line of up to 100 visible characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(String);

/// The maximum number of characters: that of a sender's name in a mail.
const MAX_CHARS: usize = 100;

/// A text that is not a [`DisplayName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name is 1 to 100 visible characters on one line")]
pub struct InvalidDisplayName;

text_newtype!(DisplayName);

impl FromStr for DisplayName {
    type Err = InvalidDisplayName;

    fn from_str(text: &str) -> Result<Self, InvalidDisplayName> {
        let text = text.trim();
        let fits = (1..=MAX_CHARS).contains(&text.chars().count()) && !text.contains(is_invisible);
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidDisplayName) }
    }
}

/// Returns the text on one line, without invisible characters, so that an unchecked name from the database can't break a line of a mail
/// or reverse its direction.
#[must_use]
pub fn visible(text: &str) -> String {
    one_line(text, is_invisible)
}

/// Returns the text's words on one line, without the characters that are left out.
#[must_use]
pub fn one_line(text: &str, is_left_out: impl Fn(char) -> bool) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words = words.map(|word| word.replace(&is_left_out, "")).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Whether a character ends the line, is invisible, or changes the direction of the text after it. The joiners (U+200C, U+200D) are not
/// counted: Persian words and many emoji need them.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_can_be_seen_on_one_line() {
        for name in ["Shop", "Fish & Chips", "متجر", "👩‍🍳 Küche", "می‌خواهم", &"x".repeat(100)]
        {
            assert_eq!(name.parse::<DisplayName>().unwrap().as_str(), name);
            assert_eq!(visible(name), name);
        }
        assert_eq!(" Shop ".parse::<DisplayName>().unwrap().as_str(), "Shop");
        for name in [
            "",
            " ",
            "a\nb",
            "a\r\nBcc: x@example.com",
            "a\0",
            "\u{202e}pohS",
            "\u{61c}متجر",
            "a\u{2028}b",
            "a\u{ad}b",
            "a\u{200b}b",
        ] {
            assert_eq!(name.parse::<DisplayName>(), Err(InvalidDisplayName), "{name:?}");
        }
        assert_eq!("x".repeat(101).parse::<DisplayName>(), Err(InvalidDisplayName));
    }

    #[test]
    fn what_can_not_be_seen_is_left_out() {
        assert_eq!(visible("Shop\r\n\r\nhttps://evil.example"), "Shop https://evil.example");
        assert_eq!(visible("\u{202e}pohS\u{202c}\u{200b} \u{2028} x"), "pohS x");
    }
}
