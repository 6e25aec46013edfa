/// The audit log: how many entries there were.
#[derive(Debug, Default)]
pub(in crate::model) struct Audit {
    pub(in crate::model) written: u32,
    /// The first ones.
    pub(in crate::model) chained: u32,
    /// The first ones of these.
    pub(in crate::model) purged: u32,
}

impl Audit {
    pub(in crate::model) fn chain(&mut self, max: u32) -> u32 {
        let count = max.min(self.written - self.chained);
        self.chained += count;
        count
    }

    pub(in crate::model) fn purge(&mut self, max: u32) -> u32 {
        let count = max.min(self.chained - self.purged);
        self.purged += count;
        count
    }
}
