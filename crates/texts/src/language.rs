//! The languages there are.

use std::fmt;

use rekey_core::locale::Locale;

/// A language that every text is there in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    English,
    German,
    French,
    Spanish,
    Italian,
    /// Brazil's: Portugal's readers get it too.
    Portuguese,
    Dutch,
    Polish,
    Japanese,
    Arabic,
}

/// Where lines begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    LeftToRight,
    RightToLeft,
}

impl Language {
    /// All of them.
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

    /// Its tag (RFC 5646), for `lang` and `Content-Language`; also the name of its files.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
            Self::Italian => "it",
            Self::Portuguese => "pt-BR",
            Self::Dutch => "nl",
            Self::Polish => "pl",
            Self::Japanese => "ja",
            Self::Arabic => "ar",
        }
    }

    /// Its name in itself, for a choice of languages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::French => "Français",
            Self::Spanish => "Español",
            Self::Italian => "Italiano",
            Self::Portuguese => "Português (Brasil)",
            Self::Dutch => "Nederlands",
            Self::Polish => "Polski",
            Self::Japanese => "日本語",
            Self::Arabic => "العربية",
        }
    }

    /// Where its lines begin.
    #[must_use]
    pub const fn direction(self) -> Direction {
        match self {
            Self::Arabic => Direction::RightToLeft,
            Self::English
            | Self::German
            | Self::French
            | Self::Spanish
            | Self::Italian
            | Self::Portuguese
            | Self::Dutch
            | Self::Polish
            | Self::Japanese => Direction::LeftToRight,
        }
    }

    /// The language with exactly this tag.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// What somebody who asks for this locale reads: `de-AT` German, `pt` Brazil's Portuguese, `zh` none of them. No two of the
    /// languages here differ only in their region or script, so the language itself decides (RFC 4647 §3.4, look-up).
    #[must_use]
    pub fn matching(locale: &Locale) -> Option<Self> {
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
    /// The value of HTML's `dir`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeftToRight => "ltr",
            Self::RightToLeft => "rtl",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_finds_its_language_whatever_its_region() {
        for (asked, found) in [
            ("de", Some(Language::German)),
            ("de-AT", Some(Language::German)),
            ("pt", Some(Language::Portuguese)),
            ("pt-PT", Some(Language::Portuguese)),
            ("pt_br", Some(Language::Portuguese)),
            ("ar-EG", Some(Language::Arabic)),
            ("ja-Jpan-JP", Some(Language::Japanese)),
            ("zh-Hant-TW", None),
            ("es-419", Some(Language::Spanish)),
            ("den", None),
        ] {
            assert_eq!(Language::matching(&asked.parse().unwrap()), found, "{asked}");
        }
    }

    #[test]
    fn tags_are_in_their_usual_spelling_and_lead_back() {
        for language in Language::ALL {
            let locale: Locale = language.tag().parse().unwrap();
            assert_eq!(locale.as_str(), language.tag());
            assert_eq!(Language::of_tag(language.tag()), Some(language));
            assert_eq!(Language::matching(&locale), Some(language));
        }
    }
}
