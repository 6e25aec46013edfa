//! SendGrid: JSON lists of events, signed with ECDSA (docs.sendgrid.com, "Event Webhook Security Features").

use base64::{Engine, engine::general_purpose::STANDARD};
use rekey_core::deliveries::reports::ReportKind;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;

use super::{
    feed::{FeedError, Webhook, parse},
    notice::Notice,
};

/// The header with the signature, ASN.1 in base64.
pub(super) const SIGNATURE: &str = "X-Twilio-Email-Event-Webhook-Signature";
/// The header with the time that is signed before the body.
pub(super) const TIMESTAMP: &str = "X-Twilio-Email-Event-Webhook-Timestamp";

#[derive(Deserialize)]
struct Item {
    event: String,
    email: Option<String>,
    reason: Option<String>,
    response: Option<String>,
    status: Option<String>,
    #[serde(rename = "smtp-id")]
    smtp_id: Option<String>,
    /// The delivery's id, of the header `X-SMTPAPI`.
    rekey: Option<String>,
}

/// Reads a request that was signed for this public key, an uncompressed point.
///
/// # Errors
/// See [`FeedError`].
pub fn webhooks(
    key: &[u8],
    timestamp: &str,
    signature: &str,
    body: &[u8],
) -> Result<Vec<Webhook>, FeedError> {
    let signed = [timestamp.as_bytes(), body].concat();
    let signature = STANDARD.decode(signature).unwrap_or_default();
    if UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key).verify(&signed, &signature).is_err() {
        return Err(FeedError::Refused("the signature is not for bounces.sendgrid_public_key"));
    }
    // Events of other programs may have arguments of the same names with other types: these are not ours.
    let items = parse::<Vec<Value>>(body)?.into_iter();
    Ok(items.filter_map(|item| webhook(serde_json::from_value(item).ok()?)).collect())
}

fn webhook(item: Item) -> Option<Webhook> {
    let (kind, text) = match item.event.as_str() {
        // Also of the type "blocked": it is not tried again.
        "bounce" | "dropped" => (ReportKind::Bounced, item.reason),
        "deferred" => (ReportKind::Delayed, item.response.or(item.reason)),
        "spamreport" => (ReportKind::Complained, Some("complaint".to_owned())),
        _ => return None,
    };
    let notice = Notice {
        kind,
        reporter: Some("sendgrid".to_owned()),
        status: item.status,
        text: text.unwrap_or_default(),
        addresses: item.email.into_iter().collect(),
    };
    Some(Webhook { sender: None, ids: item.rekey.into_iter().chain(item.smtp_id).collect(), notice })
}

#[cfg(test)]
mod tests;
