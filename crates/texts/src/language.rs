//! The supported languages.

use std::fmt;

use rekey_core::locale::Locale;

/// A supported language: every text exists in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    English,
    German,
    French,
    Spanish,
    Italian,
    /// Brazilian Portuguese, which readers in Portugal get too.
    Portuguese,
    Dutch,
    Polish,
    Japanese,
    Arabic,
}

/// The direction of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    LeftToRight,
    RightToLeft,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 10] = [
        Self::English,
        Self::German,
        Self::French,
        Self::Spanish,
        Self::Italian,
        Self::Portuguese,
        Self::Dutch,
        Self::Polish,
        Self::Japanese,
        Self::Arabic,
    ];

    /// Returns the tag (RFC 5646), for `lang` and `Content-Language`; also the name of its files.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        self.data().0
    }

    /// Returns the name in the language itself, for a choice of languages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.data().1
    }

    /// Returns the direction of its lines.
    #[must_use]
    pub const fn direction(self) -> Direction {
        self.data().2
    }

    const fn data(self) -> (&'static str, &'static str, Direction) {
        use Direction::{LeftToRight, RightToLeft};
        match self {
            Self::English => ("en", "English", LeftToRight),
            Self::German => ("de", "Deutsch", LeftToRight),
            Self::French => ("fr", "Français", LeftToRight),
            Self::Spanish => ("es", "Español", LeftToRight),
            Self::Italian => ("it", "Italiano", LeftToRight),
            Self::Portuguese => ("pt-BR", "Português (Brasil)", LeftToRight),
            Self::Dutch => ("nl", "Nederlands", LeftToRight),
            Self::Polish => ("pl", "Polski", LeftToRight),
            Self::Japanese => ("ja", "日本語", LeftToRight),
            Self::Arabic => ("ar", "العربية", RightToLeft),
        }
    }

    /// Returns the language with exactly this tag.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// Returns the language for a locale: German for `de-AT`, Brazilian Portuguese for `pt`, none for `zh`. No two supported languages
    /// differ only in region or script, so the primary subtag decides (RFC 4647 §3.4, look-up).
    #[must_use]
    pub fn for_locale(locale: &Locale) -> Option<Self> {
        let wanted = primary(locale.as_str());
        Self::ALL.into_iter().find(|language| primary(language.tag()) == wanted)
    }
}

fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or(tag)
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

impl Direction {
    /// Returns the value of HTML's `dir`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeftToRight => "ltr",
            Self::RightToLeft => "rtl",
        }
    }
}

#[cfg(test)]
mod tests;
