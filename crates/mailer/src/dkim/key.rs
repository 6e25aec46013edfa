//! The private key.

use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};

/// An `AlgorithmIdentifier` in DER: rsaEncryption without parameters (RFC 8017 §A.1).
const RSA_ENCRYPTION: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

pub(super) enum PrivateKey {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// Reads a PEM; `None` if it is malformed, encrypted, or of another kind or size of key.
    pub(super) fn parse(pem: &SecretString) -> Option<Self> {
        let key = PrivateKeyDer::from_pem_slice(pem.expose_secret().as_bytes());
        let rsa = match key.ok()? {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                // OpenSSL writes Ed25519 keys without their public half, so there may be none to check.
                if let Ok(key) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
                    return Some(Self::Ed25519(key));
                }
                RsaKeyPair::from_pkcs8(der)
            }
            _ => return None,
        };
        // ring accepts keys of 2048 to 4096 bits, which are those that signers should use and verifiers know (RFC 8301 §3.2).
        rsa.ok().map(Self::Rsa)
    }

    /// The name of the algorithm in `k=` and `a=`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "rsa",
            Self::Ed25519(_) => "ed25519",
        }
    }

    /// The public half for `p=`: a `SubjectPublicKeyInfo` in DER, which is how RFC 6376 §3.6.1 is commonly read, or the 32 bytes
    /// of Ed25519 (RFC 8463 §4).
    pub(super) fn public(&self) -> Vec<u8> {
        match self {
            Self::Rsa(key) => {
                let bits = element(0x03, &[&[0], key.public().as_ref()].concat());
                element(0x30, &[RSA_ENCRYPTION.as_slice(), bits.as_slice()].concat())
            }
            Self::Ed25519(key) => key.public_key().as_ref().to_vec(),
        }
    }

    /// Signs the message's hash, with Ed25519 too (RFC 8463 §3).
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).ok()?;
                Some(signature)
            }
            Self::Ed25519(key) => Some(key.sign(digest(&SHA256, message).as_ref()).as_ref().to_vec()),
        }
    }
}

/// Encodes a DER element. All lengths here, which follow from the key's size, take two bytes.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[tag, 0x82], length.as_slice(), content].concat()
}
