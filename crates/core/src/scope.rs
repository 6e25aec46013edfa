//! The scope that every record belongs to: one organization, in one mode.

use crate::ids::OrganizationId;

/// Test or live data: two worlds that never see each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// For trying things out; its mail never leaves, it goes to the mailbox.
    Test,
    /// For real customers.
    Live,
}

impl Mode {
    /// `test` or `live`, as on the wire and in the stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }

    /// Reads [`Mode::as_str`]'s form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "test" => Some(Self::Test),
            "live" => Some(Self::Live),
            _ => None,
        }
    }
}

/// What a record belongs to and a caller may reach: one organization's data in one mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The organization.
    pub organization: OrganizationId,
    /// Test or live.
    pub mode: Mode,
}
