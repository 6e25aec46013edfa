//! The headers by which a receiver knows that a delivery is ours and unchanged. Two dialects have the same secret: Commerce Layer's, and
//! Standard Webhooks (standardwebhooks.com).

use std::ops::RangeInclusive;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::hmac::{Context, HMAC_SHA256, Key, Tag, sign};
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// The number of bytes that a secret may have (Standard Webhooks, "Signature scheme"). Those that Rekey generates have 32.
const SECRET_BYTES: RangeInclusive<usize> = 24..=64;

/// The secrets that sign a webhook's deliveries.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Signs both dialects.
    pub current: SharedSecret,
    /// The secret before the current one, which signs Standard Webhooks' header along with it while receivers change theirs.
    pub previous: Option<SharedSecret>,
}

impl Secrets {
    /// Returns the headers that sign this body, which must be sent as it is, byte by byte.
    #[must_use]
    pub fn sign(
        &self,
        topic: &str,
        id: &str,
        sent_at: OffsetDateTime,
        body: &[u8],
    ) -> [(&'static str, String); 5] {
        let timestamp = sent_at.unix_timestamp().to_string();
        let secrets = [Some(&self.current), self.previous.as_ref()].into_iter().flatten();
        let standard: Vec<_> =
            secrets.map(|secret| format!("v1,{}", encode(secret.sign(id, &timestamp, body)))).collect();
        [
            ("x-commercelayer-topic", topic.to_owned()),
            ("x-commercelayer-signature", encode(self.current.sign_vendor(body))),
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", standard.join(" ")),
        ]
    }
}

/// A secret that a webhook's receiver knows, too: random bytes as base64. Its `Debug` shows nothing of it.
#[derive(Debug, Clone)]
pub struct SharedSecret {
    text: SecretString,
    /// The decoded bytes as a key.
    key: Key,
}

impl SharedSecret {
    /// Parses the base64 (standard alphabet, padded) of 24 to 64 bytes.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(text: &str) -> Result<Self, MalformedSecret> {
        let bytes = Zeroizing::new(STANDARD.decode(text).map_err(|_| MalformedSecret)?);
        if !SECRET_BYTES.contains(&bytes.len()) {
            return Err(MalformedSecret);
        }
        Ok(Self { text: text.into(), key: Key::new(HMAC_SHA256, &bytes) })
    }

    /// Returns the secret in the form that Standard Webhooks' libraries take, for the one answer or page that shows it.
    #[must_use]
    pub fn to_whsec(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("whsec_{}", self.text.expose_secret()))
    }

    /// Signs as Commerce Layer does: the key is the secret's text, the message the body.
    fn sign_vendor(&self, body: &[u8]) -> Tag {
        sign(&Key::new(HMAC_SHA256, self.text.expose_secret().as_bytes()), body)
    }

    /// Signs as Standard Webhooks does: the key is the secret's bytes, the message `id.timestamp.body`.
    fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> Tag {
        let mut message = Context::with_key(&self.key);
        for part in [id, ".", timestamp, "."] {
            message.update(part.as_bytes());
        }
        message.update(body);
        message.sign()
    }
}

/// A shared secret does not have its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed shared secret: expected the base64 of 24 to 64 bytes, padded")]
pub struct MalformedSecret;

fn encode(tag: Tag) -> String {
    STANDARD.encode(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The specification's own example (github.com/standard-webhooks/standard-webhooks, its libraries' tests).
    #[test]
    fn the_specifications_example_is_reproduced() {
        let current = SharedSecret::parse("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(*current.to_whsec(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let at = OffsetDateTime::from_unix_timestamp(1_614_265_330).unwrap();
        let secrets = Secrets { current, previous: None };
        let headers =
            secrets.sign("customers.create", "msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
        let expected = [
            ("x-commercelayer-topic", "customers.create"),
            // printf '{"test": 2432232314}' | openssl dgst -sha256 -hmac MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw -binary | base64
            ("x-commercelayer-signature", "XuDo49Vkz5y+6oB+l87MbMzwsOIKooBzzCZ6KIGoOfw="),
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ];
        assert_eq!(headers.each_ref().map(|(name, value)| (*name, value.as_str())), expected);
    }

    #[test]
    fn a_secret_is_never_printed_and_has_its_form() {
        let secret = SharedSecret::parse(&STANDARD.encode([7; 32])).unwrap();
        assert!(!format!("{secret:?}").contains("Bw"), "{secret:?}");
        for (bytes, is_valid) in [(23, false), (24, true), (64, true), (65, false)] {
            assert_eq!(SharedSecret::parse(&STANDARD.encode(vec![7; bytes])).is_ok(), is_valid, "{bytes}");
        }
        let unpadded = STANDARD.encode([7; 32]).replace('=', "");
        for text in [&unpadded, "", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert_eq!(SharedSecret::parse(text).err(), Some(MalformedSecret), "{text}");
        }
    }
}
