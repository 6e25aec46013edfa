//! Where the configuration comes from.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::ConfigError;

/// The prefix of all variables of the configuration.
pub(super) const PREFIX: &str = "REKEY__";
/// The variable that names the file, for programs started without `--config`.
const FILE_VARIABLE: &str = "REKEY_CONFIG";

/// The layers above the shipped defaults, from weakest to strongest: presets, file, environment, overrides.
#[derive(Default)]
pub struct Source {
    pub(super) presets: Vec<(String, Zeroizing<String>)>,
    pub(super) file: Option<PathBuf>,
    pub(super) environment: Vec<(String, Zeroizing<String>)>,
    pub(super) overrides: Vec<(String, Zeroizing<String>)>,
}

impl Source {
    /// Reads this process's environment. No other code of the project does.
    ///
    /// Fails with [`ConfigError::NotText`] on a variable of ours that isn't UTF-8; other variables are ignored.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_process() -> Result<Self, ConfigError> {
        let ours = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            (name.starts_with(PREFIX) || name == FILE_VARIABLE).then_some((name, value))
        });
        let pairs = ours.map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(ConfigError::NotText { variable: name }),
        });
        Ok(Self::from_environment(pairs.collect::<Result<Vec<_>, _>>()?))
    }

    /// Uses an environment given as pairs; names that don't begin with `REKEY_` are ignored.
    pub fn from_environment(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut source = Self::default();
        for (name, value) in pairs {
            if name == FILE_VARIABLE {
                source.file = Some(value).filter(|path| !path.is_empty()).map(PathBuf::from);
            } else if name.starts_with(PREFIX) {
                source.environment.push((name, Zeroizing::new(value)));
            }
        }
        source
    }

    /// Reads this TOML file, if one is given, instead of the one that `REKEY_CONFIG` names.
    #[must_use]
    pub fn file(mut self, path: Option<&Path>) -> Self {
        if let Some(path) = path {
            self.file = Some(path.to_owned());
        }
        self
    }

    /// Replaces a shipped default, weaker than file and environment: `preset("mail.from", "shop@example.com")`.
    /// The value is written as it would be in the environment.
    #[must_use]
    pub fn preset(mut self, key: &str, value: impl Into<String>) -> Self {
        self.presets.push((key.to_owned(), Zeroizing::new(value.into())));
        self
    }

    /// Sets a key above every other layer, as a command-line option does.
    #[must_use]
    pub fn overriding(mut self, key: &str, value: impl Into<String>) -> Self {
        self.overrides.push((key.to_owned(), Zeroizing::new(value.into())));
        self
    }
}
