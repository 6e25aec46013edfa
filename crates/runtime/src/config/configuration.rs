//! All layers, merged by the `config` crate, and the sections that are read from them.

use std::path::Path;

use config::{
    Config, ConfigBuilder, ConfigError as CrateError, File, FileFormat, Value, ValueKind,
    builder::DefaultState,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    error::{ConfigError, SECRETS, origin, shown},
    layer::{Layer, get, variable},
    source::Source,
};

/// Every key with its default, whose type is the key's type.
pub(super) const DEFAULTS: &str = include_str!("../../config/default.toml");

/// The merged configuration: complete and of the right types, but with values still unchecked.
#[derive(Clone)]
pub struct Configuration(Config);

/// A key's value, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownValue {
    /// `section.key`.
    pub key: String,
    /// The value as in TOML; of a secret, only whether it is set.
    pub value: String,
    /// The layer that it comes from.
    pub origin: String,
}

impl ShownValue {
    fn new(key: String, value: &Value) -> Self {
        let text = match &value.kind {
            ValueKind::String(text) if SECRETS.contains(&&*key) && !text.is_empty() => "(secret)".to_owned(),
            kind => shown(kind),
        };
        Self { key, value: text, origin: origin(value).to_owned() }
    }
}

impl Configuration {
    /// Reads and merges all layers.
    pub fn load(source: &Source) -> Result<Self, ConfigError> {
        let defaults = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        let Self(known) = Self::build(defaults)?;
        let file = source.file.as_ref().map(|path| Layer::from_file(&known, path, |_| true)).transpose()?;
        let given = [
            file.unwrap_or_default(),
            Layer::from_environment(&known, &source.environment)?,
            Layer::from_texts(&known, &source.overrides, "the command line")?,
        ];
        // A preset gives way to a given value, also to one in the other form of its key.
        let has_other_form = |key: &str| {
            key == "auth.signing_key" && given.iter().any(|layer| layer.sets("auth.signing_keys"))
        };
        let presets = source.presets.iter().filter(|(key, _)| !has_other_form(key));
        let presets = Layer::from_texts(&known, presets, "this program's defaults")?;
        let layers = Config::builder().add_source(known).add_source(presets);
        Self::build(given.into_iter().fold(layers, ConfigBuilder::<DefaultState>::add_source))
    }

    /// Returns this configuration below an organization's file, which may set the keys that `may_set` accepts.
    pub(super) fn overlaid(&self, file: &Path, may_set: impl Fn(&str) -> bool) -> Result<Self, ConfigError> {
        let layer = Layer::from_file(&self.0, file, may_set)?;
        Self::build(Config::builder().add_source(self.0.clone()).add_source(layer))
    }

    fn build(layers: ConfigBuilder<DefaultState>) -> Result<Self, ConfigError> {
        layers.build().map(Self).map_err(|_| ConfigError::Mismatch)
    }

    /// Returns the sections that are the fields of `S`, parsed and checked. A blank text is no value: it makes an `Option` `None`, and
    /// anything else missing.
    pub fn settings<S: DeserializeOwned>(&self) -> Result<S, ConfigError> {
        let is_blank =
            |value: &Value| matches!(&value.kind, ValueKind::String(text) if text.trim().is_empty());
        let mut root = self.0.cache.clone();
        if let ValueKind::Table(sections) = &mut root.kind {
            for section in sections.values_mut() {
                if let ValueKind::Table(values) = &mut section.kind {
                    values.retain(|_, value| !is_blank(value));
                }
            }
        }
        S::deserialize(root).map_err(|error| self.explain(error))
    }

    /// Returns every key with its value and origin, in their order in `default.toml`.
    #[must_use]
    pub fn values(&self) -> Vec<ShownValue> {
        let sections = self.0.cache.clone().into_table().unwrap_or_default();
        let keys = sections.into_iter().flat_map(|(section, keys)| {
            let keys = keys.into_table().unwrap_or_default();
            keys.into_iter().map(move |(key, value)| (format!("{section}.{key}"), value))
        });
        keys.map(|(key, value)| ShownValue::new(key, &value)).collect()
    }

    /// Returns the value of `section.key`, which exists.
    pub(super) fn get(&self, key: &str) -> Value {
        get(&self.0, key).cloned().unwrap_or_default()
    }

    /// The crate's own messages show values. So only the key is used, and the message where it is one of our deserializers'.
    fn explain(&self, error: CrateError) -> ConfigError {
        match error {
            CrateError::NotFound(key) => ConfigError::Missing { variable: variable(&key), key },
            CrateError::At { error, key: Some(key), .. } => {
                let expected = error.to_string();
                // The message of a whole section begins with the field that is wrong.
                let (key, expected) = match expected.split_once(": ") {
                    Some((field, expected)) if !key.contains('.') => (format!("{key}.{field}"), expected),
                    Some(_) | None => (key, expected.as_str()),
                };
                let invalid = |value| ConfigError::invalid(&key, value, expected);
                get(&self.0, &key).map_or(ConfigError::Mismatch, invalid)
            }
            _ => ConfigError::Mismatch,
        }
    }
}
