use argon2::Block;

/// The memory of one hashing thread. It keeps what hashes with the configured parameters need.
pub(super) struct Memory {
    blocks: Vec<Block>,
    kept: usize,
}

/// The minimum number of blocks of 1 KiB to reserve, 33 MiB. glibc gives an allocation of more than 32 MiB (`DEFAULT_MMAP_THRESHOLD_MAX`) its own
/// mapping, which is returned to the system when freed; a smaller one may stay with the process. Reserved memory that is not touched
/// costs nothing.
const MIN_RESERVED: usize = 33_792;

impl Memory {
    /// Makes the memory of a thread that keeps up to `kept` blocks.
    pub fn new(kept: usize) -> Self {
        Self { blocks: Vec::new(), kept }
    }

    /// Runs `work` with that many blocks, which are not cleared. More than are kept are freed afterwards.
    pub fn with_blocks<T>(&mut self, needed: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
        if needed > self.kept {
            return work(&mut allocate(needed));
        }
        if self.blocks.len() < needed {
            self.release();
            self.blocks = allocate(needed);
        }
        work(&mut self.blocks)
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
