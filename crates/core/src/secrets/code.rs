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
/// The most characters of a text in which a code is searched: a sentence of the mail.
const MAX_TYPED_LENGTH: usize = 200;

impl ResetCode {
    /// Generates a code, each of the characters equally likely.
    #[must_use]
    pub fn generate(random: &dyn RandomSource) -> Self {
        let mut code = Zeroizing::new([0; LENGTH]);
        fill_from(ALPHABET, random, code.as_mut_slice());
        Self(Zeroizing::new(code.iter().copied().map(char::from).collect()))
    }

    /// Parses a code as people type or paste it: in any case, with spaces and dashes anywhere, in full-width letters, with the digits of
    /// an Arabic keyboard, with `U` for `V` and `G` for `6`, which no code has, and with punctuation and other words around it. Returns
    /// `None`, which does not count as a guess, unless exactly one sequence of whole words has the form of a generated code.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.chars().nth(MAX_TYPED_LENGTH).is_some() {
            return None;
        }
        let mut text = Zeroizing::new(String::with_capacity(MAX_TYPED_LENGTH * 4));
        text.extend(typed.nfkc().map(to_code_character));
        let words: Vec<_> = text.split(is_separator).filter(|word| !word.is_empty()).collect();
        let mut codes = (0..words.len()).filter_map(|start| Self::from_words(words.get(start..)?));
        let code = codes.next()?;
        codes.all(|other| other.0 == code.0).then_some(code)
    }

    /// Joins the first words to a code, if together they are one.
    fn from_words(words: &[&str]) -> Option<Self> {
        let mut code = Zeroizing::new(String::with_capacity(LENGTH));
        for word in words {
            if code.len() + word.len() > LENGTH || !word.bytes().all(|letter| ALPHABET.contains(&letter)) {
                return None;
            }
            code.push_str(word);
            if code.len() == LENGTH {
                return Some(Self(code));
            }
        }
        None
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

/// Whether a character separates words: white space, punctuation, dashes with the one that a Japanese keyboard makes of `-`, and the
/// invisible characters that come along when text is pasted from a mail.
fn is_separator(letter: char) -> bool {
    !letter.is_alphanumeric() || letter == '\u{30fc}'
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
mod tests;
