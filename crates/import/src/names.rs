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
    /// Whether the records are customers as Commerce Layer exports them: its attributes without a meaning here are passed over, and
    /// those that `--map` replaces.
    pub is_export: bool,
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
/// The members of Commerce Layer's customers that mean nothing here (its API 7.9).
const EXPORTED: [&str; 12] = [
    "created_at",
    "has_password",
    "id",
    "links",
    "meta",
    "profile_id",
    "relationships",
    "shopper_reference",
    "status",
    "tax_exemption_code",
    "total_orders_count",
    "updated_at",
];
/// How the names of others begin: those about related records, such as `customer_group_id`, `orders` and `tags.name`, about
/// anonymization and about the reader's token.
const EXPORTED_PREFIXES: [&str; 9] =
    ["anonymization_", "attachment", "customer_", "event", "jwt_", "order", "return", "sku_list", "tag"];

impl Names {
    /// Returns the column that a name means; `None` if it is passed over.
    pub fn find(&self, name: &str) -> Result<Option<Column>, UnknownName> {
        if let Some(renamed) = self.renamed.iter().find(|renamed| renamed.name == name) {
            return Ok(Some(renamed.column));
        }
        let is_replaced =
            |column: Column| self.is_export && self.renamed.iter().any(|renamed| renamed.column == column);
        match name.parse::<Column>() {
            Ok(column) => Ok((!is_replaced(column)).then_some(column)),
            Err(_) if self.ignores_unknown || self.is_export && is_exported(name) => Ok(None),
            Err(_) => Err(UnknownName::new(name)),
        }
    }
}

impl UnknownName {
    fn new(name: &str) -> Self {
        Self(shown(name).map_or_else(String::new, |name| format!("{name} ")))
    }
}

/// Returns a text in quotation marks if it looks like a name.
pub fn shown(name: &str) -> Option<String> {
    let is_name = |c: char| c.is_alphanumeric() || " _-./()[]#&".contains(c);
    let is_shown = (1..=MAX_SHOWN).contains(&name.len()) && name.chars().all(is_name);
    is_shown.then(|| format!("\"{name}\""))
}

fn is_exported(name: &str) -> bool {
    EXPORTED.contains(&name) || EXPORTED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
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
