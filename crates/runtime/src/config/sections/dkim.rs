//! `[dkim]`: what signs the mails (RFC 6376).

use secrecy::SecretString;

use super::{auth::parse_private_key, is_host_name};
use crate::config::{
    ConfigError,
    reader::{Reader, Section},
};

/// The signature of the mails, if there is to be one.
#[derive(Debug, Clone)]
pub struct Dkim {
    /// The key, and without one no mail is signed. In PEM; its kind and size are checked where it is parsed.
    pub private_key: Option<SecretString>,
    /// The name of the key below the domain's `_domainkey`.
    pub selector: String,
    /// Who signs (`d=`), if not the sender's domain.
    pub domain: Option<String>,
}

impl Section for Dkim {
    const NAME: &'static str = "dkim";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let name = |text: &str| is_host_name(text).then(|| text.to_owned());
        Ok(Self {
            private_key: reader.optional(
                "private_key",
                "a private key in PEM, RSA (PKCS#8 or PKCS#1) or Ed25519 (PKCS#8)",
                parse_private_key,
            )?,
            selector: reader.required("selector", "a name in lower case, as in DNS", name)?,
            domain: reader.optional("domain", "a host name in lower case", name)?,
        })
    }
}
