//! The code of docs/webhooks.md for receivers in Rust.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Whether the request is genuine. Check that `timestamp` is not older than five minutes, too.
pub fn is_genuine(secret: &str, id: &str, timestamp: &str, signatures: &str, body: &[u8]) -> bool {
    let Ok(key) = STANDARD.decode(secret) else { return false };
    signatures.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok()).any(|signature| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes any key");
        for part in [id, ".", timestamp, "."] {
            mac.update(part.as_bytes());
        }
        mac.update(body);
        mac.verify_slice(&signature).is_ok()
    })
}
