//! The attributes of a record that this service only stores for the shop, and how a write changes them.

use std::fmt;

use serde_json::{Map, Value as Json};

use crate::resources::{METADATA, REFERENCE, REFERENCE_ORIGIN};

/// What a write does to an attribute that may be null.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Leaves it as it is. A new record has none.
    #[default]
    Keep,
    /// Sets it to null.
    Clear,
    /// Sets it to this value.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether the write leaves the attribute as it is.
    #[must_use]
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The new value; `None` when the attribute is kept or becomes null.
    #[must_use]
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }
}

/// `Some` sets the value, `None` keeps it.
impl<T> From<Option<T>> for Patch<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Keep, Self::Set)
    }
}

/// The attributes that every writable record has: the shop's own identifiers and data.
#[derive(Clone, Default, PartialEq)]
pub struct CommonAttributes {
    /// The identifier in another system.
    pub reference: Patch<String>,
    /// Which system that is.
    pub reference_origin: Patch<String>,
    /// Key-value pairs, replaced as a whole; a new record has none.
    pub metadata: Option<Map<String, Json>>,
}

impl CommonAttributes {
    /// The names on the wire of the attributes that are set.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        set_names([
            (REFERENCE.name, !self.reference.is_keep()),
            (REFERENCE_ORIGIN.name, !self.reference_origin.is_keep()),
            (METADATA.name, self.metadata.is_some()),
        ])
    }
}

/// Shows which attributes are set, not their values: personal data may be among them.
impl fmt::Debug for CommonAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// The names of those attributes that are set.
pub(crate) fn set_names<const N: usize>(
    attributes: [(&'static str, bool); N],
) -> impl Iterator<Item = &'static str> {
    attributes.into_iter().filter_map(|(name, is_set)| is_set.then_some(name))
}
