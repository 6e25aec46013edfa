//! Amazon SES: its events come as messages of SNS, signed with RSA by a certificate of Amazon's (docs.aws.amazon.com/sns, "Verifying the signatures
//! of Amazon SNS messages").

mod certificates;
mod fetch;
pub mod ses;

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use rekey_runtime::config::TopicArn;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RsaParameters,
    UnparsedPublicKey,
};
use serde::Deserialize;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use self::certificates::Certificates;
pub use self::fetch::{Fetch, FetchError, HttpsFetch};
use super::feed::{FeedError, Webhook, parse};

/// How old a message may be. SNS repeats one for an hour at most (docs.aws.amazon.com/sns, "Message delivery retries"); the rest is for clocks.
const MAX_AGE: Duration = Duration::DAY;

/// Reads the messages of the configured topics.
pub struct Sns {
    topics: Vec<TopicArn>,
    certificates: Certificates,
    fetch: Arc<dyn Fetch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SnsMessage {
    #[serde(rename = "Type")]
    kind: String,
    message_id: String,
    topic_arn: String,
    subject: Option<String>,
    message: String,
    timestamp: String,
    token: Option<String>,
    #[serde(rename = "SubscribeURL")]
    subscribe_url: Option<String>,
    signature_version: String,
    signature: String,
    #[serde(rename = "SigningCertURL")]
    signing_cert_url: String,
}

impl Sns {
    /// Reads the messages of these topics.
    pub fn new(topics: Vec<TopicArn>, fetch: Arc<dyn Fetch>) -> Self {
        Self { topics, certificates: Certificates::new(Arc::clone(&fetch)), fetch }
    }

    /// Reads a message. That of a new subscription is confirmed.
    ///
    /// # Errors
    /// See [`FeedError`].
    pub async fn webhooks(&self, body: &[u8], now: OffsetDateTime) -> Result<Vec<Webhook>, FeedError> {
        let message: SnsMessage = parse(body)?;
        let topic = self.topics.iter().find(|topic| topic.as_str() == message.topic_arn);
        let topic = topic.ok_or(FeedError::Refused("the topic is none of bounces.ses_topics"))?;
        let sent_at = OffsetDateTime::parse(&message.timestamp, &Rfc3339).ok();
        if sent_at.is_none_or(|sent_at| (now - sent_at).abs() > MAX_AGE) {
            return Err(FeedError::Refused(
                "the message is older than a day, or this machine's clock is wrong",
            ));
        }
        let algorithm: &RsaParameters = match message.signature_version.as_str() {
            "1" => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            "2" => &RSA_PKCS1_2048_8192_SHA256,
            _ => return Err(FeedError::Refused("the signature's version is neither 1 nor 2")),
        };
        let key = self.certificates.key(&message.signing_cert_url, topic, now).await?;
        let signature = STANDARD.decode(&message.signature).unwrap_or_default();
        let signed = message.signed_text();
        if UnparsedPublicKey::new(algorithm, key).verify(signed.as_bytes(), &signature).is_err() {
            return Err(FeedError::Refused("the signature is not by the certificate of Amazon SNS"));
        }
        match message.kind.as_str() {
            "Notification" => ses::webhooks(message.message.as_bytes()),
            "SubscriptionConfirmation" => self.confirm(&message, topic).await,
            _ => Ok(Vec::new()),
        }
    }

    async fn confirm(&self, message: &SnsMessage, topic: &TopicArn) -> Result<Vec<Webhook>, FeedError> {
        let url = message.subscribe_url.as_deref().and_then(|url| amazon_url(url, topic));
        let url =
            url.ok_or(FeedError::Refused("the SubscribeURL is not one of Amazon SNS in the topic's region"))?;
        self.fetch.get(&url).await.map_err(|error| FeedError::Unavailable(error.to_string()))?;
        tracing::info!(topic = topic.as_str(), "the subscription is confirmed");
        Ok(Vec::new())
    }
}

impl SnsMessage {
    /// Returns what is signed: names and values of these fields, each on a line.
    fn signed_text(&self) -> String {
        let is_notification = self.kind == "Notification";
        let fields = [
            ("Message", Some(self.message.as_str())),
            ("MessageId", Some(&self.message_id)),
            ("Subject", self.subject.as_deref().filter(|_| is_notification)),
            ("SubscribeURL", self.subscribe_url.as_deref().filter(|_| !is_notification)),
            ("Timestamp", Some(&self.timestamp)),
            ("Token", self.token.as_deref().filter(|_| !is_notification)),
            ("TopicArn", Some(&self.topic_arn)),
            ("Type", Some(&self.kind)),
        ];
        let present = fields.into_iter().filter_map(|(name, value)| Some(format!("{name}\n{}\n", value?)));
        present.collect()
    }
}

/// Parses a URL that must be one of Amazon SNS in the topic's region: nothing else is ever fetched.
fn amazon_url(text: &str, topic: &TopicArn) -> Option<url::Url> {
    let url = url::Url::parse(text).ok()?;
    let is_amazon = url.scheme() == "https"
        && url.host_str() == Some(&topic.host())
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    is_amazon.then_some(url)
}

#[cfg(test)]
mod tests;
