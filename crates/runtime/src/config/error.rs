//! What can be wrong with a configuration, each in one line that names the key and shows no secret.

use std::{io, path::PathBuf};

use rekey_core::organizations::InvalidSlug;

use super::value::Origin;

/// Why the configuration can't be used. Its text is a single line, fit for standard error as it is.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A required key has no value in any layer.
    #[error("configuration: {key} is missing: set it in the file, or as {variable} or {variable}_FILE")]
    Missing { key: String, variable: String },
    /// A layer sets a key that doesn't exist.
    #[error("configuration: unknown key {key} ({origin})")]
    Unknown { key: String, origin: Origin },
    /// An organization's file sets a key that is the whole deployment's.
    #[error("configuration: {key} can't be set in {path}: it holds for all organizations")]
    OfDeployment { key: String, path: PathBuf },
    /// A folder of `organizations.directory` can't be an organization's.
    #[error("configuration: the folder {path} is named after no organization: {cause}")]
    NotSlug { path: PathBuf, cause: InvalidSlug },
    /// An organization's folder holds settings or a folder under a name that is not read.
    #[error(
        "configuration: {path} is not read: an organization's folder has organization.toml, dkim.pem, texts and templates"
    )]
    Misnamed { path: PathBuf },
    /// A value has the wrong type, or is out of bounds; `found` never holds a secret.
    #[error("configuration: {key} is {found} ({origin}), expected {expected}")]
    Invalid { key: String, found: String, origin: Origin, expected: String },
    /// The same key is given twice in the environment.
    #[error("configuration: {variable} and {variable}_FILE are both set: keep one of them")]
    SetTwice { variable: String },
    /// A file can't be read.
    #[error("configuration: can't read {path} ({origin}): {cause}")]
    Unreadable { path: PathBuf, origin: String, cause: io::Error },
    /// The file isn't TOML.
    #[error("configuration: {path}, line {line}: {message}")]
    Syntax { path: PathBuf, line: usize, message: String },
    /// A variable of ours isn't text.
    #[error("configuration: {variable} is not UTF-8")]
    NotText { variable: String },
    /// The program asks for a key that `default.toml` doesn't list.
    #[error("configuration: {key} is not listed in default.toml")]
    Unlisted { key: String },
}
