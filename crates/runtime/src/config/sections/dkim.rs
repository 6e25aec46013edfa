//! `[dkim]`: the signature of mails (RFC 6376).

use std::path::Path;

use config::Value;
use secrecy::SecretString;
use serde::Deserialize;

use super::mail::Mail;
use crate::config::{
    configuration::Configuration,
    error::{ConfigError, origin},
    fields::{host_name, is_private_key, text_fields},
    files::{DIRECTORY, exists, read},
};

/// The file with an organization's own key, in its folder.
const FILE: &str = "dkim.pem";
const KEY: &str = "dkim.private_key";
const EXPECTED: &str = "a private key in PEM, not encrypted, RSA (PKCS#8 or PKCS#1) or Ed25519 (PKCS#8)";

/// The signature of an organization's mails.
#[derive(Debug, Clone)]
pub struct Dkim {
    /// Without one, mails are not signed.
    pub key: Option<DkimKey>,
    /// The name of the key below the domain's `_domainkey`.
    pub selector: String,
    /// The domain that signs (`d=`): the sender's, or one above it.
    pub domain: String,
}

/// A private key, whose kind and size are checked where it is used.
#[derive(Debug, Clone)]
pub struct DkimKey {
    pub pem: SecretString,
    /// The configuration key or the file that it comes from.
    pub origin: String,
}

/// The section as it is in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct DkimSection {
    #[serde(default, deserialize_with = "private_key")]
    private_key: Option<SecretString>,
    #[serde(deserialize_with = "host_name")]
    selector: String,
    #[serde(default, deserialize_with = "host_name")]
    domain: Option<String>,
}

text_fields! {
    private_key: SecretString = EXPECTED, |text| is_private_key(text).then(|| text.into());
}

impl DkimSection {
    pub(super) fn check(
        self,
        mail: &Mail,
        configuration: &Configuration,
        folder: Option<&Path>,
    ) -> Result<Dkim, ConfigError> {
        let (_, sender) = mail.from.address.as_str().rsplit_once('@').unwrap_or_default();
        let domain = self.domain.unwrap_or_else(|| sender.to_owned());
        // DMARC counts a signature only for the sender's domain or one above it (RFC 7489 §3.1.1).
        if sender != domain && !sender.ends_with(&format!(".{domain}")) {
            let from = origin(&configuration.get("mail.from")).to_owned();
            let expected = format!("{sender:?}, the domain of mail.from (from {from}), or one above it");
            return Err(ConfigError::invalid("dkim.domain", &configuration.get("dkim.domain"), &expected));
        }
        let deployment_key = self.private_key.map(|pem| DkimKey { pem, origin: KEY.to_owned() });
        Ok(Dkim { key: own_key(folder)?.or(deployment_key), selector: self.selector, domain })
    }
}

/// The key in an organization's folder.
fn own_key(folder: Option<&Path>) -> Result<Option<DkimKey>, ConfigError> {
    let Some(path) = folder.map(|folder| folder.join(FILE)) else { return Ok(None) };
    if !exists(&path, DIRECTORY)? {
        return Ok(None);
    }
    let pem = read(&path, DIRECTORY)?;
    let origin = path.display().to_string();
    if !is_private_key(&pem) {
        return Err(ConfigError::invalid(KEY, &Value::new(Some(&origin), ""), EXPECTED));
    }
    Ok(Some(DkimKey { pem: pem.as_str().into(), origin }))
}
