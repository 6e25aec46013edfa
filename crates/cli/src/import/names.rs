//! The names of columns and members.

use std::str::FromStr;

use strum::{EnumString, IntoStaticStr, VariantNames};

/// The columns of CSV and the members of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Column {
    Email,
    Reference,
    ReferenceOrigin,
    Metadata,
    Locale,
    PasswordHash,
}

/// Finds the column that a name in the file means.
#[derive(Debug, Default)]
pub struct Names {
    /// What `--map` renames.
    pub renamed: Vec<Renamed>,
    /// Whether names that mean no column are passed over.
    pub ignores_unknown: bool,
}

/// A `--map`: a name in the file, and the column that it means.
#[derive(Debug, Clone)]
pub struct Renamed {
    pub name: String,
    pub column: Column,
}

/// A name that means no column. It is shown unless it looks like a value: a file without a header begins with a customer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}is none of {columns}; --map \"NAME=COLUMN\" renames it, --ignore-unknown passes over all of them", columns = Column::VARIANTS.join(", "))]
pub struct UnknownName(String);

/// The longest name that is shown.
const MAX_SHOWN: usize = 64;

impl Names {
    /// Returns the column that a name means; `None` if it is passed over.
    pub fn find(&self, name: &str) -> Result<Option<Column>, UnknownName> {
        let renamed = self.renamed.iter().find(|renamed| renamed.name == name);
        match renamed.map(|renamed| renamed.column).or_else(|| name.parse().ok()) {
            None if !self.ignores_unknown => Err(UnknownName::new(name)),
            column => Ok(column),
        }
    }
}

impl UnknownName {
    fn new(name: &str) -> Self {
        let is_name = |c: char| c.is_alphanumeric() || " _-./()[]#&".contains(c);
        let is_shown = (1..=MAX_SHOWN).contains(&name.len()) && name.chars().all(is_name);
        Self(if is_shown { format!("\"{name}\" ") } else { String::new() })
    }
}

impl FromStr for Renamed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, column) = text.rsplit_once('=').ok_or("expected NAME=COLUMN")?;
        let column = column.trim().parse();
        let column = column.map_err(|_| format!("the column is one of {}", Column::VARIANTS.join(", ")))?;
        Ok(Self { name: name.trim().to_owned(), column })
    }
}
