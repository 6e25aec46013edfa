//! The events of SES (docs.aws.amazon.com/ses, "Contents of notifications").

use rekey_core::deliveries::reports::ReportKind;
use serde::Deserialize;

use super::super::{
    feed::{FeedError, Webhook, parse},
    notice::{Notice, is_complaint},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
    mail: Option<Mail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: String,
    #[serde(default)]
    bounced_recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    #[serde(default)]
    complained_recipients: Vec<Recipient>,
    complaint_feedback_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: String,
    action: Option<String>,
    status: Option<String>,
    diagnostic_code: Option<String>,
}

#[derive(Default, Deserialize)]
struct Mail {
    source: Option<String>,
    #[serde(default)]
    headers: Vec<Header>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

/// Reads an event. One of another kind, such as a delivery, gives none.
///
/// # Errors
/// See [`FeedError`].
pub fn webhooks(message: &[u8]) -> Result<Vec<Webhook>, FeedError> {
    // A topic's first message is a plain text.
    if !message.starts_with(b"{") {
        return Ok(Vec::new());
    }
    let event: Event = parse(message)?;
    let notices = match (event.bounce, event.complaint) {
        (Some(bounce), _) => bounced(bounce),
        (None, Some(complaint)) => complained(complaint),
        (None, None) => Vec::new(),
    };
    let Mail { source: sender, headers } = event.mail.unwrap_or_default();
    let message_id = headers.into_iter().find(|header| header.name.eq_ignore_ascii_case("Message-ID"));
    let ids: Vec<_> = message_id.map(|header| header.value).into_iter().collect();
    let webhook = |notice| Webhook { sender: sender.clone(), ids: ids.clone(), notice };
    Ok(notices.into_iter().map(webhook).collect())
}

/// An automatic reply counts as transient at SES, and has no action.
fn bounced(bounce: Bounce) -> Vec<Notice> {
    let is_permanent = bounce.bounce_type == "Permanent";
    let notices = bounce.bounced_recipients.into_iter().map(|recipient| {
        let is_final = is_permanent || recipient.action.as_deref() == Some("failed");
        let said = recipient.diagnostic_code.unwrap_or_default();
        Notice {
            kind: if is_final { ReportKind::Bounced } else { ReportKind::Delayed },
            reporter: Some("ses".to_owned()),
            status: recipient.status,
            text: said.trim_start_matches("smtp;").trim_start().to_owned(),
            addresses: vec![recipient.email_address],
        }
    });
    notices.collect()
}

fn complained(complaint: Complaint) -> Vec<Notice> {
    let kind = complaint.complaint_feedback_type.unwrap_or_else(|| "abuse".to_owned());
    if !is_complaint(&kind) {
        return Vec::new();
    }
    let addresses =
        complaint.complained_recipients.into_iter().map(|recipient| recipient.email_address).collect();
    vec![Notice {
        kind: ReportKind::Complained,
        reporter: Some("ses".to_owned()),
        status: None,
        text: format!("complaint: {kind}"),
        addresses,
    }]
}
