//! The blocklist of common passwords. NIST SP 800-63B-4 §3.1.1.2 asks for a list of those that are guessed before throttling stops
//! an attacker, OWASP ASVS 5.0 (6.2.4) for the 3,000 most common ones that the policy would accept.
//!
//! The list is a minimal automaton in the program's read-only data (see `blocklist/NOTICE.md` for its sources). Nothing is read or
//! built at start; a look-up walks the password's bytes once and allocates nothing.

use std::{collections::BTreeSet, sync::LazyLock};

use fst::Set;

use super::{
    PasswordPolicy,
    folding::{fold, squeeze},
};

#[expect(clippy::expect_used, reason = "the list is part of the program, and a test reads all of it")]
static COMMON: LazyLock<Set<&'static [u8]>> =
    LazyLock::new(|| Set::new(&include_bytes!("blocklist/common.fst")[..]).expect("the list is sound"));

/// Whether the folded password is on the list, also when it is repeated, has a usual ending, or has spaces and punctuation in it. The
/// whole password is compared, as NIST requires, not its parts.
pub(super) fn contains(folded: &str) -> bool {
    let squeezed = squeeze(folded);
    [folded, without_ending(folded), &squeezed, without_ending(&squeezed)].into_iter().any(is_listed)
}

fn is_listed(text: &str) -> bool {
    COMMON.contains(text) || repeated(text).any(|unit| COMMON.contains(unit))
}

/// Removes what people append to a common password to satisfy composition rules (`Password123!`): at most two signs and four digits.
fn without_ending(text: &str) -> &str {
    let is_sign = |letter: char| !letter.is_alphanumeric();
    trim_end(trim_end(text, 2, is_sign), 4, char::is_numeric)
}

fn trim_end(text: &str, max: usize, is_trimmed: impl Fn(char) -> bool) -> &str {
    (0..max).fold(text, |text, _| text.strip_suffix(&is_trimmed).unwrap_or(text))
}

/// Returns the parts whose repetition is the text, if they are long enough for the list.
fn repeated(folded: &str) -> impl Iterator<Item = &str> {
    let half = folded.len() / 2;
    (PasswordPolicy::LEAST_MIN_LENGTH..=half).filter_map(move |length| {
        let (unit, rest) = folded.split_at_checked(length)?;
        (rest.len() % length == 0 && rest.as_bytes().chunks(length).all(|part| part == unit.as_bytes()))
            .then_some(unit)
    })
}

/// Builds a list of these passwords: folded, each once, without those that are too short for every policy.
///
/// # Errors
/// When the automaton can't be built.
pub fn build<'a>(passwords: impl IntoIterator<Item = &'a str>) -> Result<Vec<u8>, fst::Error> {
    let folded = passwords.into_iter().map(|password| fold(password).to_string());
    let long_enough = |password: &String| password.chars().count() >= PasswordPolicy::LEAST_MIN_LENGTH;
    let sorted: BTreeSet<String> = folded.filter(long_enough).collect();
    Ok(Set::from_iter(sorted)?.into_fst().into_inner())
}

#[cfg(test)]
mod tests {
    use fst::Streamer;

    use super::*;

    #[test]
    fn the_list_is_sound_folded_and_long_enough_for_its_purpose() {
        COMMON.as_fst().verify().unwrap();
        let mut entries = COMMON.stream();
        while let Some(entry) = entries.next() {
            let entry = str::from_utf8(entry).unwrap();
            assert_eq!(fold(entry).as_str(), entry);
            assert!(entry.chars().count() >= PasswordPolicy::LEAST_MIN_LENGTH, "{entry}");
        }
        // ASVS 5.0, 6.2.4, several times over.
        assert!(COMMON.len() > 20_000, "{}", COMMON.len());
    }

    #[test]
    fn what_is_built_is_found_and_nothing_else() {
        let list = Set::new(build(["Password", "short", "ＰＡＳＳＷＯＲＤ", "trustno1!"]).unwrap()).unwrap();
        assert_eq!(list.stream().into_strs().unwrap(), ["password", "trustno1!"]);
    }

    #[test]
    fn an_ending_is_four_digits_and_two_signs_at_most() {
        for (text, rest) in [
            ("password123!", "password"),
            ("p@ssw0rd1234?!", "p@ssw0rd"),
            ("password12345", "password1"),
            ("password!!!", "password!"),
            ("password1!x", "password1!x"),
            ("pässwörd٢٣", "pässwörd"),
            ("1!", ""),
        ] {
            assert_eq!(without_ending(text), rest, "{text}");
        }
    }

    #[test]
    fn a_repetition_is_taken_apart_between_characters_only() {
        assert_eq!(repeated("passwordpassword").collect::<Vec<_>>(), ["password"]);
        assert_eq!(repeated("ééééééééé").count(), 0);
        assert_eq!(repeated("passwordpasswor").count(), 0);
    }
}
