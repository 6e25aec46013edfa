//! `[auth]` and `[keys]`: the keys that sign access tokens and encrypt reset tokens.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use rekey_core::secrets::KeyRing;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error};
use zeroize::Zeroizing;

use crate::config::fields::{PEM_BEGIN, Within, host_name, is_private_key, text_fields};

/// The issuer of access tokens, its keys, and the lifetimes of tokens and sessions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Auth {
    /// Tokens are issued as `https://auth.<domain>`.
    #[serde(deserialize_with = "host_name")]
    pub domain: String,
    /// The shorthand for one key, which is moved into `signing_keys`.
    #[serde(default, deserialize_with = "signing_key")]
    signing_key: Option<SecretString>,
    /// At least one RSA private key in PEM. The first signs, all of them verify. Sizes are checked where the keys are parsed.
    #[serde(default, deserialize_with = "signing_keys")]
    pub signing_keys: Vec<SecretString>,
    #[serde(rename = "integration_token_seconds", deserialize_with = "Within::<60, 86_400>::seconds")]
    pub integration_token_ttl: Duration,
    #[serde(rename = "sales_channel_token_seconds", deserialize_with = "Within::<60, 86_400>::seconds")]
    pub sales_channel_token_ttl: Duration,
    #[serde(rename = "refresh_token_seconds", deserialize_with = "Within::<3600, 7_776_000>::seconds")]
    pub refresh_token_ttl: Duration,
    /// How long after its sign-in a session ends, whatever refreshes follow.
    #[serde(rename = "session_max_seconds", deserialize_with = "Within::<3600, 31_536_000>::seconds")]
    pub session_max_age: Duration,
    /// How long a used refresh token may be sent again without ending its session.
    #[serde(rename = "refresh_leeway_seconds", deserialize_with = "Within::<0, 60>::seconds")]
    pub refresh_leeway: Duration,
    /// How long after its sign-in a customer may change its own address and password, and delete itself; zero is always.
    #[serde(rename = "fresh_seconds", deserialize_with = "Within::<0, 86_400>::seconds")]
    pub fresh_time: Duration,
    /// How many wrong passwords in a row lock an account.
    #[serde(deserialize_with = "Within::<1, 100>::integer")]
    pub password_guesses: u32,
}

impl<'de> Deserialize<'de> for Auth {
    fn deserialize<D: Deserializer<'de>>(section: D) -> Result<Self, D::Error> {
        // This calls the derived function, which serde's `remote` makes an inherent one.
        let mut auth = Self::deserialize(section)?;
        match (auth.signing_key.take(), auth.signing_keys.is_empty()) {
            (Some(key), true) => auth.signing_keys.push(key),
            (None, false) => {}
            (Some(_), false) => {
                return Err(D::Error::custom(
                    "signing_keys: no auth.signing_key, which is set as well: keep one of them",
                ));
            }
            (None, true) => return Err(D::Error::missing_field("signing_key")),
        }
        Ok(auth)
    }
}

/// The keys of this deployment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// They encrypt reset tokens and sign events.
    #[serde(deserialize_with = "key_ring")]
    pub sealing: KeyRing,
}

/// The same for a program that can do without them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionalKeys {
    #[serde(default, deserialize_with = "key_ring")]
    pub sealing: Option<KeyRing>,
}

text_fields! {
    signing_key: SecretString =
        "one RSA private key in PEM; several are auth.signing_keys", |text| is_private_key(text).then(|| text.into());
    signing_keys: Vec<SecretString> =
        "RSA private keys in PEM, one after the other", parse_signing_keys;
    key_ring: KeyRing =
        "id:base64 entries separated by commas, each of 32 random bytes, their ids unique and of 1 to 16 of a-z, 0-9 and \"-\"",
        parse_key_ring;
}

fn parse_signing_keys(text: &str) -> Option<Vec<SecretString>> {
    let (before, keys) = text.split_once(PEM_BEGIN)?;
    let parse = |key| {
        let pem = format!("{PEM_BEGIN}{key}");
        is_private_key(&pem).then(|| pem.into())
    };
    if before.trim().is_empty() { keys.split(PEM_BEGIN).map(parse).collect() } else { None }
}

fn parse_key_ring(text: &str) -> Option<KeyRing> {
    let keys: Vec<_> = text.split(',').map(|entry| parse_key(entry.trim())).collect::<Option<_>>()?;
    KeyRing::new(keys.iter().map(|(id, key)| (*id, &**key))).ok()
}

fn parse_key(entry: &str) -> Option<(&str, Zeroizing<[u8; 32]>)> {
    let (id, encoded) = entry.split_once(':')?;
    let decoded = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    Some((id, Zeroizing::new(decoded.as_slice().try_into().ok()?)))
}
