//! The lists of keys, as text.

use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use rekey_api::signing_key_id;
use rekey_core::{
    key_rotation::KeyKind,
    random::{OsRandom, RandomSource},
};
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, LineEnding},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::Kind;

/// The length of a new RSA key in bits, as in `deploy/make-secrets.sh`.
const RSA_BITS: usize = 3072;
const PEM_BEGIN: &str = "-----BEGIN ";

/// The keys of the configuration, each as far as it is set.
#[derive(Debug, Deserialize)]
pub struct KeySettings {
    auth: AuthKeys,
    keys: SealingKeys,
}

#[derive(Debug, Deserialize)]
struct AuthKeys {
    #[serde(default, deserialize_with = "secret")]
    signing_key: Option<SecretString>,
    #[serde(default, deserialize_with = "secret")]
    signing_keys: Option<SecretString>,
    integration_token_seconds: i64,
    sales_channel_token_seconds: i64,
}

#[derive(Debug, Deserialize)]
struct SealingKeys {
    #[serde(default, deserialize_with = "secret")]
    sealing: Option<SecretString>,
}

fn secret<'de, D: Deserializer<'de>>(value: D) -> Result<Option<SecretString>, D::Error> {
    String::deserialize(value).map(|text| Some(text.into()))
}

impl From<Kind> for KeyKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Signing => Self::SigningKeys,
            Kind::Sealing => Self::SealingKeys,
        }
    }
}

/// A list of keys, the one in use first.
pub struct Keys {
    kind: Kind,
    /// Each with its id.
    keys: Vec<(String, Zeroizing<String>)>,
}

impl KeySettings {
    /// Whether there are keys of a kind.
    pub fn is_set(&self, kind: Kind) -> bool {
        self.text(kind).0.is_some()
    }

    /// Returns the keys of a kind.
    pub fn keys(&self, kind: Kind) -> anyhow::Result<Keys> {
        let (text, name) = self.text(kind);
        let text = text
            .with_context(|| format!("{name} is not set: give this command the keys that rekey-api has"))?;
        let text = text.expose_secret().trim();
        let keys = match kind {
            Kind::Signing => {
                let pems = text
                    .split(PEM_BEGIN)
                    .skip(1)
                    .map(|pem| Zeroizing::new(format!("{PEM_BEGIN}{}\n", pem.trim_end())));
                pems.map(|pem| Ok((signing_key_id(&pem)?, pem))).collect::<anyhow::Result<_>>()?
            }
            Kind::Sealing => {
                let id = |entry: &str| {
                    entry.split_once(':').map(|(id, _)| (id.to_owned(), Zeroizing::new(entry.to_owned())))
                };
                let entries = text.split(',').map(|entry| id(entry.trim())).collect::<Option<_>>();
                entries.context("keys.sealing is not a list of id:base64, separated by commas")?
            }
        };
        Ok(Keys { kind, keys })
    }

    fn text(&self, kind: Kind) -> (Option<&SecretString>, &'static str) {
        match kind {
            Kind::Signing => {
                (self.auth.signing_keys.as_ref().or(self.auth.signing_key.as_ref()), "auth.signing_keys")
            }
            Kind::Sealing => (self.keys.sealing.as_ref(), "keys.sealing"),
        }
    }

    /// Returns for how long a token of a key that signs no more may be valid, in seconds.
    pub fn retire_seconds(&self) -> i64 {
        // Clients and proxies keep the published keys for 300 s.
        self.auth.integration_token_seconds.max(self.auth.sales_channel_token_seconds) + 300
    }
}

impl Keys {
    /// Returns the ids, that of the key in use first.
    pub fn ids(&self) -> Vec<String> {
        self.keys.iter().map(|(id, _)| id.clone()).collect()
    }

    /// Returns the key of the configuration that the list is for.
    pub fn setting(&self) -> &'static str {
        match self.kind {
            Kind::Signing => "auth.signing_keys",
            Kind::Sealing => "keys.sealing",
        }
    }

    /// Returns the kind in the store.
    pub fn key_kind(&self) -> KeyKind {
        self.kind.into()
    }

    /// Adds a new key behind the others, and returns its id.
    pub fn add(&mut self) -> anyhow::Result<String> {
        let (id, key) = match self.kind {
            Kind::Signing => {
                let key =
                    RsaPrivateKey::new(&mut rsa::rand_core::OsRng, RSA_BITS)?.to_pkcs8_pem(LineEnding::LF)?;
                (signing_key_id(&key)?, key)
            }
            Kind::Sealing => {
                let mut key = Zeroizing::new([0; 32]);
                OsRandom.fill(key.as_mut_slice());
                // The next of k1, k2, …
                let number = |(id, _): &(String, _)| id.strip_prefix('k')?.parse::<u32>().ok();
                let next = self.keys.iter().filter_map(number).max().unwrap_or(0).saturating_add(1);
                let id = format!("k{next}");
                (id.clone(), Zeroizing::new(format!("{id}:{}", STANDARD.encode(key.as_slice()))))
            }
        };
        self.keys.push((id.clone(), key));
        Ok(id)
    }

    /// Puts a key in front; false if there is none with that id.
    pub fn move_to_front(&mut self, id: &str) -> bool {
        let Some(at) = self.keys.iter().position(|(own, _)| own == id) else { return false };
        let key = self.keys.remove(at);
        self.keys.insert(0, key);
        true
    }

    /// Removes a key.
    pub fn remove(&mut self, id: &str) {
        self.keys.retain(|(own, _)| own != id);
    }

    /// Returns the list in the configuration's form.
    pub fn text(&self) -> Zeroizing<String> {
        let separator = if self.kind == Kind::Signing { "" } else { "," };
        let keys: Vec<_> = self.keys.iter().map(|(_, key)| key.as_str()).collect();
        Zeroizing::new(keys.join(separator).trim_end().to_owned())
    }
}
