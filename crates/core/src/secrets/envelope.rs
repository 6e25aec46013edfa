//! Authenticated encryption: `key id length (1) · key id · nonce (24) · ciphertext and tag`.

use chacha20poly1305::{
    Key, XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use zeroize::Zeroizing;

use super::UnsealError;
use crate::random::RandomSource;

/// The bytes of an `XChaCha20` nonce (draft-irtf-cfrg-xchacha-03): long enough to be random.
const NONCE: usize = 24;

/// Encrypts `plain` under the named key. It can only be decrypted with the same `associated_data`.
///
/// # Panics
/// Never: a key's id is short, and `plain` is far below the cipher's limit of 256 GiB.
#[expect(clippy::expect_used, reason = "a key's id is short, and nothing encrypted here is near 256 GiB")]
pub(super) fn seal(
    (key_id, key): (&str, &[u8; 32]),
    plain: &[u8],
    associated_data: &[u8],
    random: &dyn RandomSource,
) -> Vec<u8> {
    let mut nonce = [0; NONCE];
    random.fill(&mut nonce);
    let payload = Payload { msg: plain, aad: associated_data };
    let ciphertext = cipher(key).encrypt(&XNonce::from(nonce), payload).expect("the text is short");
    let id_length = u8::try_from(key_id.len()).expect("an id has at most 16 characters");
    [&[id_length], key_id.as_bytes(), &nonce, &ciphertext].concat()
}

/// Decrypts what [`seal`] made, with the key of the ring that encrypted it.
pub(super) fn open<'k>(
    sealed: &[u8],
    key: impl FnOnce(&str) -> Option<&'k [u8; 32]>,
    associated_data: &[u8],
) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
    let (&id_length, after) = sealed.split_first().ok_or(UnsealError)?;
    let (id, after) = after.split_at_checked(usize::from(id_length)).ok_or(UnsealError)?;
    let (nonce, ciphertext) = after.split_first_chunk::<NONCE>().ok_or(UnsealError)?;
    let key = str::from_utf8(id).ok().and_then(key).ok_or(UnsealError)?;
    let payload = Payload { msg: ciphertext, aad: associated_data };
    cipher(key).decrypt(&XNonce::from(*nonce), payload).map(Zeroizing::new).map_err(|_| UnsealError)
}

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key))
}
