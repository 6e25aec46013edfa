use std::fmt;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use subtle::ConstantTimeEq;

/// A salt, and what a password came to under it. [`fmt::Display`] writes `salt$output` in the PHC string format's Base64.
pub(super) struct Digest {
    pub salt: Vec<u8>,
    pub output: Vec<u8>,
}

/// Octets of a salt: 8 (RFC 8018 §4.1, and the least that argon2 takes) to 64.
const SALT: std::ops::RangeInclusive<usize> = 8..=64;
/// Octets of an output: 16, so that none is found by chance, to 64, SHA-512's.
const OUTPUT: std::ops::RangeInclusive<usize> = 16..=64;

/// Writes no padding, reads it with or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Digest {
    /// `None` unless both are of a usual length.
    pub fn new(salt: Vec<u8>, output: Vec<u8>) -> Option<Self> {
        (SALT.contains(&salt.len()) && OUTPUT.contains(&output.len())).then_some(Self { salt, output })
    }

    /// Reads both in Base64, as they are written in the PHC string format.
    pub fn parse(salt: &str, output: &str) -> Option<Self> {
        Self::new(decode(salt)?, decode(output)?)
    }

    /// Whether that is the output. Takes the same time for all of one length.
    pub fn is(&self, computed: &[u8]) -> bool {
        self.output.ct_eq(computed).into()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}${}", BASE64.encode(&self.salt), BASE64.encode(&self.output))
    }
}

/// Reads Base64, padded or not; passlib's variant has `.` for `+`.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.replace('.', "+")).ok()
}

/// Reads `name=number` pairs: exactly these names, each once, in any order.
pub(super) fn parameters<const N: usize>(text: &str, names: [&str; N]) -> Option<[u32; N]> {
    let mut found = [None; N];
    for pair in text.split(',') {
        let (name, value) = pair.split_once('=')?;
        let slot = found.iter_mut().zip(names).find(|(_, known)| *known == name)?.0;
        if slot.replace(number(value)?).is_some() {
            return None;
        }
    }
    let mut values = [0; N];
    for (value, found) in values.iter_mut().zip(found) {
        *value = found?;
    }
    Some(values)
}

/// Reads a decimal number: digits only.
pub(super) fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
