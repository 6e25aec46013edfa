//! `[bounces]`: where reports on mails come in after a relay has accepted them.

use std::net::SocketAddr;

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::SecretString;
use serde::Deserialize;

use crate::config::fields::{listen_address, text_fields};

/// The listener for reports, and what proves that they are a provider's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounces {
    /// Where to listen, if anywhere.
    #[serde(default, deserialize_with = "listen_address")]
    pub listen: Option<SocketAddr>,
    /// The topics of Amazon SNS to which SES publishes its events.
    #[serde(default, deserialize_with = "ses_topics")]
    pub ses_topics: Vec<TopicArn>,
    /// The public key of SendGrid's signatures, an uncompressed point of P-256.
    #[serde(default, deserialize_with = "sendgrid_public_key")]
    pub sendgrid_public_key: Option<Vec<u8>>,
    /// The `user:password` that Postmark sends.
    #[serde(default, deserialize_with = "postmark_login")]
    pub postmark_login: Option<SecretString>,
    /// The key of Mailgun's signatures.
    #[serde(default, deserialize_with = "mailgun_signing_key")]
    pub mailgun_signing_key: Option<SecretString>,
}

/// The name of a topic of Amazon SNS: `arn:aws:sns:REGION:ACCOUNT:NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicArn(String);

impl TopicArn {
    /// Parses a name; `None` unless it has the form of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<_> = text.split(':').collect();
        let is_word = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let ["arn", "aws" | "aws-cn" | "aws-us-gov", "sns", region, account, name] = parts.as_slice() else {
            return None;
        };
        let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        (is_word(region) && is_word(account) && !name.is_empty() && is_name(name))
            .then(|| Self(text.to_owned()))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the host name of SNS in the topic's region.
    #[must_use]
    pub fn host(&self) -> String {
        let mut parts = self.0.split(':').skip(1);
        let suffix = if parts.next() == Some("aws-cn") { ".cn" } else { "" };
        format!("sns.{}.amazonaws.com{suffix}", parts.nth(1).unwrap_or_default())
    }
}

/// The beginning of a public key of P-256 in DER (RFC 5480 §2), which the point follows.
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// The length of an uncompressed point of P-256.
const POINT: usize = 65;

text_fields! {
    ses_topics: Vec<TopicArn> = "names of SNS topics separated by commas, such as arn:aws:sns:eu-west-1:123456789012:bounces", |text| {
        text.split(',').map(|name| TopicArn::parse(name.trim())).collect()
    };
    sendgrid_public_key: Vec<u8> = "the verification key that SendGrid shows: a public key of P-256 in base64, without the lines of PEM", |text| {
        let der = STANDARD.decode(text.trim()).ok()?;
        der.strip_prefix(&P256).filter(|point| point.len() == POINT).map(<[u8]>::to_vec)
    };
    postmark_login: SecretString = "user:password, the password of 16 characters or more", |text| {
        let (user, password) = text.split_once(':')?;
        (!user.is_empty() && password.chars().count() >= 16).then(|| text.into())
    };
    mailgun_signing_key: SecretString = "the HTTP webhook signing key that Mailgun shows, of 16 characters or more", |text| {
        (text.chars().count() >= 16 && !text.contains(char::is_whitespace)).then(|| text.into())
    };
}
