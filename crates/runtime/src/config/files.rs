//! Files that the configuration is read from.

use std::{fs, io, path::Path};

use zeroize::Zeroizing;

use super::error::ConfigError;

/// The setting that names the folder of organizations' folders.
pub(super) const DIRECTORY: &str = "organizations.directory";

/// Reads a text, which may be a secret. `origin` is what names the file.
pub(super) fn read(path: &Path, origin: &str) -> Result<Zeroizing<String>, ConfigError> {
    fs::read_to_string(path).map(Zeroizing::new).map_err(|cause| unreadable(path, origin, cause))
}

/// Whether there is such a file. A broken link and an unreadable folder are errors, not absence: the file that somebody put there
/// would be ignored without notice.
pub(super) fn exists(path: &Path, origin: &str) -> Result<bool, ConfigError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(unreadable(path, origin, cause)),
    }
}

pub(super) fn unreadable(path: &Path, origin: &str, cause: io::Error) -> ConfigError {
    ConfigError::Unreadable { path: path.to_owned(), origin: origin.to_owned(), cause }
}
