use std::sync::{Arc, Mutex, PoisonError};

use argon2::Block;

/// The memory of one hashing thread. It keeps what hashes with the configured parameters need. An imported hash may need more: the
/// pool computes only one of those at a time, so that its memory is bounded by its threads' and that of one such hash.
pub(super) struct Memory {
    blocks: Vec<Block>,
    kept: usize,
    large_work: Arc<Mutex<()>>,
}

/// The minimum number of blocks to reserve. glibc gives an allocation of more than 32 MiB (`DEFAULT_MMAP_THRESHOLD_MAX`) its own
/// mapping, which is returned to the system when freed; a smaller one may stay with the process. Reserved memory that is not touched
/// costs nothing.
const MIN_RESERVED: usize = 33 * 1024 * 1024 / Block::SIZE;

impl Memory {
    /// Makes the memory of a thread that keeps up to `kept` blocks. The threads of a pool share `large_work`.
    pub fn new(kept: usize, large_work: Arc<Mutex<()>>) -> Self {
        Self { blocks: Vec::new(), kept, large_work }
    }

    /// Runs `work` with that many blocks, which are not cleared.
    pub fn with_blocks<T>(&mut self, needed: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
        if needed > self.kept {
            let _guard = self.large_work.lock().unwrap_or_else(PoisonError::into_inner);
            return work(&mut allocate(needed));
        }
        if self.blocks.len() < needed {
            self.release();
            self.blocks = allocate(needed);
        }
        work(&mut self.blocks)
    }

    /// Runs `work`, which allocates that many bytes itself.
    pub fn while_allocating<T>(&self, bytes: u64, work: impl FnOnce() -> T) -> T {
        let is_large = bytes > (self.kept * Block::SIZE) as u64;
        let _guard = is_large.then(|| self.large_work.lock().unwrap_or_else(PoisonError::into_inner));
        work()
    }

    /// Returns the blocks to the system.
    pub fn release(&mut self) {
        self.blocks = Vec::new();
    }
}

fn allocate(needed: usize) -> Vec<Block> {
    let mut blocks = Vec::with_capacity(needed.max(MIN_RESERVED));
    blocks.resize(needed, Block::default());
    blocks
}
