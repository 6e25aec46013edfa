//! `[auth]` and `[keys]`: what signs access tokens and what seals reset tokens.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use rekey_core::secrets::KeyRing;
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::is_host_name;
use crate::config::{
    ConfigError,
    reader::{Reader, Section},
};

/// Who issues access tokens, with which key, and how long they live.
#[derive(Debug, Clone)]
pub struct Auth {
    /// Tokens are issued as `https://auth.<domain>`.
    pub domain: String,
    /// An RSA private key in PEM; its size is checked where it is parsed.
    pub signing_key: SecretString,
    pub integration_token_life: Duration,
    pub sales_channel_token_life: Duration,
    pub refresh_token_life: Duration,
    /// For how long a used refresh token may come again without ending its session.
    pub refresh_leeway: Duration,
}

impl Section for Auth {
    const NAME: &'static str = "auth";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let domain = |text: &str| is_host_name(text).then(|| text.to_owned());
        let day = 86_400;
        Ok(Self {
            domain: reader.required("domain", "a host name in lower case", domain)?,
            signing_key: reader.required("signing_key", "an RSA private key in PEM", parse_private_key)?,
            integration_token_life: reader.seconds("integration_token_seconds", 60..=day)?,
            sales_channel_token_life: reader.seconds("sales_channel_token_seconds", 60..=day)?,
            refresh_token_life: reader.seconds("refresh_token_seconds", 3600..=90 * day)?,
            refresh_leeway: reader.seconds("refresh_leeway_seconds", 0..=60)?,
        })
    }
}

/// A private key in PEM, PKCS#8 or PKCS#1: whole, but not decoded.
pub(super) fn parse_private_key(pem: &str) -> Option<SecretString> {
    let is_whole = |label: &str| {
        pem.trim().starts_with(&format!("-----BEGIN {label}-----"))
            && pem.trim().ends_with(&format!("-----END {label}-----"))
    };
    ["PRIVATE KEY", "RSA PRIVATE KEY"].into_iter().any(is_whole).then(|| pem.into())
}

/// The keys of this deployment.
#[derive(Debug, Clone)]
pub struct Keys {
    /// What seals reset tokens and signs events.
    pub sealing: KeyRing,
}

impl Section for Keys {
    const NAME: &'static str = "keys";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let expected = "id:base64 entries separated by commas, each of 32 random bytes, their ids unique and of 1 to 16 \
                        of a-z, 0-9 and \"-\"";
        Ok(Self { sealing: reader.required("sealing", expected, parse_key_ring)? })
    }
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
