//! Every rule of the configuration.

mod color;
mod dkim;
mod layers;
mod links;
mod mail;
mod manual;
mod organizations;
mod relays;
mod rules;
mod secrets;
mod urls;

use rekey_core::organizations::PerOrganization;

use super::{layer::variable, *};

/// A signing key that the configuration accepts: its bits are checked where it is used.
const PEM: &str = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0LW1hcmtlcg==\n-----END PRIVATE KEY-----\n";
/// The bytes 0 to 31.
const SEALING: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A public key as SendGrid shows it.
const SENDGRID: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAus5d4if92wiVWlJtkUbNq5jjj81sbsA6yhP0aund1L9FGJY79FXn5ezz7Sn1vv2v9YNcRRwCKxBsIu11NqpGg==";

/// All keys that some program requires.
const REQUIRED: [(&str, &str); 7] = [
    ("server.public_url", "http://localhost:8080"),
    ("auth.signing_key", PEM),
    ("keys.sealing", SEALING),
    ("database.url", "postgres://rekey:marker-in-url@localhost/rekey"),
    ("broker.url", "amqp://rekey:marker-in-url@localhost/%2f"),
    ("mail.from", "Shop <shop@example.com>"),
    ("smtp.relays", "smtp://localhost"),
];

/// An environment that sets these keys.
fn environment(pairs: &[(&str, &str)]) -> Source {
    Source::from_environment(pairs.iter().map(|(key, value)| (variable(key), (*value).to_owned())))
}

/// Returns the required keys, with these values for these keys.
fn with(pairs: &[(&str, &str)]) -> Source {
    let rest = REQUIRED.iter().filter(|(key, _)| !pairs.iter().any(|(given, _)| given == key));
    environment(&rest.chain(pairs).copied().collect::<Vec<_>>())
}

/// Loads every section there is.
fn load(source: &Source) -> Result<(ApiSettings, MailerSettings), ConfigError> {
    let configuration = Configuration::load(source)?;
    let settings = (configuration.settings()?, configuration.settings()?);
    configuration.settings::<WebhookSettings>()?;
    configuration.organization_settings()?;
    configuration.organization_mail_settings()?;
    Ok(settings)
}

fn organization_mail_settings(
    source: &Source,
) -> Result<PerOrganization<OrganizationMailSettings>, ConfigError> {
    Configuration::load(source)?.organization_mail_settings()
}

/// Returns the one line with which a program would end.
fn error(source: &Source) -> String {
    let line = load(source).expect_err("a configuration with a mistake").to_string();
    assert!(line.starts_with("configuration: ") && !line.contains('\n'), "{line:?}");
    line
}
