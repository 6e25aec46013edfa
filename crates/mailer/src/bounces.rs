//! Reports on mails that a relay has accepted: from mail servers (RFC 3464, RFC 5965) and from the webhooks of providers.
//!
//! Each source parses its form into [`Notice`]s. [`Reports`] finds their deliveries and records them.

mod callers;
mod feed;
mod listener;
pub mod mailgun;
mod notice;
pub mod postmark;
mod provider_header;
mod reference;
mod report;
pub mod sendgrid;
pub mod sns;

use std::sync::Arc;

use rekey_core::{
    deliveries::reports::{NewReport, Recorded, ReportKind, ReportStore},
    error::StoreError,
    ids::EventId,
    secrets::{KeyRing, find_bounced_delivery},
};

use self::report::NotReported;
pub use self::{
    feed::{FeedError, Webhook},
    listener::{ListenError, Listener},
    notice::Notice,
    provider_header::ProviderHeader,
    reference::name_delivery,
    sns::{Fetch, FetchError, HttpsFetch},
};
use crate::metrics::{self, Source};

/// The largest report that is read, in bytes. Mail servers return the headers of a mail, or the mail: ours have under 100 KiB.
pub const MAX_REPORT: usize = 256 << 10;

/// Records reports on mails.
#[derive(Clone)]
pub struct Reports {
    /// Where they are recorded.
    pub store: Arc<dyn ReportStore>,
    /// Verifies the addresses to which bounces go.
    pub keys: KeyRing,
}

/// A report that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ingested {
    /// The delivery that it is about.
    pub delivery: EventId,
    /// What it says.
    pub kind: ReportKind,
    /// What became of it.
    pub recorded: Recorded,
}

/// Why a mail server's report was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// Anybody can write a report, but only one on a mail of ours has its address.
    #[error(
        "no address for bounces that this deployment signed is in the report: expected the report that was sent to the mail's envelope sender, \
         b+…@mail.bounce_domain"
    )]
    Forged,
    /// It is another mail, such as an automatic reply, or reports no failure.
    #[error(transparent)]
    NotReported(#[from] NotReported),
    /// It can't be recorded now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Reports {
    /// Records what a mail server reports: a mail with a delivery status (RFC 3464) or a complaint (RFC 5965), as it was received. The
    /// address for bounces in it proves that it is about a mail of ours.
    ///
    /// # Errors
    /// See [`IngestError`].
    pub async fn ingest(&self, raw: &[u8]) -> Result<Ingested, IngestError> {
        let result = self.try_ingest(raw).await;
        metrics::count_report(
            Source::Report,
            match &result {
                Ok(ingested) => result_name(ingested.recorded),
                Err(IngestError::Forged) => "refused",
                Err(IngestError::NotReported(_)) => "ignored",
                Err(IngestError::Store(_)) => "failed",
            },
        );
        result
    }

    async fn try_ingest(&self, raw: &[u8]) -> Result<Ingested, IngestError> {
        Ok(self.record(read_report(raw, &self.keys)?).await?)
    }

    /// Records the reports of a provider, after the check of its signature. Events about other senders' mails are
    /// ignored.
    async fn record_webhooks(&self, source: Source, webhooks: Vec<Webhook>) -> Result<Answer, StoreError> {
        let mut answer = Answer::Done;
        for webhook in webhooks {
            let Some(delivery) = find_delivery(&webhook, &self.keys) else {
                metrics::count_report(source, "unknown");
                continue;
            };
            let recorded = match self.record(webhook.notice.into_report(delivery)).await {
                Ok(ingested) => ingested.recorded,
                Err(error) => {
                    metrics::count_report(source, "failed");
                    return Err(error);
                }
            };
            metrics::count_report(source, result_name(recorded));
            if recorded == Recorded::Unsettled {
                answer = Answer::ComeAgain;
            }
        }
        Ok(answer)
    }

    async fn record(&self, new: NewReport) -> Result<Ingested, StoreError> {
        let recorded = self.store.record_report(&new).await?;
        let (delivery, kind, suppress) = (new.delivery, new.report.kind, !new.suppress.is_empty());
        tracing::info!(
            %delivery,
            kind = kind.as_str(),
            reason = new.report.detail,
            is_suppressing = suppress,
            result = result_name(recorded),
            "a mail was reported"
        );
        if let (Recorded::New { mail, mode }, ReportKind::Bounced) = (recorded, kind) {
            metrics::count_outcome(mail.as_str(), mode, "bounced");
        }
        Ok(Ingested { delivery, kind, recorded })
    }
}

/// Reads what a mail server reports, as it was received, of a mail that has an address of these keys' for bounces.
///
/// # Errors
/// [`IngestError::Forged`] and [`IngestError::NotReported`].
pub fn read_report(raw: &[u8], keys: &KeyRing) -> Result<NewReport, IngestError> {
    let delivery = find_bounced_delivery(raw, keys).ok_or(IngestError::Forged)?;
    Ok(report::parse(raw)?.into_report(delivery))
}

/// Finds the delivery in what a provider repeats of its mail.
#[must_use]
pub fn find_delivery(webhook: &Webhook, keys: &KeyRing) -> Option<EventId> {
    let by_sender = webhook.sender.as_ref().and_then(|sender| find_bounced_delivery(sender.as_bytes(), keys));
    let by_id = |text: &String| text.trim_start_matches('<').split('@').next()?.parse().ok();
    by_sender.or_else(|| webhook.ids.iter().find_map(by_id))
}

/// The answer to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Done,
    ComeAgain,
}

/// Returns the name of a result for operators and their metrics.
#[must_use]
pub fn result_name(recorded: Recorded) -> &'static str {
    match recorded {
        Recorded::New { .. } => "recorded",
        Recorded::Repeated => "repeated",
        Recorded::Unsettled => "unsettled",
        Recorded::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use rekey_core::secrets::bounce_mailbox;
    use rekey_testkit::seed;

    use super::*;

    #[test]
    fn a_provider_names_the_delivery_by_the_sender_or_by_its_id() {
        let keys = seed::keys();
        let delivery: EventId = "EVENTEVEN1".parse().unwrap();
        let own = format!("{}@bounces.shop.example", bounce_mailbox(delivery, &keys));
        let forged = own.replace("b+45", "b+46");
        for (sender, ids, expected) in [
            (Some(own.as_str()), &[][..], Some(delivery)),
            (Some(&forged), &[], None),
            // A sender that looks like an id, and is none.
            (Some("newsletter@shop.example"), &["<EVENTEVEN1@shop.example>"], Some(delivery)),
            (Some("newsletter@shop.example"), &[], None),
            (None, &["20130503192659.13651.20287@mg.example.com", "EVENTEVEN1"], Some(delivery)),
        ] {
            let notice = Notice {
                kind: ReportKind::Bounced,
                reporter: None,
                status: None,
                text: String::new(),
                addresses: Vec::new(),
            };
            let ids: Vec<_> = ids.iter().map(|&id: &&str| id.to_owned()).collect();
            let webhook = Webhook { sender: sender.map(str::to_owned), ids, notice };
            assert_eq!(find_delivery(&webhook, &keys), expected, "{webhook:?}");
        }
    }
}
