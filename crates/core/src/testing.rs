//! What the tests of several modules need.

use crate::{random::RandomSource, secrets::KeyRing};

/// The same byte always.
pub struct Always(pub u8);

impl RandomSource for Always {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}

/// A key for a ring, another for each seed.
pub fn key(seed: u8) -> [u8; 32] {
    std::array::from_fn(|i| seed.wrapping_mul(31).wrapping_add(u8::try_from(i).unwrap()))
}

/// A ring of keys with these ids and seeds; the first is the current one.
pub fn ring<const N: usize>(keys: [(&str, u8); N]) -> KeyRing {
    let keys = keys.map(|(id, seed)| (id, key(seed)));
    KeyRing::new(keys.iter().map(|(id, key)| (*id, key))).unwrap()
}
