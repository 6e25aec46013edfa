//! Postmark: one JSON event, with the user and password of its URL (postmarkapp.com/developer, "Bounce webhook"). It signs nothing.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use rekey_core::deliveries::reports::ReportKind;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::{
    feed::{FeedError, Webhook, parse},
    notice::Notice,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    record_type: String,
    #[serde(rename = "Type")]
    bounce_type: Option<String>,
    details: Option<String>,
    description: Option<String>,
    email: Option<String>,
    /// With the delivery's id, of the header `X-PM-Metadata-rekey`.
    #[serde(default)]
    metadata: HashMap<String, String>,
}

/// Reads a request with this `user:password`.
///
/// # Errors
/// See [`FeedError`].
pub fn webhooks(login: &str, authorization: &str, body: &[u8]) -> Result<Vec<Webhook>, FeedError> {
    let given = authorization.strip_prefix("Basic ").and_then(|encoded| STANDARD.decode(encoded.trim()).ok());
    let is_equal = given.is_some_and(|given| login.as_bytes().ct_eq(&given).into());
    if !is_equal {
        return Err(FeedError::Refused("user and password are not those of bounces.postmark_login"));
    }
    let event: Event = parse(body)?;
    let kind = match (event.record_type.as_str(), event.bounce_type.as_deref()) {
        ("SpamComplaint", _) | ("Bounce", Some("SpamComplaint")) => ReportKind::Complained,
        ("Bounce", Some("Transient")) => ReportKind::Delayed,
        (
            "Bounce",
            Some(
                "HardBounce" | "SoftBounce" | "BadEmailAddress" | "Blocked" | "DnsError" | "SpamNotification"
                | "DMARCPolicy",
            ),
        ) => ReportKind::Bounced,
        // Automatic replies, changes of addresses, and so on.
        _ => return Ok(Vec::new()),
    };
    let said = event.details.filter(|text| !text.is_empty()).or(event.description).unwrap_or_default();
    let text = match kind {
        ReportKind::Complained => "complaint".to_owned(),
        ReportKind::Bounced | ReportKind::Delayed => said.trim_start_matches("smtp;").trim_start().to_owned(),
    };
    let notice = Notice {
        kind,
        reporter: Some("postmark".to_owned()),
        status: None,
        text,
        addresses: event.email.into_iter().collect(),
    };
    let own = event.metadata.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("rekey"));
    Ok(vec![Webhook { sender: None, ids: own.map(|(_, id)| id).into_iter().collect(), notice }])
}

#[cfg(test)]
mod tests;
