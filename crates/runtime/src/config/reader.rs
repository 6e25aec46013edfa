//! How a section reads its keys.

use std::{fmt::Display, ops::RangeInclusive, time::Duration};

use super::{
    ConfigError,
    value::Value,
    values::{Values, variable},
};

/// A part of the configuration that parses itself.
pub(super) trait Section: Sized {
    /// The name of its table in the file.
    const NAME: &'static str;

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError>;
}

/// The keys of one section.
pub(super) struct Reader<'a> {
    values: &'a Values,
    section: &'static str,
}

impl<'a> Reader<'a> {
    pub(super) fn new(values: &'a Values, section: &'static str) -> Self {
        Self { values, section }
    }

    /// A text that must be there, parsed; `None` from `parse` is answered with what was `expected`.
    pub(super) fn required<T>(
        &self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        self.optional(key, expected, parse)?.ok_or_else(|| {
            let key = self.full(key);
            ConfigError::Missing { variable: variable(&key), key }
        })
    }

    /// A text that may be empty, which is `None`.
    pub(super) fn optional<T>(
        &self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        match &self.values.get(&self.full(key))?.value {
            Value::Text(text) if text.trim().is_empty() => Ok(None),
            Value::Text(text) => parse(text).map(Some).ok_or_else(|| self.invalid(key, expected)),
            _ => Err(self.invalid(key, expected)),
        }
    }

    /// An integer within bounds.
    pub(super) fn integer<T: TryFrom<i64> + PartialOrd + Display>(
        &self,
        key: &str,
        bounds: RangeInclusive<T>,
    ) -> Result<T, ConfigError> {
        let number = match self.values.get(&self.full(key))?.value {
            Value::Integer(number) => T::try_from(number).ok(),
            _ => None,
        };
        number.filter(|number| bounds.contains(number)).ok_or_else(|| {
            self.invalid(key, &format!("an integer from {} to {}", bounds.start(), bounds.end()))
        })
    }

    /// A span of whole seconds within bounds.
    pub(super) fn seconds(&self, key: &str, bounds: RangeInclusive<u64>) -> Result<Duration, ConfigError> {
        self.integer(key, bounds).map(Duration::from_secs)
    }

    pub(super) fn flag(&self, key: &str) -> Result<bool, ConfigError> {
        match self.values.get(&self.full(key))?.value {
            Value::Flag(flag) => Ok(flag),
            _ => Err(self.invalid(key, "true or false")),
        }
    }

    /// A list, each item parsed.
    pub(super) fn list<T>(
        &self,
        key: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, ConfigError> {
        let items = match &self.values.get(&self.full(key))?.value {
            Value::List(items) => items.iter().map(|item| parse(item)).collect(),
            _ => None,
        };
        items.ok_or_else(|| self.invalid(key, expected))
    }

    pub(super) fn invalid(&self, key: &str, expected: &str) -> ConfigError {
        self.values.invalid(&self.full(key), expected)
    }

    fn full(&self, key: &str) -> String {
        format!("{}.{key}", self.section)
    }
}
