//! The forms in which a secret may have been written down.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use memchr::memmem;

/// Returns where a secret is: as it is, in hexadecimal, as Rust prints bytes, or in Base64 at any offset.
pub fn find(bytes: &[u8], secret: &[u8]) -> Option<usize> {
    forms(secret).iter().find_map(|form| memmem::find(bytes, form))
}

/// Describes the place of a secret, if it is there.
pub fn around(bytes: &[u8], secret: &[u8]) -> Option<String> {
    let at = find(bytes, secret)?;
    let place = &bytes[at.saturating_sub(200)..bytes.len().min(at + 100)];
    Some(String::from_utf8_lossy(place).into_owned())
}

fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let list = format!("{secret:?}");
    let mut forms = vec![
        secret.to_vec(),
        hex::encode(secret).into(),
        hex::encode_upper(secret).into(),
        list.trim_matches(['[', ']']).into(),
    ];
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        // The first and last digits depend on the neighbouring bytes.
        forms.extend((0..3).map(|offset| {
            let encoded = engine.encode([&vec![0; offset], secret].concat());
            encoded[offset + 1..encoded.len() - 2].into()
        }));
    }
    forms
}

#[test]
fn a_text_is_found_in_every_form() {
    for bytes in [
        "x hunter2? y",
        "\\x0068756e746572323fff",
        "68756E746572323F",
        "Bytes([104, 117, 110, 116, 101, 114, 50, 63, 0])",
        "aHVudGVyMj8=",
        "AGh1bnRlcjI/",
        "AGh1bnRlcjI_",
        "AABodW50ZXIyPw==",
    ] {
        assert!(find(bytes.as_bytes(), b"hunter2?").is_some(), "{bytes}");
        assert!(find(bytes.as_bytes(), b"hunted2?").is_none(), "{bytes}");
    }
}
