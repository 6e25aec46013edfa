//! `[auth]` and `[keys]`: the keys that sign access tokens and encrypt reset tokens.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use rekey_core::secrets::KeyRing;
use secrecy::SecretString;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::config::fields::{Within, host_name, is_private_key, text_fields};

/// The issuer of access tokens, its key, and the lifetimes of tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Tokens are issued as `https://auth.<domain>`.
    #[serde(deserialize_with = "host_name")]
    pub domain: String,
    /// An RSA private key in PEM; its size is checked where it is parsed.
    #[serde(deserialize_with = "signing_key")]
    pub signing_key: SecretString,
    #[serde(rename = "integration_token_seconds", deserialize_with = "Within::<60, 86_400>::seconds")]
    pub integration_token_ttl: Duration,
    #[serde(rename = "sales_channel_token_seconds", deserialize_with = "Within::<60, 86_400>::seconds")]
    pub sales_channel_token_ttl: Duration,
    #[serde(rename = "refresh_token_seconds", deserialize_with = "Within::<3600, 7_776_000>::seconds")]
    pub refresh_token_ttl: Duration,
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

/// The keys of this deployment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// They encrypt reset tokens and sign events.
    #[serde(deserialize_with = "key_ring")]
    pub sealing: KeyRing,
}

text_fields! {
    signing_key: SecretString =
        "an RSA private key in PEM", |text| is_private_key(text).then(|| text.into());
    key_ring: KeyRing =
        "id:base64 entries separated by commas, each of 32 random bytes, their ids unique and of 1 to 16 of a-z, 0-9 and \"-\"",
        parse_key_ring;
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
