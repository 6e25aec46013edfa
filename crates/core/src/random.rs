//! Randomness, passed in wherever it is needed.

use rand::Rng;

/// A source of unpredictable bytes. Implementations are cryptographically secure, except in tests.
pub trait RandomSource: Send + Sync + 'static {
    /// Fills `buffer` with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// The thread's generator, seeded and reseeded by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandom;

impl RandomSource for OsRandom {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for randomness")]
    fn fill(&self, buffer: &mut [u8]) {
        rand::rng().fill_bytes(buffer);
    }
}

/// The letters and digits, ASCII.
const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Fills `buffer` with letters and digits, each of the 62 equally likely (5.95 bits a character).
pub fn fill_alphanumeric(random: &dyn RandomSource, buffer: &mut [u8]) {
    // Bytes from 248 on are thrown away: 248 is the largest multiple of 62 in a byte, so `% 62` stays uniform.
    const LIMIT: u8 = 248;
    let mut pool = [0_u8; 64];
    let mut unused = [].iter();
    for slot in buffer {
        *slot = loop {
            match unused.next() {
                Some(&byte) if byte < LIMIT => break alphanumeric(byte),
                Some(_) => {}
                None => {
                    random.fill(&mut pool);
                    unused = pool.iter();
                }
            }
        };
    }
}

fn alphanumeric(byte: u8) -> u8 {
    ALPHANUMERIC.get(usize::from(byte % 62)).copied().unwrap_or(b'A')
}
