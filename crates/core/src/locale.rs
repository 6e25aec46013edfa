//! Languages that people read.

use std::{fmt, str::FromStr};

/// A language tag (RFC 5646 §2.1) in its usual spelling, such as `de`, `pt-BR` or `zh-Hant-TW`. Whether there are texts in that
/// language is another question. POSIX's `de_DE` is read as `de-DE`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Locale(String);

/// Octets of a tag at most (RFC 5646 §4.4.1: room for 35 is enough for all but extraordinary ones).
const MAX_LENGTH: usize = 35;

/// A text that is not a [`Locale`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a language tag")]
pub struct InvalidLocale;

impl Locale {
    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Locale {
    type Err = InvalidLocale;

    fn from_str(text: &str) -> Result<Self, InvalidLocale> {
        if text.len() > MAX_LENGTH {
            return Err(InvalidLocale);
        }
        let mut tag = String::with_capacity(text.len());
        for (position, subtag) in text.split(['-', '_']).enumerate() {
            let is_language =
                (2..=3).contains(&subtag.len()) && subtag.bytes().all(|b| b.is_ascii_alphabetic());
            let is_other =
                (1..=8).contains(&subtag.len()) && subtag.bytes().all(|b| b.is_ascii_alphanumeric());
            if !(if position == 0 { is_language } else { is_other }) {
                return Err(InvalidLocale);
            }
            if position > 0 {
                tag.push('-');
            }
            tag.push_str(&spelled(position, subtag));
        }
        Ok(Self(tag))
    }
}

/// RFC 5646 §2.1.1: regions in upper case, scripts with an initial capital, all else in lower case.
fn spelled(position: usize, subtag: &str) -> String {
    match (position, subtag.len()) {
        (1.., 2) => subtag.to_ascii_uppercase(),
        (1.., 4) if subtag.bytes().all(|b| b.is_ascii_alphabetic()) => {
            let (initial, rest) = subtag.split_at(1);
            initial.to_ascii_uppercase() + &rest.to_ascii_lowercase()
        }
        _ => subtag.to_ascii_lowercase(),
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_in_any_case_and_kept_in_their_usual_spelling() {
        for (typed, kept) in [
            ("de", "de"),
            ("DE", "de"),
            ("pt_br", "pt-BR"),
            ("zh-hant-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("sl-IT-nedis", "sl-IT-nedis"),
            ("de-1996", "de-1996"),
        ] {
            assert_eq!(typed.parse::<Locale>().unwrap().as_str(), kept);
        }
    }

    #[test]
    fn other_texts_are_no_tags() {
        for text in [
            "",
            "-",
            "d",
            "german",
            "de-",
            "de--AT",
            "de AT",
            "de.UTF-8",
            "dé",
            "de\0",
            "../de",
            "1de",
            "de-abcdefghi",
            "de-AT-de-AT-de-AT-de-AT-de-AT-de-AT-de",
        ] {
            assert_eq!(text.parse::<Locale>(), Err(InvalidLocale), "{text:?}");
        }
    }
}
