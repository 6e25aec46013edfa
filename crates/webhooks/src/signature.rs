//! The headers by which a receiver knows that a delivery is ours and unchanged. Two dialects have the same secret: Commerce Layer's, and
//! Standard Webhooks (standardwebhooks.com).

use base64::{Engine, engine::general_purpose::STANDARD};
use rekey_core::secrets::SharedSecret;
use ring::hmac::{Context, HMAC_SHA256, Key, Tag, sign, verify};
use time::OffsetDateTime;

/// The secrets that sign a webhook's deliveries.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Signs both dialects.
    pub current: SharedSecret,
    /// The secret before the current one, which signs Standard Webhooks' header along with it while receivers change theirs.
    pub former: Option<SharedSecret>,
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
        let secrets = [Some(&self.current), self.former.as_ref()].into_iter().flatten();
        let standard: Vec<_> = secrets
            .map(|secret| format!("v1,{}", encode(sign_standard(secret, id, &timestamp, body))))
            .collect();
        [
            ("x-commercelayer-topic", topic.to_owned()),
            ("x-commercelayer-signature", encode(sign_vendor(&self.current, body))),
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", standard.join(" ")),
        ]
    }
}

/// Whether one of the signatures in Standard Webhooks' header `webhook-signature` is by that secret. A receiver also checks that `timestamp` is
/// recent.
#[must_use]
pub fn is_genuine(secret: &SharedSecret, id: &str, timestamp: &str, signatures: &str, body: &[u8]) -> bool {
    let message = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
    let key = Key::new(HMAC_SHA256, &secret.bytes());
    signatures
        .split(' ')
        .filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok())
        .any(|signature| verify(&key, &message, &signature).is_ok())
}

/// Signs as Commerce Layer does: the key is the secret's text, the message the body.
fn sign_vendor(secret: &SharedSecret, body: &[u8]) -> Tag {
    sign(&Key::new(HMAC_SHA256, secret.expose().as_bytes()), body)
}

/// Signs as Standard Webhooks does: the key is the secret's bytes, the message `id.timestamp.body`.
fn sign_standard(secret: &SharedSecret, id: &str, timestamp: &str, body: &[u8]) -> Tag {
    let mut message = Context::with_key(&Key::new(HMAC_SHA256, &secret.bytes()));
    for part in [id, ".", timestamp, "."] {
        message.update(part.as_bytes());
    }
    message.update(body);
    message.sign()
}

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
        let secrets = Secrets { current: current.clone(), former: None };
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

        let [.., (_, id), (_, timestamp), (_, signature)] = expected;
        let body: &[u8] = br#"{"test": 2432232314}"#;
        let other = SharedSecret::parse("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx").unwrap();
        let two = format!("v1,AAAA {signature}");
        for (secret, id, timestamp, signatures, body, expected) in [
            (&current, id, timestamp, signature, body, true),
            (&current, id, timestamp, &two, body, true),
            (&other, id, timestamp, signature, body, false),
            (&current, "msg_other", timestamp, signature, body, false),
            (&current, id, "1614265331", signature, body, false),
            (&current, id, timestamp, signature, b"{}", false),
            (&current, id, timestamp, &signature[3..], body, false),
            (&current, id, timestamp, "", body, false),
        ] {
            let genuine = is_genuine(secret, id, timestamp, signatures, body);
            assert_eq!(genuine, expected, "{id} {timestamp} {signatures}");
        }
    }
}
