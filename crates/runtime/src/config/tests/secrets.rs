//! Secrets: which are good enough, and that none is ever shown.

use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD};
use rekey_core::secrets::KeyRing;
use secrecy::ExposeSecret;

use super::*;
use crate::config::error::SECRETS;

const MARKER: &str = "marker-in-url";

fn sealing(text: &str) -> Result<KeyRing, ConfigError> {
    load(&with(&[("keys.sealing", text)])).map(|(api, _)| api.keys.sealing)
}

fn encoded(bytes: impl IntoIterator<Item = u8>) -> String {
    STANDARD.encode(bytes.into_iter().collect::<Vec<_>>())
}

#[test]
fn the_first_sealing_key_seals_and_all_are_kept() {
    let second = encoded(100..132);
    let rotated = sealing(&format!("2026-11:{second}, {SEALING}")).unwrap();
    let (id, tag) = rotated.sign(b"message");
    assert_eq!(id, "2026-11");
    assert!(sealing(&format!("2026-11:{second}")).unwrap().verify(&id, b"message", &tag));
    let (id, tag) = sealing(SEALING).unwrap().sign(b"message");
    assert!(rotated.verify(&id, b"message", &tag));
}

#[test]
fn weak_and_malformed_sealing_keys_are_refused() {
    let good = encoded(0..32);
    for text in [
        good.clone(),
        format!(":{good}"),
        format!("K1:{good}"),
        format!("k_1:{good}"),
        format!("{}:{good}", "k".repeat(17)),
        format!("a:{good},a:{good}"),
        format!("a:{good},"),
        format!("a:{}", encoded(0..31)),
        format!("a:{}", encoded(0..33)),
        format!("a:{}", encoded([7; 32])),
        format!("a:{}", encoded((0..32).map(|byte| byte % 15))),
        "a:not base64".to_owned(),
        "a:".to_owned(),
    ] {
        let line = sealing(&text).expect_err(&text).to_string();
        assert!(
            line.starts_with(
                "configuration: keys.sealing is not usable, and secret (from REKEY__KEYS__SEALING)"
            ),
            "{line}"
        );
    }
    assert!(sealing(&format!("{}:{}", "k".repeat(16), encoded((0..32).map(|byte| byte % 16)))).is_ok());
}

#[test]
fn the_signing_key_is_a_private_key_in_pem() {
    let load = |text: &str| load(&with(&[("auth.signing_key", text)]));
    assert!(load(PEM).is_ok());
    assert!(load("-----BEGIN RSA PRIVATE KEY-----\nAA==\n-----END RSA PRIVATE KEY-----").is_ok());
    for text in [
        "secret",
        "-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----",
        "-----BEGIN PRIVATE KEY-----\nAA==",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----",
    ] {
        assert!(load(text).unwrap_err().to_string().contains("auth.signing_key is not usable, and secret"));
    }
}

/// A12. PEM keys follow each other in one text, as `cat` writes them, whichever layer has it.
#[test]
fn a12_signing_keys_are_one_text_in_each_layer() {
    let second = "-----BEGIN RSA PRIVATE KEY-----\nAA==\n-----END RSA PRIVATE KEY-----";
    let keys = |source: &Source| -> Vec<String> {
        let keys = load(source).unwrap().0.auth.signing_keys;
        keys.iter().map(|key| key.expose_secret().trim().to_owned()).collect()
    };
    let with_keys = |text: &str| with(&[("auth.signing_key", ""), ("auth.signing_keys", text)]);
    let both = [PEM.trim(), second];
    assert_eq!(keys(&with(&[("auth.signing_key", PEM)])), both[..1], "the shorthand for one");
    assert_eq!(keys(&with_keys(PEM)), both[..1]);
    for text in [format!("{PEM}{second}\n"), format!("\n{}\n\n{second}", PEM.trim()), both.concat()] {
        assert_eq!(keys(&with_keys(&text)), both, "{text}");
    }
    let crlf = format!("{PEM}{second}\n").replace('\n', "\r\n");
    assert_eq!(keys(&with_keys(&crlf)).len(), 2);

    let folder = tempfile::tempdir().unwrap();
    let [file, secret] = ["rekey.toml", "signing_keys"].map(|name| folder.path().join(name));
    let unset = || with(&[("auth.signing_key", "")]);
    fs::write(&file, format!("[auth]\nsigning_keys = '''\n{PEM}{second}\n'''\n")).unwrap();
    assert_eq!(keys(&unset().file(Some(&file))), both);
    fs::write(&secret, format!("{PEM}{second}\n")).unwrap();
    assert_eq!(
        keys(&with(&[("auth.signing_key", ""), ("auth.signing_keys_file", secret.to_str().unwrap())])),
        both
    );

    let public = "-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----";
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----";
    for wrong in ["secret", public, encrypted, "-----BEGIN PRIVATE KEY-----\nAA=="] {
        for text in [wrong.to_owned(), format!("{PEM}{wrong}"), format!("{wrong}\n{PEM}")] {
            let line = error(&with_keys(&text));
            assert!(line.starts_with("configuration: auth.signing_keys is not usable, and secret"), "{line}");
            assert!(line.ends_with("expected RSA private keys in PEM, one after the other"), "{line}");
        }
    }
}

/// A12.
#[test]
fn a12_signing_key_and_signing_keys_are_not_both_set() {
    let line = error(&with(&[("auth.signing_keys", PEM)]));
    assert_eq!(
        line,
        "configuration: auth.signing_keys is not usable, and secret (from REKEY__AUTH__SIGNING_KEYS), expected no \
         auth.signing_key, which is set as well: keep one of them"
    );
    // The key of `rekey dev` is a preset.
    let preset = |given: &[(&str, &str)]| {
        let source = environment(given).preset("auth.signing_key", "preset");
        Configuration::load(&source).unwrap().get("auth.signing_key").into_string().unwrap()
    };
    assert_eq!(preset(&[]), "preset");
    assert_eq!(preset(&[("auth.signing_keys", PEM)]), "", "it gives way");
    let line = error(&with(&[("auth.signing_key", &PEM.repeat(2))]));
    assert!(line.ends_with("expected one RSA private key in PEM; several are auth.signing_keys"), "{line}");
}

#[test]
fn no_secret_is_shown_when_it_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rekey.toml");
    for key in SECRETS {
        let (section, name) = key.split_once('.').unwrap();
        let wrong_text = error(&with(&[(key, MARKER)]));
        fs::write(&path, format!("[{section}]\n{name} = [\"{MARKER}\"]\n")).unwrap();
        let wrong_type = error(&environment(&[]).file(Some(&path)));
        for broken in ["\"\"\n", "\"\\q\"\n", "\n[\n", "'\n"] {
            fs::write(&path, format!("[{section}]\n{name} = \"{MARKER}{broken}")).unwrap();
            let line = error(&environment(&[]).file(Some(&path)));
            assert!(!line.contains(MARKER), "{line}");
        }
        fs::write(&path, format!("[{section}]\n{name} = {MARKER}\n")).unwrap();
        let unquoted = error(&environment(&[]).file(Some(&path)));
        for line in [wrong_text, wrong_type, unquoted] {
            assert!(!line.contains(MARKER), "{line}");
        }
    }
}

#[test]
fn no_secret_is_shown_by_debug() {
    let relays = format!("smtp://u:{MARKER}@mail.example.com");
    let source = with(&[("smtp.relays", &relays), ("dkim.private_key", PEM)]);
    let settings = (load(&source).unwrap(), organization_mail_settings(&source).unwrap());
    let errors = SECRETS.map(|key| format!("{:?}", load(&with(&[(key, MARKER)])).unwrap_err()));
    let shown = format!("{settings:?} {settings:#?} {errors:?}");
    let key = &SEALING["k1:".len()..];
    for secret in [MARKER, "c2VjcmV0LW1hcmtlcg", key, "[0, 1, 2, 3", "shop@example.com"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains("k1"), "the id of a key is no secret");
}
