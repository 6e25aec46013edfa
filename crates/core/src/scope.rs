//! The scope of a record: an organization in one mode.

use strum::{EnumString, IntoStaticStr};

use crate::ids::OrganizationId;

/// Test or live data, which never meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Mode {
    /// For tests; its mails are not sent, they go to the mailbox.
    Test,
    /// For real customers.
    Live,
}

impl Mode {
    /// Returns `test` or `live`, as on the wire and in the stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Parses [`Mode::as_str`]'s form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// One organization's data in one mode: what a record belongs to, and what a caller can access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The organization.
    pub organization: OrganizationId,
    /// Test or live.
    pub mode: Mode,
}
