use std::fmt;

use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::KeyRing;
use crate::{ids::ResetId, random::RandomSource};

/// What stands for a reset's token where the link can't be opened: short enough to be typed from another screen. It is 8
/// characters of 21, 35 bits, which resist guessing over the network alone: guesses are counted by account, see
/// [`CodeRules`](crate::resets::CodeRules).
#[derive(Clone)]
pub struct ResetCode(Zeroizing<String>);

/// No vowels, so that no code is a word (RFC 8628 §6.1, whose own example has 34.5 bits); and none of 0 and O, 1 and I and L,
/// 2 and Z, 5 and S, 8 and B, and no G, which looks like 6, nor U, which looks like V.
const ALPHABET: &[u8; 21] = b"CDFHJKMNPQRTVWXY34679";
/// A regular expression (of ECMA 262, to stand in a larger one) of codes as they are usually typed, for the API's reference.
pub const CODE_PATTERN: &str = "([CDFHJKMNPQRTVWXYcdfhjkmnpqrtvwxy34679][ -]?){8}";
/// Characters of a code.
const LENGTH: usize = 8;
/// Characters of what is read as a code, at most, spaces and dashes among them.
const LONGEST: usize = 32;

impl ResetCode {
    /// A new code, each of the characters equally likely.
    #[must_use]
    pub fn generate(random: &dyn RandomSource) -> Self {
        let mut code = Zeroizing::new(String::with_capacity(LENGTH));
        let mut drawn = Zeroizing::new([0_u8]);
        while code.len() < LENGTH {
            random.fill(drawn.as_mut_slice());
            let [byte] = *drawn;
            // Bytes from 252 on are thrown away: 252 is the largest multiple of 21 in a byte, so `% 21` stays uniform.
            if byte < 252
                && let Some(&letter) = ALPHABET.get(usize::from(byte % 21))
            {
                code.push(char::from(letter));
            }
        }
        Self(code)
    }

    /// Reads a code as people type or paste it: in any case, with spaces and dashes anywhere, in full-width letters and an Arabic
    /// keyboard's digits too, with `U` for `V` and `G` for `6`, which no code has. `None` unless it then has the shape of a generated
    /// one: that is no guess.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.chars().nth(LONGEST).is_some() {
            return None;
        }
        let mut code = Zeroizing::new(String::with_capacity(LONGEST * 4));
        code.extend(typed.nfkc().filter(|letter| !is_separator(*letter)).map(meant));
        let shaped = code.len() == LENGTH && code.bytes().all(|letter| ALPHABET.contains(&letter));
        shaped.then_some(Self(code))
    }

    /// The code as people are shown it, in two halves: `CDFH-JKMN`.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let (one, other) = self.0.split_at_checked(LENGTH / 2).unwrap_or((&self.0, ""));
        Zeroizing::new(format!("{one}-{other}"))
    }

    /// The form to store, under the ring's current key: HMAC-SHA-256, bound to the reset. A plain digest of 35 bits would be
    /// reversed in a minute by whoever has a copy of the database.
    #[must_use]
    pub fn digest(&self, reset: ResetId, keys: &KeyRing) -> CodeDigest {
        self.digests(reset, keys).into_iter().next().unwrap_or(CodeDigest([0; 32]))
    }

    /// The forms to match on, under each key of the ring.
    #[must_use]
    pub fn digests(&self, reset: ResetId, keys: &KeyRing) -> Vec<CodeDigest> {
        keys.codes(&[reset.as_str().as_bytes(), self.0.as_bytes()]).into_iter().map(CodeDigest).collect()
    }
}

/// Spaces and dashes, the one that a Japanese keyboard makes of `-` among them; and what is pasted along unseen from a mail: soft
/// hyphens, joiners, marks and isolates of direction.
fn is_separator(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(letter, '-' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}')
        || matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The character of a code that was meant. Of the look-alikes only two have one: the others look like each other.
fn meant(letter: char) -> char {
    let digit = |zero: u32| char::from_digit(u32::from(letter) - zero, 10).unwrap_or(letter);
    match letter.to_ascii_uppercase() {
        'U' => 'V',
        'G' => '6',
        '\u{660}'..='\u{669}' => digit(0x660),
        '\u{6f0}'..='\u{6f9}' => digit(0x6f0),
        other => other,
    }
}

impl fmt::Debug for ResetCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResetCode(…)")
    }
}

/// The keyed digest of a [`ResetCode`]: what stores keep and match on.
#[derive(Clone, Copy)]
pub struct CodeDigest([u8; 32]);

impl CodeDigest {
    /// The digest's 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A digest read back from a store; `None` unless it is 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// Compares in constant time.
impl PartialEq for CodeDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for CodeDigest {}

impl fmt::Debug for CodeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeDigest(…)")
    }
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
