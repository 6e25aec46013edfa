//! All layers laid over one another: one value a key, and where it came from.

use std::{collections::BTreeMap, fs, path::Path};

use toml::Table;
use zeroize::Zeroizing;

use super::{
    ConfigError, Source,
    reader::{Reader, Section},
    source::PREFIX,
    value::{Origin, Value},
};

/// Keys with their defaults; a default's type is the key's type.
pub(super) const DEFAULTS: &str = include_str!("../../config/default.toml");

/// Keys whose value appears in no message. `otlp_endpoint` is one because somebody may put credentials into it.
pub(super) const SECRETS: [&str; 7] = [
    "auth.signing_key",
    "keys.sealing",
    "database.url",
    "broker.url",
    "smtp.relays",
    "dkim.private_key",
    "telemetry.otlp_endpoint",
];

/// The merged configuration, complete and of the right types, but with values still unchecked.
#[derive(Clone)]
pub(super) struct Values(BTreeMap<String, Entry>);

#[derive(Clone)]
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

impl Values {
    pub(super) fn load(source: &Source) -> Result<Self, ConfigError> {
        let mut values = Self::defaults()?;
        for (key, text) in &source.presets {
            values.set_text(key, text, Origin::Preset)?;
        }
        if let Some(path) = &source.file {
            values.add_file(path, |_| true)?;
        }
        values.add_environment(&source.environment)?;
        for (key, text) in &source.overrides {
            values.set_text(key, text, Origin::Override)?;
        }
        Ok(values)
    }

    /// These values under those of an organization's file, which may set the keys that `may_set` names.
    pub(super) fn below(&self, file: &Path, may_set: impl Fn(&str) -> bool) -> Result<Self, ConfigError> {
        let mut values = self.clone();
        values.add_file(file, may_set)?;
        Ok(values)
    }

    /// One section, parsed and checked.
    pub(super) fn section<S: Section>(&self) -> Result<S, ConfigError> {
        S::read(&Reader::new(self, S::NAME))
    }

    pub(super) fn get(&self, key: &str) -> Result<&Entry, ConfigError> {
        self.0.get(key).ok_or_else(|| ConfigError::Unlisted { key: key.to_owned() })
    }

    #[cfg(test)]
    pub(super) fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// The complaint about a key's value, which shows it unless it is secret.
    pub(super) fn invalid(&self, key: &str, expected: impl Into<String>) -> ConfigError {
        match self.get(key) {
            Ok(Entry { value, origin }) => complaint(key, &value.to_string(), origin.clone(), expected),
            Err(unlisted) => unlisted,
        }
    }

    fn defaults() -> Result<Self, ConfigError> {
        let mut entries = BTreeMap::new();
        for (key, value) in flatten(parse(DEFAULTS, Path::new("default.toml"))?) {
            let value = Value::from_toml(value).ok_or_else(|| ConfigError::Unlisted { key: key.clone() })?;
            entries.insert(key, Entry { value, origin: Origin::Default });
        }
        Ok(Self(entries))
    }

    fn add_file(&mut self, path: &Path, may_set: impl Fn(&str) -> bool) -> Result<(), ConfigError> {
        let text = read(path, "the configuration file")?;
        for (key, given) in flatten(parse(&text, path)?) {
            let entry = self.entry(&key, || Origin::File(path.to_owned()))?;
            if !may_set(&key) {
                return Err(ConfigError::OfDeployment { key, path: path.to_owned() });
            }
            let found = given.to_string();
            let value = Value::from_toml(given).filter(|value| value.kind() == entry.value.kind());
            let origin = Origin::File(path.to_owned());
            let value = value.ok_or_else(|| complaint(&key, &found, origin.clone(), entry.value.kind()))?;
            *entry = Entry { value, origin };
        }
        Ok(())
    }

    fn add_environment(&mut self, pairs: &[(String, Zeroizing<String>)]) -> Result<(), ConfigError> {
        let names: BTreeMap<String, String> = self.0.keys().map(|key| (variable(key), key.clone())).collect();
        for (name, text) in pairs {
            if let Some(key) = names.get(name) {
                self.set_text(key, text, Origin::Variable(name.clone()))?;
            } else if let Some((base, key)) =
                name.strip_suffix("_FILE").and_then(|base| names.get_key_value(base))
            {
                if pairs.iter().any(|(other, _)| other == base) {
                    return Err(ConfigError::SetTwice { variable: base.clone() });
                }
                let text = read(Path::new(text.as_str()), name)?;
                self.set_text(key, text.trim_end_matches(['\r', '\n']), Origin::VariableFile(name.clone()))?;
            } else {
                let key = name.trim_start_matches(PREFIX).to_ascii_lowercase().replacen("__", ".", 1);
                return Err(ConfigError::Unknown { key, origin: Origin::Variable(name.clone()) });
            }
        }
        Ok(())
    }

    fn set_text(&mut self, key: &str, text: &str, origin: Origin) -> Result<(), ConfigError> {
        let entry = self.entry(key, || origin.clone())?;
        let value = entry.value.parse_like(text);
        let value =
            value.ok_or_else(|| complaint(key, &format!("{text:?}"), origin.clone(), entry.value.kind()))?;
        *entry = Entry { value, origin };
        Ok(())
    }

    fn entry(&mut self, key: &str, origin: impl FnOnce() -> Origin) -> Result<&mut Entry, ConfigError> {
        self.0.get_mut(key).ok_or_else(|| ConfigError::Unknown { key: key.to_owned(), origin: origin() })
    }
}

/// `REKEY__SECTION__KEY`, the variable that sets `section.key`.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replacen('.', "__", 1).to_ascii_uppercase())
}

fn complaint(key: &str, found: &str, origin: Origin, expected: impl Into<String>) -> ConfigError {
    /// Characters of a value that a message shows, at most.
    const SHOWN: usize = 80;
    let found = match found.char_indices().nth(SHOWN) {
        _ if SECRETS.contains(&key) => "not usable, and secret".to_owned(),
        Some((end, _)) => format!("{}…", found.get(..end).unwrap_or_default()),
        None => found.to_owned(),
    };
    ConfigError::Invalid {
        key: key.to_owned(),
        found: found.replace('\n', " "),
        origin,
        expected: expected.into(),
    }
}

/// A TOML document. Its parser's own message would quote the line, and so a secret: only what and where is told.
fn parse(text: &str, path: &Path) -> Result<Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        ConfigError::Syntax { path: path.to_owned(), line, message: error.message().replace('\n', ", ") }
    })
}

/// `section.key` and its value; what stands outside of any section keeps its bare name, which no key has.
fn flatten(document: Table) -> Vec<(String, toml::Value)> {
    let mut pairs = Vec::new();
    for (section, value) in document {
        match value {
            toml::Value::Table(keys) if !keys.is_empty() => {
                pairs.extend(keys.into_iter().map(|(key, value)| (format!("{section}.{key}"), value)));
            }
            other => pairs.push((section, other)),
        }
    }
    pairs
}

fn read(path: &Path, origin: &str) -> Result<Zeroizing<String>, ConfigError> {
    let contents = fs::read_to_string(path).map(Zeroizing::new);
    contents.map_err(|cause| ConfigError::Unreadable {
        path: path.to_owned(),
        origin: origin.to_owned(),
        cause,
    })
}
