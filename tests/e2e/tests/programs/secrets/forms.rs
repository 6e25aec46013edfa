//! The forms in which a secret may have been written down.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use memchr::{memchr3, memmem};

/// Returns a text as it is, and as a reader of URLs, JSON or HTML sees it; of forms, too, where `+` is a space.
pub fn readings(bytes: &[u8]) -> [Vec<u8>; 3] {
    let form: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    [bytes.to_vec(), unescape(bytes), unescape(&form)]
}

/// Describes the place of a secret, if it is there in one of the readings.
pub fn around(readings: &[Vec<u8>], secret: &[u8]) -> Option<String> {
    readings.iter().find_map(|bytes| {
        let at = find(bytes, secret)?;
        let place = &bytes[at.saturating_sub(200)..bytes.len().min(at + 100)];
        Some(String::from_utf8_lossy(place).into_owned())
    })
}

/// Returns where a secret is: as it is, in hexadecimal, as Rust prints bytes, or in Base64 at any offset.
fn find(bytes: &[u8], secret: &[u8]) -> Option<usize> {
    forms(secret).iter().find_map(|form| memmem::find(bytes, form))
}

fn unescape(mut bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    while let Some(at) = memchr3(b'%', b'\\', b'&', bytes) {
        text.extend(&bytes[..at]);
        let (byte, rest) = escaped(&bytes[at..]).unwrap_or((bytes[at], &bytes[at + 1..]));
        text.push(byte);
        bytes = rest;
    }
    text.extend(bytes);
    text
}

/// Decodes the escape at the start of a text, and returns its byte and the rest.
fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    if let Some(rest) = text.strip_prefix(br"\/") {
        return Some((b'/', rest));
    }
    let starts = [b"%".as_slice(), br"\u00", b"&#x"];
    let (digits, rest) = starts.iter().find_map(|start| text.strip_prefix(*start))?.split_at_checked(2)?;
    let byte = hex::decode(digits).ok()?;
    Some((byte[0], rest.strip_prefix(b";").unwrap_or(rest)))
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
        "100%, %68unter2%3F",
        "x=hunter2%3f&y",
        r"C:\hunter2\u003F",
        "&amp;hunter2&#x3f;",
    ] {
        assert_is_found(bytes, b"hunter2?");
        assert!(around(&readings(bytes.as_bytes()), b"hunted2?").is_none(), "{bytes}");
    }
    // Their Base64 is `+` or `/` repeated.
    for (secret, escapes) in
        [([0xfb, 0xef, 0xbe], ["%2B", "%2b", r"\u002b"]), ([0xff; 3], ["%2F", r"\/", "&#x2f;"])]
    {
        for escape in escapes {
            assert_is_found(&escape.repeat(16), &secret.repeat(4));
        }
    }
    assert_is_found("password=a+good%20one%3F", b"a good one?");
}

#[cfg(test)]
fn assert_is_found(text: &str, secret: &[u8]) {
    assert!(around(&readings(text.as_bytes()), secret).is_some(), "{text}");
}
