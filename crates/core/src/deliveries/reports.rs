//! Reports on a mail that come after a relay has accepted it: bounces, delays and complaints.

use async_trait::async_trait;
use time::OffsetDateTime;

use super::{MailName, Reply};
use crate::{email::EmailAddress, error::StoreError, ids::EventId, scope::Mode};

/// What a report says of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum ReportKind {
    /// It could not be delivered, and nobody tries again.
    Bounced,
    /// It could not be delivered yet; the reporter tries again.
    Delayed,
    /// Its reader called it spam.
    Complained,
}

/// A report on a mail, as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What it says.
    pub kind: ReportKind,
    /// The host name of the mail server, or the name of the provider, that reports.
    pub reporter: Option<String>,
    /// The codes of the receiving server.
    pub reply: Option<Reply>,
    /// Its text: at most 512 characters, without addresses.
    pub detail: Option<String>,
}

/// A report that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReport {
    /// The delivery that it is about.
    pub delivery: EventId,
    /// What it says.
    pub report: Report,
    /// The addresses that it names, if the one that the mail went to gets no mail any more.
    pub suppress: Vec<EmailAddress>,
}

/// A report that was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedReport {
    /// What it says.
    pub report: Report,
    /// When it came.
    pub received_at: OffsetDateTime,
}

/// The result of [`ReportStore::record_report`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is recorded.
    New {
        /// Which mail it is about.
        mail: MailName,
        /// Test or live.
        mode: Mode,
    },
    /// A report of this kind was recorded before; nothing has changed.
    Repeated,
    /// A mailer has the mail, so that it is not known yet whether it was sent: the report is to come again.
    Unsettled,
    /// The ledger has no such delivery, it was deleted, or no relay has accepted its mail.
    Unknown,
}

/// The port to the database for reports on mails.
#[async_trait]
pub trait ReportStore: Send + Sync + 'static {
    /// Records a report on a mail that was sent, the first of each kind. A mail that bounced is `bounced` from then on, with the report's
    /// codes. The present address of its customer is suppressed if it is one of those in `suppress`: a report can name addresses
    /// that others have, or that mails are forwarded to.
    async fn record_report(&self, report: &NewReport) -> Result<Recorded, StoreError>;
}

impl ReportKind {
    /// Returns the kind as in the stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Parses [`ReportKind::as_str`]'s form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_stored_by_their_names() {
        for (kind, name) in [
            (ReportKind::Bounced, "bounced"),
            (ReportKind::Delayed, "delayed"),
            (ReportKind::Complained, "complained"),
        ] {
            assert_eq!((kind.as_str(), ReportKind::parse(name)), (name, Some(kind)));
        }
        assert_eq!(ReportKind::parse("opened"), None);
    }
}
