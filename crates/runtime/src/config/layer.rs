//! One layer of the configuration. It is checked before it is merged: its keys must exist, and its values must have the type that the
//! key has in `default.toml`. So each mistake is reported with its origin.

use std::{error::Error, path::Path};

use config::{Config, ConfigError as CrateError, FileFormat, Format, Map, Source, Value, ValueKind};
use zeroize::Zeroizing;

use super::{error::ConfigError, files::read, invisible::find_invisible, source::PREFIX};

/// The checked values of a layer, by `section.key`.
#[derive(Clone, Default)]
pub(super) struct Layer(Map<String, Value>);

rekey_core::redacted_debug!(Layer);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, CrateError> {
        Ok(self.0.clone())
    }
}

impl Layer {
    /// Reads a TOML file, which may set the keys that `may_set` accepts.
    pub(super) fn from_file(
        known: &Config,
        path: &Path,
        may_set: impl Fn(&str) -> bool,
    ) -> Result<Self, ConfigError> {
        let text = read(path, "the configuration file")?;
        let origin = path.display().to_string();
        let document = FileFormat::Toml.parse(Some(&origin), &text);
        let mut layer = Self::default();
        for (key, value) in flatten(document.map_err(|error| syntax_error(path, &text, &*error))?) {
            let expected = type_name(&find(known, &key, &origin)?.kind);
            if !may_set(&key) {
                return Err(ConfigError::DeploymentOnly { key, path: path.to_owned() });
            }
            if type_name(&value.kind) != expected {
                return Err(ConfigError::invalid(&key, &value, expected));
            }
            layer.0.insert(key, value);
        }
        Ok(layer)
    }

    /// Reads `REKEY__SECTION__KEY` and `REKEY__SECTION__KEY_FILE`.
    pub(super) fn from_environment(
        known: &Config,
        pairs: &[(String, Zeroizing<String>)],
    ) -> Result<Self, ConfigError> {
        let to_key = |name: &str| name.trim_start_matches(PREFIX).to_ascii_lowercase().replacen("__", ".", 1);
        let key_of =
            |name: &str| Some(to_key(name)).filter(|key| get(known, key).is_some() && variable(key) == name);
        let mut layer = Self::default();
        for (name, text) in pairs {
            if let Some(key) = key_of(name) {
                layer.set_text(known, &key, text, name)?;
            } else if let Some(base) = name.strip_suffix("_FILE")
                && let Some(key) = key_of(base)
            {
                if pairs.iter().any(|(other, _)| other == base) {
                    return Err(ConfigError::SetTwice { variable: base.to_owned() });
                }
                let text = read(Path::new(text.as_str()), name)?;
                let origin = format!("the file that {name} names");
                layer.set_text(known, &key, text.trim_end_matches(['\r', '\n']), &origin)?;
            } else {
                return Err(ConfigError::Unknown { key: to_key(name), origin: name.clone() });
            }
        }
        Ok(layer)
    }

    /// Reads pairs of key and text.
    pub(super) fn from_texts<'a>(
        known: &Config,
        pairs: impl IntoIterator<Item = &'a (String, Zeroizing<String>)>,
        origin: &str,
    ) -> Result<Self, ConfigError> {
        let mut layer = Self::default();
        pairs.into_iter().try_for_each(|(key, text)| layer.set_text(known, key, text, origin))?;
        Ok(layer)
    }

    /// Whether the layer has a value for `section.key`.
    pub(super) fn sets(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Sets a key to a text, read as the type of the key.
    fn set_text(&mut self, known: &Config, key: &str, text: &str, origin: &str) -> Result<(), ConfigError> {
        let default = &find(known, key, origin)?.kind;
        let kind = match default {
            ValueKind::I64(_) => text.trim().parse().ok().map(ValueKind::I64),
            ValueKind::Boolean(_) => text.trim().parse().ok().map(ValueKind::Boolean),
            ValueKind::Array(_) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Some(items.collect::<Vec<_>>().into())
            }
            _ => Some(text.into()),
        };
        let value = |kind| Value::new(Some(&origin.to_owned()), kind);
        let kind = kind.ok_or_else(|| ConfigError::invalid(key, &value(text.into()), type_name(default)))?;
        self.0.insert(key.to_owned(), value(kind));
        Ok(())
    }
}

/// Returns the value of `section.key`.
pub(super) fn get<'a>(config: &'a Config, key: &str) -> Option<&'a Value> {
    let table =
        |value: &'a Value| if let ValueKind::Table(values) = &value.kind { Some(values) } else { None };
    let (section, name) = key.split_once('.')?;
    table(table(&config.cache)?.get(section)?)?.get(name)
}

/// Returns the value of a key that must exist.
fn find<'a>(known: &'a Config, key: &str, origin: &str) -> Result<&'a Value, ConfigError> {
    get(known, key).ok_or_else(|| ConfigError::Unknown { key: key.to_owned(), origin: origin.to_owned() })
}

/// Returns `REKEY__SECTION__KEY`, the variable that sets `section.key`.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replacen('.', "__", 1).to_ascii_uppercase())
}

/// The type of a value, for people. No key has the last one.
fn type_name(value: &ValueKind) -> &'static str {
    let is_text = |item: &Value| matches!(item.kind, ValueKind::String(_));
    match value {
        ValueKind::String(_) => "a text",
        ValueKind::I64(_) => "an integer",
        ValueKind::Boolean(_) => "true or false",
        ValueKind::Array(items) if items.iter().all(is_text) => "a list of texts",
        _ => "something else",
    }
}

/// Returns `section.key` and its value; a key outside of all sections keeps its bare name, which no key has.
fn flatten(document: Map<String, Value>) -> Vec<(String, Value)> {
    let mut pairs = Vec::new();
    for (section, value) in document {
        match value.kind {
            ValueKind::Table(keys) if !keys.is_empty() => {
                pairs.extend(keys.into_iter().map(|(key, value)| (format!("{section}.{key}"), value)));
            }
            _ => pairs.push((section, value)),
        }
    }
    pairs
}

/// Returns the error without the quoted line, which may hold a secret. The parser's text is "TOML parse error at line 3, column 7", three
/// lines that quote, and the message.
fn syntax_error(path: &Path, content: &str, error: &dyn Error) -> ConfigError {
    let text = error.to_string();
    let position = text.strip_prefix("TOML parse error at line ").and_then(|rest| rest.split_once(','));
    let message = match position {
        Some((line, rest)) => {
            let reason = rest.lines().skip(4).collect::<Vec<_>>().join(", ");
            let quoted =
                line.parse().ok().and_then(|line: usize| content.lines().nth(line.saturating_sub(1)));
            let hint = quoted.and_then(find_invisible);
            let hint = hint.map(|invisible| format!("; the line contains {invisible}: remove it"));
            format!("line {line}: {reason}{}", hint.unwrap_or_default())
        }
        None => "a number is out of range".to_owned(),
    };
    ConfigError::Syntax { path: path.to_owned(), message }
}
