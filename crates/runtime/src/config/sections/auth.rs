//! `[auth]` and `[keys]`: what signs access tokens and what seals reset tokens.

use std::{collections::BTreeSet, fmt, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
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
        })
    }
}

fn parse_private_key(pem: &str) -> Option<SecretString> {
    let is_whole = |label: &str| {
        pem.trim().starts_with(&format!("-----BEGIN {label}-----"))
            && pem.trim().ends_with(&format!("-----END {label}-----"))
    };
    ["PRIVATE KEY", "RSA PRIVATE KEY"].into_iter().any(is_whole).then(|| pem.into())
}

/// The keys of this deployment.
#[derive(Debug, Clone)]
pub struct Keys {
    pub sealing: SealingKeys,
}

impl Section for Keys {
    const NAME: &'static str = "keys";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let expected = "id:base64 entries separated by commas, each of 32 random bytes, their ids unique and of 1 to 16 \
                        of a-z, 0-9 and \"-\"";
        Ok(Self { sealing: reader.required("sealing", expected, SealingKeys::parse)? })
    }
}

/// One or more keys of 32 bytes with their ids; the first seals, all of them open.
#[derive(Clone)]
pub struct SealingKeys(Vec<(String, Zeroizing<[u8; 32]>)>);

impl SealingKeys {
    /// Ids and keys, the sealing one first.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &[u8; 32])> {
        self.0.iter().map(|(id, key)| (id.as_str(), &**key))
    }

    fn parse(text: &str) -> Option<Self> {
        let entries: Vec<_> =
            text.split(',').map(|entry| parse_entry(entry.trim())).collect::<Option<_>>()?;
        let ids: BTreeSet<_> = entries.iter().map(|(id, _)| id).collect();
        (ids.len() == entries.len()).then_some(Self(entries))
    }
}

/// Redacted: the ids alone.
impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(id, _)| id)).finish()
    }
}

fn parse_entry(entry: &str) -> Option<(String, Zeroizing<[u8; 32]>)> {
    let (id, encoded) = entry.split_once(':')?;
    let is_id =
        (1..=16).contains(&id.len()) && id.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let decoded = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    let key = Zeroizing::new(<[u8; 32]>::try_from(decoded.as_slice()).ok()?);
    (is_id && !is_weak(&key)).then(|| (id.to_owned(), key))
}

/// Whether nobody's generator made this: 32 random bytes have about 30 distinct values, and fewer than 16 in less than
/// one of 10^16 draws.
fn is_weak(key: &[u8; 32]) -> bool {
    key.iter().collect::<BTreeSet<_>>().len() < 16
}
