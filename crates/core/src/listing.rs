//! Lists: which part of them is asked for, and what comes back.

/// One page of a list, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The page's number, at least 1.
    pub number: u32,
    /// Records on a page, 1 to [`Page::MAX_SIZE`].
    pub size: u32,
}

impl Page {
    /// Records on a page unless asked otherwise (the vendor's default).
    pub const DEFAULT_SIZE: u32 = 10;
    /// Records on a page at most (the vendor's limit).
    pub const MAX_SIZE: u32 = 25;

    /// Records before this page.
    #[must_use]
    pub fn offset(self) -> u64 {
        u64::from(self.number.saturating_sub(1)) * u64::from(self.size)
    }
}

impl Default for Page {
    fn default() -> Self {
        Self { number: 1, size: Self::DEFAULT_SIZE }
    }
}

/// What of a resource's records is asked for. Filters and sorting join the page here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Listing {
    /// Which page.
    pub page: Page,
}

/// One page of records, and how many there are in all.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    /// The page's records; none past the end.
    pub items: Vec<T>,
    /// All records that match, on every page.
    pub total: u64,
}
