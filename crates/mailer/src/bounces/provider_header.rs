use rekey_core::ids::EventId;
use rekey_runtime::config::Bounces;

/// A header with the delivery's id, which a provider repeats in its reports. The others repeat the Message-ID or the envelope's
/// sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderHeader {
    /// Postmark gives mails an id of its own.
    Postmark,
    /// SendGrid leaves the Message-ID out of complaints, and removes this header.
    Sendgrid,
}

impl ProviderHeader {
    /// Returns the headers for the providers that are configured.
    #[must_use]
    pub fn for_settings(settings: &Bounces) -> Vec<Self> {
        let postmark = settings.postmark_login.is_some().then_some(Self::Postmark);
        let sendgrid = settings.sendgrid_public_key.is_some().then_some(Self::Sendgrid);
        postmark.into_iter().chain(sendgrid).collect()
    }

    /// Returns the line of the header.
    pub(crate) fn line(self, delivery: EventId) -> String {
        match self {
            Self::Postmark => format!("X-PM-Metadata-rekey: {delivery}\r\n"),
            Self::Sendgrid => format!("X-SMTPAPI: {{\"unique_args\":{{\"rekey\":\"{delivery}\"}}}}\r\n"),
        }
    }
}
