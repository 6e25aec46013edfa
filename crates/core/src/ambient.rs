//! Time and randomness, passed in wherever they are needed.

use rand::Rng;
use time::{Duration, OffsetDateTime};

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The current time, UTC, in whole microseconds: the finest that every store keeps.
    fn now(&self) -> OffsetDateTime;
}

/// Where unpredictable bytes come from. Implementations are cryptographically secure, except in tests.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `buffer` with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
    fn now(&self) -> OffsetDateTime {
        to_microseconds(OffsetDateTime::now_utc())
    }
}

/// The thread's generator, seeded and reseeded by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for randomness")]
    fn fill(&self, buffer: &mut [u8]) {
        rand::rng().fill_bytes(buffer);
    }
}

/// Cuts a time to whole microseconds, PostgreSQL's resolution, so that a value read back equals the one written.
#[must_use]
pub fn to_microseconds(at: OffsetDateTime) -> OffsetDateTime {
    at - Duration::nanoseconds(i64::from(at.nanosecond() % 1_000))
}

/// A time as microseconds since 1970, in which it is kept and carried where it is a number.
#[must_use]
pub fn to_unix_microseconds(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

/// Reads [`to_unix_microseconds`] back; `None` beyond the years that a time can have.
#[must_use]
pub fn from_unix_microseconds(microseconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(microseconds) * 1_000).ok()
}

/// The letters and digits, ASCII.
const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Fills `buffer` with letters and digits, each of the 62 equally likely (5.95 bits a character).
pub fn fill_alphanumeric(entropy: &dyn Entropy, buffer: &mut [u8]) {
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
                    entropy.fill(&mut pool);
                    unused = pool.iter();
                }
            }
        };
    }
}

fn alphanumeric(byte: u8) -> u8 {
    ALPHANUMERIC.get(usize::from(byte % 62)).copied().unwrap_or(b'A')
}
