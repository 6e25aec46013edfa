//! `[dkim]`: what signs the mails (RFC 6376).

use std::{fs, path::Path};

use secrecy::{ExposeSecret, SecretString};

use super::{Mail, auth::parse_private_key, is_host_name};
use crate::config::{
    ConfigError,
    organizations::{is_there, unreadable},
    reader::{Reader, Section},
    value::Origin,
    values::Values,
};

/// An organization's own key, in its folder.
const FILE: &str = "dkim.pem";
const EXPECTED: &str = "a private key in PEM, not encrypted, RSA (PKCS#8 or PKCS#1) or Ed25519 (PKCS#8)";

/// The signature of an organization's mails.
#[derive(Debug, Clone)]
pub struct Dkim {
    /// Without one, mails are not signed.
    pub key: Option<DkimKey>,
    /// The name of the key below the domain's `_domainkey`.
    pub selector: String,
    /// Who signs (`d=`): the sender's domain, or one above it.
    pub domain: String,
}

/// A private key, whose kind and size are checked where it is used.
#[derive(Debug, Clone)]
pub struct DkimKey {
    pub pem: SecretString,
    /// The configuration key or the file that it comes from.
    pub origin: String,
}

impl Dkim {
    pub(in crate::config) fn read(
        values: &Values,
        folder: Option<&Path>,
        mail: &Mail,
    ) -> Result<Self, ConfigError> {
        let section: DkimSection = values.section()?;
        let (_, sender) = mail.from.address.as_str().rsplit_once('@').unwrap_or_default();
        let domain = section.domain.unwrap_or_else(|| sender.to_owned());
        // DMARC counts a signature only for the sender's domain or one above it (RFC 7489 §3.1.1).
        if sender != domain && !sender.ends_with(&format!(".{domain}")) {
            let origin = &values.get("mail.from")?.origin;
            let expected = format!("{sender:?}, the domain of mail.from ({origin}), or one above it");
            return Err(values.invalid("dkim.domain", expected));
        }
        let deployments =
            || section.private_key.map(|pem| DkimKey { pem, origin: "dkim.private_key".to_owned() });
        Ok(Self { key: own_key(folder)?.or_else(deployments), selector: section.selector, domain })
    }
}

fn own_key(folder: Option<&Path>) -> Result<Option<DkimKey>, ConfigError> {
    let Some(path) = folder.map(|folder| folder.join(FILE)) else { return Ok(None) };
    if !is_there(&path)? {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map(SecretString::from).map_err(|cause| unreadable(&path, cause))?;
    let Some(pem) = parse_private_key(text.expose_secret()) else {
        return Err(ConfigError::Invalid {
            key: "dkim.private_key".to_owned(),
            found: "not usable, and secret".to_owned(),
            origin: Origin::File(path),
            expected: EXPECTED.to_owned(),
        });
    };
    Ok(Some(DkimKey { pem, origin: path.display().to_string() }))
}

/// The section as it stands in a file.
pub(in crate::config) struct DkimSection {
    private_key: Option<SecretString>,
    selector: String,
    domain: Option<String>,
}

impl Section for DkimSection {
    const NAME: &'static str = "dkim";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let name = |text: &str| is_host_name(text).then(|| text.to_owned());
        Ok(Self {
            private_key: reader.optional("private_key", EXPECTED, parse_private_key)?,
            selector: reader.required("selector", "a name in lower case, as in DNS", name)?,
            domain: reader.optional("domain", "a host name in lower case", name)?,
        })
    }
}
