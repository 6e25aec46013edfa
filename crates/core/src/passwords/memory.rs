use std::sync::{Arc, Mutex, PoisonError};

use argon2::Block;

/// The memory of one hashing thread. What today's hashes need it keeps from one to the next. A foreign hash may need more: of
/// those, one at a time is computed in the whole pool, so that the pool's memory is its threads' and one such hash's.
pub(super) struct Memory {
    blocks: Vec<Block>,
    own: usize,
    turn: Arc<Mutex<()>>,
}

/// Blocks to reserve at least: glibc gives an allocation of more than 32 MiB (`DEFAULT_MMAP_THRESHOLD_MAX`) a mapping of
/// its own, which goes back to the system when it is freed; a smaller one may stay with the process. What is reserved
/// and not touched costs nothing.
const OWN_MAPPING: usize = 33 * 1024 * 1024 / Block::SIZE;

impl Memory {
    /// For a thread that keeps up to `own` blocks. The threads of a pool share `turn`.
    pub fn new(own: usize, turn: Arc<Mutex<()>>) -> Self {
        Self { blocks: Vec::new(), own, turn }
    }

    /// Works on that many blocks, with whatever is in them.
    pub fn with_blocks<T>(&mut self, needed: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
        if needed > self.own {
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            return work(&mut allocate(needed));
        }
        if self.blocks.len() < needed {
            self.release();
            self.blocks = allocate(needed);
        }
        work(&mut self.blocks)
    }

    /// Does work that allocates that many octets itself.
    pub fn beside<T>(&self, octets: u64, work: impl FnOnce() -> T) -> T {
        let large = octets > (self.own * Block::SIZE) as u64;
        let _turn = large.then(|| self.turn.lock().unwrap_or_else(PoisonError::into_inner));
        work()
    }

    /// Gives the blocks back to the system.
    pub fn release(&mut self) {
        self.blocks = Vec::new();
    }
}

fn allocate(needed: usize) -> Vec<Block> {
    let mut blocks = Vec::with_capacity(needed.max(OWN_MAPPING));
    blocks.resize(needed, Block::default());
    blocks
}
