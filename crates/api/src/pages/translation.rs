//! Links to a page in other languages.

use rekey_texts::Language;
use serde::Serialize;

/// A link to the page in another language.
#[derive(Serialize)]
pub struct Translation {
    tag: &'static str,
    dir: &'static str,
    /// The language's name in itself.
    name: &'static str,
    href: String,
}

impl Translation {
    /// Returns the links to all languages but this one.
    pub fn all_but(language: Language, address: impl Fn(Language) -> String) -> Vec<Self> {
        let others = Language::ALL.into_iter().filter(|other| *other != language);
        let translation = |other: Language| Self {
            tag: other.tag(),
            dir: other.direction().as_str(),
            name: other.name(),
            href: address(other),
        };
        others.map(translation).collect()
    }
}
