//! Passwords that are a name of the person or the shop: NIST's "context-specific words".

use super::folding::{fold, squeeze};
use crate::email::EmailAddress;

/// The shortest name whose variations are rejected, too: shorter ones are found by chance.
const MIN_VARIED: usize = 3;

/// The names of a person or a shop, folded, without spaces and punctuation.
pub(super) struct KnownWords(Vec<String>);

impl KnownWords {
    /// Returns the whole address, the part before the `@` with and without a `+` suffix, and the domain with and without its last
    /// labels.
    pub(super) fn from_email(email: &EmailAddress) -> Self {
        let whole = email.as_str();
        let (local, domain) = whole.split_once('@').unwrap_or((whole, ""));
        let bare = local.split('+').next().unwrap_or(local);
        let domains = domain.match_indices('.').map(|(at, _)| domain.get(..at).unwrap_or(domain));
        Self::new([whole, local, bare, domain].into_iter().chain(domains))
    }

    /// Returns the shop's name and its beginnings, word by word, since people leave out "Ltd." and "Inc.".
    pub(super) fn from_shop(name: &str) -> Self {
        let beginnings =
            name.match_indices(char::is_whitespace).map(|(at, _)| name.get(..at).unwrap_or(name));
        Self::new([name].into_iter().chain(beginnings))
    }

    fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let squeezed = names.map(|name| squeeze(&fold(name)).to_string());
        Self(squeezed.filter(|name| !name.is_empty()).collect())
    }

    /// Whether the folded password is one of the words, also with digits and punctuation around it, or repeated.
    pub(super) fn match_password(&self, folded: &str) -> bool {
        let password = squeeze(folded);
        self.0.iter().any(|word| {
            password.as_str() == word
                || repeats(&password, word)
                || repeats(without_digits_around(&password), without_digits_around(word))
        })
    }
}

fn without_digits_around(squeezed: &str) -> &str {
    squeezed.trim_matches(char::is_numeric)
}

fn repeats(text: &str, word: &str) -> bool {
    word.chars().count() >= MIN_VARIED && !text.is_empty() && text.split(word).all(str::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_email(password: &str, email: &str) -> bool {
        KnownWords::from_email(&email.parse().unwrap()).match_password(&fold(password))
    }

    fn is_shop(password: &str, name: &str) -> bool {
        KnownWords::from_shop(name).match_password(&fold(password))
    }

    #[test]
    fn the_address_and_its_parts_are_told_apart_from_more() {
        for password in [
            "John.Smith+shop@Mail.Example.co.uk",
            "john.smith",
            "johnsmith1985",
            "!!John Smith!!",
            "1985johnsmith99",
            "johnsmithjohnsmith",
            "JOHN-SMITH-JOHN-SMITH-7",
            "mail.example.co.uk",
            "mail.example1",
            "ｊｏｈｎｓｍｉｔｈ",
        ] {
            assert!(is_email(password, "john.smith+shop@mail.example.co.uk"), "{password}");
        }
        for password in ["johnsmith likes tea", "john the smith", "smithjohn", "12345678", "!!!!!!!!"] {
            assert!(!is_email(password, "john.smith+shop@mail.example.co.uk"), "{password}");
        }
    }

    #[test]
    fn names_with_digits_and_without_letters() {
        assert!(is_email("john1985!", "john1985@example.com"));
        assert!(is_email("john2000!", "john1985@example.com"));
        assert!(is_email("0171 2345678", "01712345678@example.com"));
        assert!(!is_email("0171 2345679", "01712345678@example.com"));
        assert!(!is_email("a4711b0815", "a@b.cd"));
        assert!(is_email("!!! a !!!", "a@b.cd"));
        assert!(!is_shop("any password", "🦀🦀"));
        assert!(!is_shop("any password", ""));
    }

    #[test]
    fn the_shop_is_known_by_the_beginning_of_its_name() {
        for password in ["Demo Shop GmbH", "demoshop", "demo2026", "DemoDemoDemo!", "…demo-shop…"] {
            assert!(is_shop(password, "Demo Shop GmbH"), "{password}");
        }
        for password in ["shopdemo", "a demo of shopping", "gmbh gmbh"] {
            assert!(!is_shop(password, "Demo Shop GmbH"), "{password}");
        }
        assert!(is_shop("東京書店2026年1", "東京書店2026年"));
        assert!(is_shop("クルー店クルー店", "クルー店"));
    }
}
