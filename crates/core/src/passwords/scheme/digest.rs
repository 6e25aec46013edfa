use std::fmt;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use subtle::ConstantTimeEq;

/// A salt and the output for a password with it. [`fmt::Display`] writes `salt$output` in the PHC string format's Base64.
pub(super) struct Digest {
    pub salt: Vec<u8>,
    pub output: Vec<u8>,
}

/// The bytes of a salt: 8 (RFC 8018 §4.1, and the least that argon2 takes) to 64.
const SALT_SIZE: std::ops::RangeInclusive<usize> = 8..=64;
/// The bytes of an output: 16, so that none is found by chance, to 64, SHA-512's.
const OUTPUT_SIZE: std::ops::RangeInclusive<usize> = 16..=64;

/// Writes no padding, and reads both forms.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Digest {
    /// Makes a digest; `None` unless both have a usual length.
    pub fn new(salt: Vec<u8>, output: Vec<u8>) -> Option<Self> {
        (SALT_SIZE.contains(&salt.len()) && OUTPUT_SIZE.contains(&output.len()))
            .then_some(Self { salt, output })
    }

    /// Parses both from Base64, as in the PHC string format.
    pub fn parse(salt: &str, output: &str) -> Option<Self> {
        Self::new(decode(salt)?, decode(output)?)
    }

    /// Whether the output is `computed`; compared in constant time.
    pub fn matches(&self, computed: &[u8]) -> bool {
        self.output.ct_eq(computed).into()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}${}", BASE64.encode(&self.salt), BASE64.encode(&self.output))
    }
}

/// Decodes Base64, padded or not; passlib's variant has `.` for `+`.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.replace('.', "+")).ok()
}

/// Parses `name=number` pairs: exactly these names, each once, in any order.
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

/// Parses a decimal number: digits only.
pub(super) fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
