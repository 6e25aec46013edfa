//! What a check has found.

use console::{Alignment, pad_str};
use serde::Serialize;

use crate::output::printable;

/// The width of the longest name of a check.
const NAME_WIDTH: usize = 26;

/// One line of `rekey doctor`.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The check's name: part and subject, such as `database.migrations`.
    pub check: String,
    pub status: Status,
    /// What is the case.
    pub found: String,
    /// What to do about it, after a warning or a failure.
    pub fix: Option<String>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    Ok,
    /// It works, and is not as it should be.
    Warn,
    /// It does not work.
    Fail,
    /// Not checked: something that it needs is missing.
    Skip,
}

impl Finding {
    pub fn ok(check: &str, found: impl Into<String>) -> Self {
        Self { check: check.to_owned(), status: Status::Ok, found: found.into(), fix: None }
    }

    pub fn warn(check: &str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check: check.to_owned(), status: Status::Warn, found: found.into(), fix: Some(fix.into()) }
    }

    pub fn fail(check: &str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check: check.to_owned(), status: Status::Fail, found: found.into(), fix: Some(fix.into()) }
    }

    pub fn skipped(check: &str, why: impl Into<String>) -> Self {
        Self { check: check.to_owned(), status: Status::Skip, found: why.into(), fix: None }
    }

    /// Returns the text for people: a line, and one for the fix. Neither is cut to the width of a terminal.
    pub fn text(&self) -> String {
        let status: &str = self.status.into();
        let check = pad_str(&self.check, NAME_WIDTH, Alignment::Left, None);
        let line = format!("{status:<4}  {check}  {}\n", printable(&self.found));
        match &self.fix {
            Some(fix) => format!("{line}      {:NAME_WIDTH$}  fix: {}\n", "", printable(fix)),
            None => line,
        }
    }
}
