//! Mailgun: JSON events with HMAC-SHA-256 over a time and a token (documentation.mailgun.com, "Securing webhooks").

use rekey_core::deliveries::reports::ReportKind;
use ring::hmac;
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use super::{
    feed::{FeedError, Webhook, parse},
    notice::Notice,
};

/// How old a request may be. Mailgun repeats one for 8 hours. The signature is not over the event: whoever sees one can use it this long.
const MAX_AGE: Duration = Duration::hours(12);

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Request {
    signature: Proof,
    event_data: EventData,
}

#[derive(Deserialize)]
struct Proof {
    timestamp: String,
    token: String,
    signature: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct EventData {
    event: String,
    severity: Option<String>,
    recipient: Option<String>,
    #[serde(default)]
    delivery_status: Status,
    #[serde(default)]
    message: Message,
    #[serde(default)]
    envelope: Envelope,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Status {
    code: Option<i64>,
    enhanced_code: Option<String>,
    message: Option<String>,
    description: Option<String>,
}

#[derive(Default, Deserialize)]
struct Message {
    #[serde(default)]
    headers: Headers,
}

#[derive(Default, Deserialize)]
struct Headers {
    #[serde(rename = "message-id")]
    message_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct Envelope {
    sender: Option<String>,
}

/// Reads a request that was signed with this key.
///
/// # Errors
/// See [`FeedError`].
pub fn webhooks(key: &str, body: &[u8], now: OffsetDateTime) -> Result<Vec<Webhook>, FeedError> {
    let Request { signature, event_data: event } = parse(body)?;
    let signed = format!("{}{}", signature.timestamp, signature.token);
    let tag = hex::decode(&signature.signature).unwrap_or_default();
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    if hmac::verify(&key, signed.as_bytes(), &tag).is_err() {
        return Err(FeedError::Refused("the signature is not by bounces.mailgun_signing_key"));
    }
    let time = signature
        .timestamp
        .parse()
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    if time.is_none_or(|time| (now - time).abs() > MAX_AGE) {
        return Err(FeedError::Refused(
            "the signature is older than 12 hours, or this machine's clock is wrong",
        ));
    }
    let kind = match (event.event.as_str(), event.severity.as_deref()) {
        ("failed", Some("temporary")) => ReportKind::Delayed,
        ("failed", _) => ReportKind::Bounced,
        ("complained", _) => ReportKind::Complained,
        _ => return Ok(Vec::new()),
    };
    let Status { code, enhanced_code, message, description } = event.delivery_status;
    let said = message.filter(|text| !text.is_empty()).or(description).unwrap_or_default();
    let text = match (kind, code) {
        (ReportKind::Complained, _) => "complaint".to_owned(),
        (_, Some(code @ 400..600)) => format!("{code} {said}"),
        _ => said,
    };
    let notice = Notice {
        kind,
        reporter: Some("mailgun".to_owned()),
        status: enhanced_code.filter(|code| !code.is_empty()),
        text,
        addresses: event.recipient.into_iter().collect(),
    };
    let ids = event.message.headers.message_id.into_iter().collect();
    Ok(vec![Webhook { sender: event.envelope.sender, ids, notice }])
}

#[cfg(test)]
mod tests;
