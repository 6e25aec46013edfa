//! What a shop is called.

use std::{fmt, str::FromStr};

/// A shop's name as customers read it, in mails, their headers and on pages: one line of up to 100 characters, all of which can
/// be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopName(String);

/// Characters of a name at most: as many as a sender's in a mail.
const MAX_CHARS: usize = 100;

/// A text that is not a [`ShopName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name is 1 to 100 characters on one line, all of which can be seen")]
pub struct InvalidShopName;

impl ShopName {
    /// The name's characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ShopName {
    type Err = InvalidShopName;

    fn from_str(text: &str) -> Result<Self, InvalidShopName> {
        let text = text.trim();
        let fits = (1..=MAX_CHARS).contains(&text.chars().count()) && !text.contains(is_invisible);
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidShopName) }
    }
}

impl fmt::Display for ShopName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text on one line, without what can't be seen: a name that was stored before it was looked at can break no line of a
/// mail, and turn none around.
#[must_use]
pub fn visible(text: &str) -> String {
    let breaks = |c: char| c.is_whitespace() || c.is_control();
    let words = text.split(breaks).map(|word| word.chars().filter(|c| !is_invisible(*c)).collect::<String>());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Ends the line, hides, or turns the direction of what follows. The joiners (U+200C, U+200D) are no such: Persian words and many
/// emoji are written with them.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_can_be_seen_on_one_line() {
        for name in ["Shop", "Fish & Chips", "متجر", "👩‍🍳 Küche", "می‌خواهم", &"x".repeat(100)]
        {
            assert_eq!(name.parse::<ShopName>().unwrap().as_str(), name);
            assert_eq!(visible(name), name);
        }
        assert_eq!(" Shop ".parse::<ShopName>().unwrap().as_str(), "Shop");
        for name in
            ["", " ", "a\nb", "a\r\nBcc: x@example.com", "a\0", "\u{202e}pohS", "a\u{2028}b", "a\u{200b}b"]
        {
            assert_eq!(name.parse::<ShopName>(), Err(InvalidShopName), "{name:?}");
        }
        assert_eq!("x".repeat(101).parse::<ShopName>(), Err(InvalidShopName));
    }

    #[test]
    fn what_can_not_be_seen_is_left_out() {
        assert_eq!(visible("Shop\r\n\r\nhttps://evil.example"), "Shop https://evil.example");
        assert_eq!(visible("\u{202e}pohS\u{202c}\u{200b} \u{2028} x"), "pohS x");
    }
}
