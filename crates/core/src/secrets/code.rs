use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::KeyRing;
use crate::{
    ids::ResetId,
    newtypes::{digest_newtype, redacted_debug},
    random::{RandomSource, fill_from},
};

/// A short code that replaces a reset's token where the link can't be opened: short enough to type it from another screen. It has 8
/// characters of 21, which is 35 bits: enough against guessing over the network only, where guesses are counted by account, see
/// [`CodeRules`](crate::resets::CodeRules).
#[derive(Clone)]
pub struct ResetCode(Zeroizing<String>);

/// No vowels, so that no code is a word (RFC 8628 §6.1, whose own example has 34.5 bits); and none of 0 and O, 1 and I and L,
/// 2 and Z, 5 and S, 8 and B, and no G, which looks like 6, nor U, which looks like V.
const ALPHABET: &[u8; 21] = b"CDFHJKMNPQRTVWXY34679";
/// A regular expression (ECMA 262) that matches codes as they are usually typed, for the API reference; part of a larger one.
pub const CODE_PATTERN: &str = "([CDFHJKMNPQRTVWXYcdfhjkmnpqrtvwxy34679][ -]?){8}";
/// The length of a code.
const LENGTH: usize = 8;
/// The most characters that are read as a code, with spaces and dashes.
const MAX_TYPED_LENGTH: usize = 32;

impl ResetCode {
    /// Generates a code, each of the characters equally likely.
    #[must_use]
    pub fn generate(random: &dyn RandomSource) -> Self {
        let mut code = Zeroizing::new([0; LENGTH]);
        fill_from(ALPHABET, random, code.as_mut_slice());
        Self(Zeroizing::new(code.iter().copied().map(char::from).collect()))
    }

    /// Parses a code as people type or paste it: in any case, with spaces and dashes anywhere, in full-width letters, with the digits of
    /// an Arabic keyboard, with `U` for `V` and `G` for `6`, which no code has. Returns `None`, which does not count as a guess, unless
    /// the result has the form of a generated code.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.chars().nth(MAX_TYPED_LENGTH).is_some() {
            return None;
        }
        let mut code = Zeroizing::new(String::with_capacity(MAX_TYPED_LENGTH * 4));
        code.extend(typed.nfkc().filter(|letter| !is_separator(*letter)).map(to_code_character));
        let is_valid = code.len() == LENGTH && code.bytes().all(|letter| ALPHABET.contains(&letter));
        is_valid.then_some(Self(code))
    }

    /// Returns the code as it is shown to people, in two halves: `CDFH-JKMN`.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let (first, second) = self.0.split_at_checked(LENGTH / 2).unwrap_or((&self.0, ""));
        Zeroizing::new(format!("{first}-{second}"))
    }

    /// Returns the digest to store: HMAC-SHA-256 under the ring's current key, bound to the reset. A plain digest of 35 bits could be
    /// reversed in a minute by anybody with a copy of the database.
    #[must_use]
    pub fn digest(&self, reset: ResetId, keys: &KeyRing) -> CodeDigest {
        CodeDigest(keys.mac(|key| &key.codes, &[reset.as_str().as_bytes(), self.0.as_bytes()]))
    }

    /// Returns the digests to compare with, one for each key of the ring.
    #[must_use]
    pub fn digests(&self, reset: ResetId, keys: &KeyRing) -> Vec<CodeDigest> {
        let macs = keys.macs(|key| &key.codes, &[reset.as_str().as_bytes(), self.0.as_bytes()]);
        macs.into_iter().map(CodeDigest).collect()
    }
}

/// Whether a character may stand between those of a code: spaces and dashes, with the one that a Japanese keyboard makes of `-`; and
/// invisible characters that come along when text is pasted from a mail: soft hyphens, joiners, direction marks and isolates.
fn is_separator(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(letter, '-' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}')
        || matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Returns the character of a code that was meant. Only two look-alikes have one: the others look like each other.
fn to_code_character(letter: char) -> char {
    let digit = |zero: u32| char::from_digit(u32::from(letter) - zero, 10).unwrap_or(letter);
    match letter.to_ascii_uppercase() {
        'U' => 'V',
        'G' => '6',
        '\u{660}'..='\u{669}' => digit(0x660),
        '\u{6f0}'..='\u{6f9}' => digit(0x6f0),
        other => other,
    }
}

redacted_debug!(ResetCode);

digest_newtype! {
    /// The keyed digest of a [`ResetCode`], which stores keep and compare.
    CodeDigest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        ids::OrganizationId,
        random::OsRandom,
        secrets::{ResetToken, SealedCode, keyring::tests::key},
    };

    fn ring(keys: &[(&str, u8)]) -> KeyRing {
        let keys: Vec<_> = keys.iter().map(|(id, seed)| (*id, key(*seed))).collect();
        KeyRing::new(keys.iter().map(|(id, key)| (*id, key))).unwrap()
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let (keys, reset) = (ring(&[("a", 1)]), ResetId::generate(&OsRandom));
        let code = ResetCode::parse("CDFH-JK34").unwrap();
        assert_eq!(code.expose().as_str(), "CDFH-JK34");
        for typed in [
            "cdfhjk34",
            " cdfh jk34 ",
            "C-D-F-H-J-K-3-4",
            "cdfh\u{2013}jk34",
            "ＣＤＦＨＪＫ３４\n",
            "ｃｄｆｈーｊｋ３４",
            "\u{2068}CDFH-JK34\u{2069}\u{200f}",
            "cdfh-jk\u{663}\u{664}",
            "cdfh-jk\u{6f3}\u{6f4}",
        ] {
            let read = ResetCode::parse(typed).unwrap_or_else(|| panic!("{typed}"));
            assert_eq!(read.digest(reset, &keys), code.digest(reset, &keys), "{typed}");
        }
    }

    #[test]
    fn a_look_alike_is_read_as_what_was_shown() {
        for (typed, meant) in [("cufh-jk3g", "CVFH-JK36"), ("ＧＵ３４ＣＤＦＨ", "6V34-CDFH")] {
            assert_eq!(ResetCode::parse(typed).unwrap().expose().as_str(), meant);
        }
    }

    #[test]
    fn the_pattern_has_every_character_in_both_cases() {
        for &letter in ALPHABET {
            for letter in [letter, letter.to_ascii_lowercase()] {
                assert!(CODE_PATTERN.contains(char::from(letter)));
            }
        }
        assert_eq!(CODE_PATTERN.len(), "([][ -]?){8}".len() + 2 * ALPHABET.len() - 5);
    }

    #[test]
    fn token_type_other_shapes_are_no_codes() {
        let token = ResetToken::generate(&OsRandom);
        let long = format!("CDFHJK34{}", " ".repeat(30));
        for text in [
            "",
            "CDFHJK3",
            "CDFHJK345",
            "CDFHJK30",
            "CDFHJK3\0",
            "CDFHJK3%",
            "--------",
            token.expose(),
            &long,
        ] {
            assert!(ResetCode::parse(text).is_none(), "{text:?}");
        }
        assert!(ResetToken::parse("CDFHJK34").is_none());
    }

    #[test]
    fn a_digest_is_of_the_code_the_reset_and_the_key_and_survives_a_rotation() {
        let (old, new) = (ring(&[("old", 1)]), ring(&[("new", 2), ("old", 1)]));
        let (reset, code) = (ResetId::generate(&OsRandom), ResetCode::generate(&OsRandom));
        let digest = code.digest(reset, &old);
        assert!(code.digests(reset, &new).contains(&digest));
        assert!(!code.digests(ResetId::generate(&OsRandom), &new).contains(&digest));
        assert!(!code.digests(reset, &ring(&[("new", 2)])).contains(&digest));
        assert!(!ResetCode::generate(&OsRandom).digests(reset, &new).contains(&digest));
    }

    #[test]
    fn a_sealed_code_opens_for_its_reset_only_and_shows_nothing() {
        let (keys, organization, reset) =
            (ring(&[("a", 1)]), OrganizationId::generate(&OsRandom), ResetId::generate(&OsRandom));
        let code = ResetCode::generate(&OsRandom);
        let sealed = SealedCode::seal(&code, organization, reset, &keys, &OsRandom);
        assert_eq!(sealed.unseal(organization, reset, &keys).unwrap().expose(), code.expose());
        assert!(sealed.unseal(organization, ResetId::generate(&OsRandom), &keys).is_err());
        assert!(!sealed.as_bytes().windows(LENGTH).any(|part| part == code.0.as_bytes()));
        assert_eq!(format!("{code:?} {:?}", code.digest(reset, &keys)), "ResetCode(…) CodeDigest(…)");
    }

    proptest! {
        #[test]
        fn every_generated_code_reads_back(seed in prop::array::uniform32(any::<u8>())) {
            let code = ResetCode::generate(&Repeated(seed, 0.into()));
            prop_assert_eq!(ResetCode::parse(&code.expose()).unwrap().expose(), code.expose());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = ResetCode::parse(&text);
        }
    }

    /// Some bytes, then all there are.
    struct Repeated([u8; 32], std::sync::atomic::AtomicUsize);

    impl RandomSource for Repeated {
        fn fill(&self, buffer: &mut [u8]) {
            for byte in buffer {
                let at = self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                *byte = self.0.get(at).copied().unwrap_or(u8::try_from(at % 256).unwrap());
            }
        }
    }
}
