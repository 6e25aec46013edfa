//! The passwords that many people have. NIST SP 800-63B-4 §3.1.1.2 asks for a list that covers what is guessed before
//! throttling stops it, OWASP ASVS 5.0 (6.2.4) for the commonest 3,000 that the policy would let through.
//!
//! The list is a minimal automaton in the program's read-only data (see `blocklist/NOTICE.md` for its sources): nothing is read or
//! built at start, a look-up walks the password's octets once and allocates nothing.

use std::{collections::BTreeSet, sync::LazyLock};

use fst::Set;

use super::{
    PasswordPolicy,
    folding::{fold, squeeze},
};

#[expect(clippy::expect_used, reason = "the list is part of the program, and a test reads all of it")]
static COMMON: LazyLock<Set<&'static [u8]>> =
    LazyLock::new(|| Set::new(&include_bytes!("blocklist/common.fst")[..]).expect("the list is sound"));

/// Whether that folded password is one of the list, repeated or with a usual ending, or with spaces and punctuation in between. It is
/// always the whole password that is compared, as NIST wants, not what it merely holds.
pub(super) fn contains(folded: &str) -> bool {
    let squeezed = squeeze(folded);
    [folded, without_ending(folded), &squeezed, without_ending(&squeezed)].into_iter().any(is_listed)
}

fn is_listed(text: &str) -> bool {
    COMMON.contains(text) || repeated(text).any(|unit| COMMON.contains(unit))
}

/// The text without what people put behind a common password where rules of composition asked for it (`Password123!`): two signs
/// and four digits, at most.
fn without_ending(text: &str) -> &str {
    let is_sign = |letter: char| !letter.is_alphanumeric();
    trimmed(trimmed(text, 2, is_sign), 4, char::is_numeric)
}

fn trimmed(text: &str, most: usize, is_trimmed: impl Fn(char) -> bool) -> &str {
    (0..most).fold(text, |text, _| text.strip_suffix(&is_trimmed).unwrap_or(text))
}

/// The parts that the text is made of by repeating them, where they are long enough to be on the list.
fn repeated(folded: &str) -> impl Iterator<Item = &str> {
    let most = folded.len() / 2;
    (PasswordPolicy::LEAST_MIN_LENGTH..=most).filter_map(move |length| {
        let (unit, rest) = folded.split_at_checked(length)?;
        (rest.len() % length == 0 && rest.as_bytes().chunks(length).all(|part| part == unit.as_bytes()))
            .then_some(unit)
    })
}

/// Makes a list of those passwords: folded, each once, without those that are too short for every policy.
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
