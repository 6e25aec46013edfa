//! The source of randomness, passed in wherever it is needed.

use rand::Rng;
use zeroize::Zeroizing;

/// A source of unpredictable bytes. Implementations are cryptographically secure, except in tests.
pub trait RandomSource: Send + Sync + 'static {
    /// Fills `buffer` with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// The thread's generator, seeded and reseeded by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandom;

impl RandomSource for OsRandom {
    #[expect(clippy::disallowed_methods, reason = "the only place that asks the machine for randomness")]
    fn fill(&self, buffer: &mut [u8]) {
        rand::rng().fill_bytes(buffer);
    }
}

/// The letters of ASCII.
pub(crate) const LETTERS: &[u8; 52] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Fills `buffer` with ASCII letters and digits, each of the 62 equally likely (5.95 bits a character).
pub fn fill_alphanumeric(random: &dyn RandomSource, buffer: &mut [u8]) {
    fill_from(ALPHANUMERIC, random, buffer);
}

/// Fills `buffer` with characters of `alphabet`, each equally likely.
pub(crate) fn fill_from(alphabet: &[u8], random: &dyn RandomSource, buffer: &mut [u8]) {
    // A byte past the largest multiple of the alphabet's length is discarded, so that `%` stays uniform.
    let limit = 256 - 256 % alphabet.len();
    let pick = |&byte: &u8| {
        let byte = usize::from(byte);
        alphabet.get(byte % alphabet.len()).copied().filter(|_| byte < limit)
    };
    let mut pool = Zeroizing::new([0; 64]);
    let mut characters = [].iter().filter_map(pick);
    for slot in buffer {
        *slot = loop {
            if let Some(character) = characters.next() {
                break character;
            }
            random.fill(pool.as_mut_slice());
            characters = pool.iter().filter_map(pick);
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    /// Every byte in turn.
    #[derive(Default)]
    struct Counting(AtomicU8);

    impl RandomSource for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    #[test]
    fn every_character_is_equally_likely() {
        for alphabet in [&b"0123456789"[..], LETTERS, ALPHANUMERIC] {
            // Enough for the bytes twice, less those that are discarded.
            let each = 256 / alphabet.len() * 2;
            let mut text = vec![0; each * alphabet.len()];
            fill_from(alphabet, &Counting::default(), &mut text);
            let mut counts = [0; 256];
            for &character in &text {
                counts[usize::from(character)] += 1;
            }
            assert!(alphabet.iter().all(|&character| counts[usize::from(character)] == each), "{counts:?}");
        }
    }
}
