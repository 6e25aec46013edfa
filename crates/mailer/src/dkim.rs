//! Signing mails (DKIM, RFC 6376), with RSA-SHA256 or Ed25519-SHA256 (RFC 8463).

mod key;
mod relaxed;

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use rekey_runtime::config;
use tokio::task::spawn_blocking;

use self::key::PrivateKey;
use crate::message::Mail;

/// The signed headers: those that a reader sees, and those that say how the body is read. Each is signed once more than it
/// occurs (RFC 6376 §5.4.2), so that none can be added on the way.
const SIGNED: [&str; 11] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "Content-Type",
    "Content-Transfer-Encoding",
    "MIME-Version",
    "Content-Language",
    "Auto-Submitted",
];
/// Continues a header on the next line (RFC 5322 §2.2.3).
const FOLD: &str = "\r\n\t";
/// Characters of a signature in one line.
const LINE_LENGTH: usize = 72;

/// Signs the mails of one sender. Clones share the key.
#[derive(Clone)]
pub struct Signer {
    key: Arc<PrivateKey>,
    domain: String,
    selector: String,
}

/// Why a key can't be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "{origin} is not usable: expected a private key in PEM, not encrypted, RSA (PKCS#8 or PKCS#1) of 2048 to 4096 bits, or \
     Ed25519 (PKCS#8)"
)]
pub struct DkimError {
    origin: String,
}

/// A mail could not be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the mail can't be signed")]
pub struct SigningFailed;

impl Signer {
    /// Makes the configured signer; `None` if no key is configured.
    ///
    /// # Errors
    /// [`DkimError`] when the key is not one of the accepted kinds.
    pub fn new(settings: &config::Dkim) -> Result<Option<Self>, DkimError> {
        let Some(key) = &settings.key else { return Ok(None) };
        let parsed = PrivateKey::parse(&key.pem).ok_or_else(|| DkimError { origin: key.origin.clone() })?;
        Ok(Some(Self {
            key: Arc::new(parsed),
            domain: settings.domain.clone(),
            selector: settings.selector.clone(),
        }))
    }

    /// Puts the signature in front of the mail. RSA takes half a millisecond and more, so it runs on a blocking thread.
    pub async fn sign(&self, mut mail: Mail) -> Result<Mail, SigningFailed> {
        let signer = self.clone();
        let signing = spawn_blocking(move || {
            let header =
                signer.header(&mail.content, mail.written_at.unix_timestamp()).ok_or(SigningFailed)?;
            mail.content.splice(..0, header.into_bytes());
            Ok(mail)
        });
        signing.await.map_err(|_| SigningFailed)?
    }

    /// Returns the record to publish in DNS.
    #[must_use]
    pub fn record(&self) -> DnsRecord {
        DnsRecord {
            name: format!("{}._domainkey.{}", self.selector, self.domain),
            text: format!("v=DKIM1; k={}; p={}", self.key.kind(), STANDARD.encode(self.key.public())),
        }
    }

    /// Returns the header for this content, signed at this Unix time.
    fn header(&self, content: &[u8], signed_at: i64) -> Option<String> {
        let content = std::str::from_utf8(content).ok()?;
        let (head, body) = content.split_once("\r\n\r\n")?;
        let fields = relaxed::fields(head);
        let (mut names, mut signed) = (Vec::new(), String::new());
        for name in SIGNED.map(str::to_ascii_lowercase) {
            for (_, line) in fields.iter().rev().filter(|(known, _)| *known == name) {
                signed.push_str(line);
                names.push(name.clone());
            }
            names.push(name);
        }
        let hash = ring::digest::digest(&ring::digest::SHA256, relaxed::body(body).as_bytes());
        let field = format!(
            "DKIM-Signature: v=1; a={}-sha256; c=relaxed/relaxed; d={};{FOLD}s={}; t={signed_at};{FOLD}h={};{FOLD}bh={};{FOLD}b=",
            self.key.kind(),
            self.domain,
            self.selector,
            names.chunks(4).map(|names| names.join(":")).collect::<Vec<_>>().join(&format!(":{FOLD} ")),
            STANDARD.encode(hash),
        );
        // The header is signed too, without the signature and the line's end.
        let (_, own) = relaxed::fields(&field).into_iter().next()?;
        signed.push_str(own.trim_end());
        let signature = STANDARD.encode(self.key.sign(signed.as_bytes())?);
        let lines: Vec<_> = signature.as_bytes().chunks(LINE_LENGTH).map(String::from_utf8_lossy).collect();
        Some(format!("{field}{}\r\n", lines.join(FOLD)))
    }
}

/// A TXT record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsRecord {
    /// The domain name.
    pub name: String,
    /// The value.
    pub text: String,
}

/// The form of a zone file: in strings of at most 255 bytes (RFC 1035 §3.3).
impl fmt::Display for DnsRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. IN TXT (", self.name)?;
        for piece in self.text.as_bytes().chunks(255) {
            write!(f, " \"{}\"", String::from_utf8_lossy(piece))?;
        }
        f.write_str(" )")
    }
}

#[cfg(test)]
mod tests;
