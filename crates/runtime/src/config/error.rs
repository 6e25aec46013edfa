//! What can be wrong with the configuration, each in one line that names the key and shows no secret.

use std::{io, path::PathBuf};

use config::{Value, ValueKind};
use rekey_core::organizations::InvalidSlug;

use super::invisible::find_invisible;

/// Keys whose value appears in no message. `otlp_endpoint` is one because somebody may put credentials into it.
pub(super) const SECRETS: [&str; 10] = [
    "auth.signing_key",
    "auth.signing_keys",
    "keys.sealing",
    "database.url",
    "broker.url",
    "smtp.relays",
    "dkim.private_key",
    "bounces.postmark_login",
    "bounces.mailgun_signing_key",
    "telemetry.otlp_endpoint",
];

/// Why the configuration can't be used. Its text is a single line, fit for standard error as it is.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A required key has no value in any layer.
    #[error("configuration: {key} is missing: set it in the file, or as {variable} or {variable}_FILE")]
    Missing { key: String, variable: String },
    /// A layer sets a key that doesn't exist.
    #[error("configuration: unknown key {} (from {origin})", .key.escape_debug())]
    Unknown { key: String, origin: String },
    /// An organization's file sets a key of the whole deployment.
    #[error("configuration: {key} can't be set in {path}: it holds for all organizations")]
    DeploymentOnly { key: String, path: PathBuf },
    /// A folder in `organizations.directory` is not named like an organization.
    #[error("configuration: the folder {path} is named after no organization: {cause}")]
    NotSlug { path: PathBuf, cause: InvalidSlug },
    /// An organization's folder holds settings or a folder under a name that is not read.
    #[error(
        "configuration: {path} is not read: an organization's folder has organization.toml, dkim.pem, texts and templates"
    )]
    Misnamed { path: PathBuf },
    /// A value has the wrong type, or is out of bounds; `found` never holds a secret.
    #[error("configuration: {key} is {found} (from {origin}), expected {expected}")]
    Invalid { key: String, found: String, origin: String, expected: String },
    /// The same key is given twice in the environment.
    #[error("configuration: {variable} and {variable}_FILE are both set: keep one of them")]
    SetTwice { variable: String },
    /// A file can't be read.
    #[error("configuration: can't read {path} ({origin}): {cause}")]
    Unreadable { path: PathBuf, origin: String, cause: io::Error },
    /// The file isn't TOML.
    #[error("configuration: {path}, {message}")]
    Syntax { path: PathBuf, message: String },
    /// A variable of ours isn't text.
    #[error("configuration: {variable} is not UTF-8")]
    NotText { variable: String },
    /// `default.toml` and the structs of the sections differ, which the tests rule out.
    #[error("configuration: default.toml doesn't fit this program")]
    Mismatch,
}

impl ConfigError {
    /// Makes the error for a key's value. It shows the beginning of the value, and nothing of a secret.
    pub(super) fn invalid(key: &str, value: &Value, expected: &str) -> Self {
        /// The longest part of a value that a message shows, in characters.
        const MAX_SHOWN: usize = 80;
        let hint = match &value.kind {
            ValueKind::String(text) => find_invisible(text),
            _ => None,
        };
        let hint = hint.map(|invisible| format!("; it contains {invisible}: remove it")).unwrap_or_default();
        let found = shown(&value.kind);
        let found = match found.char_indices().nth(MAX_SHOWN) {
            _ if SECRETS.contains(&key) => "not usable, and secret".to_owned(),
            Some((end, _)) => format!("{}…", found.get(..end).unwrap_or_default()),
            None => found,
        };
        let origin = origin(value).to_owned();
        Self::Invalid { key: key.to_owned(), found, origin, expected: format!("{expected}{hint}") }
    }
}

/// Returns the layer that a value comes from, as a phrase that follows "from".
pub(super) fn origin(value: &Value) -> &str {
    value.origin().unwrap_or("the defaults")
}

/// Formats a value as in TOML.
pub(super) fn shown(value: &ValueKind) -> String {
    match value {
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| shown(&item.kind)).collect();
            format!("[{}]", items.join(", "))
        }
        // Its keys may have line breaks.
        ValueKind::Table(_) => "a section".to_owned(),
        other => other.to_string(),
    }
}
