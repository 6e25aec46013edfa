//! Language tags.

use std::str::FromStr;

use crate::newtypes::text_newtype;

/// A language tag (RFC 5646 §2.1) in its usual spelling, such as `de`, `pt-BR` or `zh-Hant-TW`. There may be no texts in
/// that language. POSIX's `de_DE` is parsed as `de-DE`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Locale(String);

/// The maximum bytes of a tag (RFC 5646 §4.4.1 recommends support for 35).
pub const MAX_LENGTH: usize = 35;

/// A regular expression (ECMA 262) for tags, for the API reference.
pub const PATTERN: &str = "^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$";

/// A text that is not a [`Locale`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a language tag")]
pub struct InvalidLocale;

text_newtype!(Locale);

/// Parses an `Accept-Language` header (RFC 9110 §12.5.4). Returns at most four languages of its first 512 bytes, the best first. Skips
/// malformed items, `*`, and languages that are excluded (`q=0`).
#[must_use]
pub fn accepted(header: &str) -> Vec<Locale> {
    const MAX_BYTES: usize = 512;
    const MAX_TAGS: usize = 4;
    let end = (0..=MAX_BYTES.min(header.len())).rev().find(|&end| header.is_char_boundary(end)).unwrap_or(0);
    let parse = |item: &str| {
        let mut parts = item.split(';').map(str::trim);
        let locale: Locale = parts.next()?.parse().ok()?;
        let weight =
            parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse::<f32>().ok())?;
        (weight > 0.0 && weight <= 1.0).then_some((weight, locale))
    };
    let mut wanted: Vec<_> = header.get(..end).unwrap_or_default().split(',').filter_map(parse).collect();
    // Stable, so that equal weights keep their order.
    wanted.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    wanted.into_iter().map(|(_, locale)| locale).take(MAX_TAGS).collect()
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
            tag.push_str(&usual_spelling(position, subtag));
        }
        Ok(Self(tag))
    }
}

/// Returns the usual spelling (RFC 5646 §2.1.1): regions in upper case, scripts with an initial capital, all else in lower case.
fn usual_spelling(position: usize, subtag: &str) -> String {
    match (position, subtag.len()) {
        (1.., 2) => subtag.to_ascii_uppercase(),
        (1.., 4) if subtag.bytes().all(|b| b.is_ascii_alphabetic()) => {
            let (initial, rest) = subtag.split_at(1);
            initial.to_ascii_uppercase() + &rest.to_ascii_lowercase()
        }
        _ => subtag.to_ascii_lowercase(),
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
            ("de-x-a1B2", "de-x-a1b2"),
            ("de-AT-de-AT-de-AT-de-AT-de-AT-de-AT", "de-AT-DE-AT-DE-AT-DE-AT-DE-AT-DE-AT"),
        ] {
            assert_eq!(typed.parse::<Locale>().unwrap().as_str(), kept);
        }
    }

    #[test]
    fn an_accept_language_header_is_read_best_first_and_within_bounds() {
        let read =
            |header: &str| accepted(header).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(read("de-CH, fr;q=0.7, en;q=0.9"), "de-CH en fr");
        assert_eq!(read("pt-br,pt;q=0.9,*;q=0.1"), "pt-BR pt");
        assert_eq!(read("de;q=0, fr; q=x, es;q=2, ja ; q=0.1 , en;q=NaN"), "ja");
        assert_eq!(read("a,,;q=1,\u{e9},*"), "");
        assert_eq!(read(&"de,".repeat(100_000)), "de de de de");
        assert_eq!(read(&"\u{20ac}".repeat(600)), "");
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
