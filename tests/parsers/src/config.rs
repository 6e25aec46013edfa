//! The configuration file.

use std::{cell::RefCell, fs};

use rekey_runtime::config::{
    ApiSettings, ConfigError, Configuration, ConsoleSettings, MailerSettings, Server, Source, WebhookSettings,
};
use tempfile::NamedTempFile;

/// Returns a configuration with what has no default.
fn source() -> Source {
    let pairs = [
        ("server.public_url", "https://shop.example"),
        ("auth.signing_key", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"),
        ("keys.sealing", "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ("database.url", "postgres://rekey:secret@localhost/rekey"),
        ("broker.url", "amqp://rekey:secret@localhost/%2f"),
        ("mail.from", "Shop <shop@example.com>"),
        ("smtp.relays", "smtp://localhost"),
    ];
    pairs.into_iter().fold(Source::default(), |source, (key, value)| source.preset(key, value))
}

/// Returns the settings of a server behind these proxies.
pub(crate) fn server(forwarded_header: &str, trusted_proxies: &str) -> Server {
    let source = source()
        .overriding("server.forwarded_header", forwarded_header)
        .overriding("server.trusted_proxies", trusted_proxies);
    let settings: ApiSettings = Configuration::load(&source).and_then(|read| read.settings()).unwrap();
    settings.server
}

/// A mistake is one line that says what it is about. Of a setting that is secret, nothing is shown.
pub fn config(input: &[u8]) {
    thread_local!(static FILE: RefCell<NamedTempFile> = RefCell::new(NamedTempFile::new().unwrap()));
    let read = FILE.with_borrow(|file| {
        fs::write(file.path(), input).unwrap();
        Configuration::load(&source().file(Some(file.path())))
    });
    match read.and_then(|read| check_sections(&read).map(|()| read)) {
        Ok(read) => {
            for value in read.values() {
                let is_secret = ["broker.url", "database.url", "smtp.relays"].contains(&&*value.key);
                assert!(!is_secret || ["(secret)", "\"\""].contains(&value.value.as_str()), "{value:?}");
                assert!(!value.value.contains('\n'), "{value:?}");
            }
        }
        Err(error) => {
            let line = error.to_string();
            assert!(line.starts_with("configuration: ") && !line.contains(char::is_control), "{line:?}");
            assert!(!matches!(error, ConfigError::Mismatch), "{line}");
        }
    }
}

/// Reads the sections of each program.
fn check_sections(read: &Configuration) -> Result<(), ConfigError> {
    read.settings::<ApiSettings>()?;
    read.settings::<MailerSettings>()?;
    read.settings::<WebhookSettings>()?;
    read.settings::<ConsoleSettings>()?;
    Ok(())
}
