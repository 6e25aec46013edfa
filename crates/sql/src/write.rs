use rekey_core::{
    resources::{
        Attribute, Kind, Link, Resource, Source,
        record::{Changes, Value},
    },
    scope::Scope,
};
use serde_json::{Map, Value as Json};
use time::OffsetDateTime;

use crate::Dialect;

/// A statement in the making: its text, and what is bound to its parameters.
#[derive(Debug)]
pub struct Statement {
    dialect: Dialect,
    text: String,
    binds: Vec<Bind>,
}

/// A value for a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Bind {
    Text(Option<String>),
    Texts(Vec<&'static str>),
    Bytes(Option<Vec<u8>>),
    Time(OffsetDateTime),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Json(Map<String, Json>),
}

impl Statement {
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, text: String::new(), binds: Vec::new() }
    }

    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Appends text: of this crate's, a store's or a definition's.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a parameter that stands for `value`.
    pub fn bind(&mut self, value: Bind) -> &mut Self {
        self.binds.push(value);
        let sign = match self.dialect {
            Dialect::Postgres => '$',
            Dialect::Sqlite { .. } => '?',
        };
        self.text.push(sign);
        self.text.push_str(&self.binds.len().to_string());
        self
    }

    /// Appends a parameter that stands for a text.
    pub fn bind_text(&mut self, text: &str) -> &mut Self {
        self.bind(Bind::Text(Some(text.to_owned())))
    }

    /// Appends the present.
    pub fn push_now(&mut self) -> &mut Self {
        match self.dialect {
            Dialect::Postgres => self.push("now()"),
            Dialect::Sqlite { now } => self.bind(Bind::Integer(now)),
        }
    }

    /// Appends parts with a separator between them.
    pub fn join<T>(
        &mut self,
        separator: &str,
        parts: impl IntoIterator<Item = T>,
        mut push: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                self.push(separator);
            }
            push(self, part);
        }
        self
    }

    /// The text, and the values in the order of their parameters' numbers.
    #[must_use]
    pub fn into_parts(self) -> (String, Vec<Bind>) {
        (self.text, self.binds)
    }
}

/// Appends the columns that a record is read from, of whatever stands under the name `alias`.
pub fn columns(statement: &mut Statement, resource: &Resource, alias: &str) {
    let attributes = resource.attributes.iter().filter_map(|attribute| match attribute.source {
        Source::Column(column) => Some((attribute.kind, column)),
        Source::Constant(_) | Source::WriteOnly => None,
    });
    statement.join(", ", attributes, |statement, (kind, column)| match kind {
        Kind::Token => {
            statement
                .push(&format!("CASE WHEN {alias}.reset_password_at IS NULL AND {alias}.superseded_at IS NULL AND {alias}.expires_at > "))
                .push_now()
                .push(&format!(" THEN {alias}.sealed_token END AS {column}"));
        }
        _ => {
            statement.push(&format!("{alias}.{column}"));
        }
    });
    for relationship in resource.relationships {
        if let Link::One(column) = relationship.link {
            statement.push(&format!(", {alias}.{column}"));
        }
    }
}

/// Appends the columns of a resource's plain attributes, each behind a comma: for an `INSERT`.
pub fn plain_columns(statement: &mut Statement, resource: &Resource) {
    for (_, column) in resource.plain() {
        statement.push(", ").push(column);
    }
}

/// Appends what [`plain_columns`] have in a new record, each behind a comma.
pub fn plain_values(statement: &mut Statement, resource: &Resource, attributes: &Changes) {
    for (attribute, _) in resource.plain() {
        let value = attributes.get(attribute).cloned().unwrap_or_else(|| Value::default_of(attribute));
        statement.push(", ").bind(plain(value));
    }
}

/// Appends an assignment for each attribute that changes, each behind a comma: for an `UPDATE`.
pub fn assign_changes(statement: &mut Statement, resource: &Resource, changes: &Changes) {
    for (attribute, column) in resource.plain() {
        if let Some(value) = changes.get(attribute) {
            statement.push(&format!(", {column} = ")).bind(plain(value.clone()));
        }
    }
}

/// Appends the condition that a row is the one with that id, in that scope. The scope is compared in a way that no index serves:
/// see migration 0012 of PostgreSQL.
pub fn push_whose(statement: &mut Statement, scope: Scope, id: &str) {
    statement
        .push(" WHERE id = ")
        .bind_text(id)
        .push(" AND (organization_id, mode) IS NOT DISTINCT FROM (")
        .bind_text(scope.organization.as_str())
        .push(", ")
        .bind_text(scope.mode.as_str())
        .push(")");
}

/// A new record's plain attributes as a JSON object, by their columns: for many records in one statement.
#[must_use]
pub fn plain_json(resource: &Resource, attributes: &Changes) -> Map<String, Json> {
    let value = |(attribute, column): (&'static Attribute, &'static str)| match attributes.get(attribute)? {
        Value::Text(text) => Some((column.to_owned(), Json::from(text.as_str()))),
        Value::Object(object) => Some((column.to_owned(), Json::from(object.clone()))),
        _ => None,
    };
    resource.plain().filter_map(value).collect()
}

/// Appends the values of [`plain_columns`] from the JSON object that [`plain_json`] made, each behind a comma; `json` is an
/// expression of this crate's or a store's.
pub fn plain_from_json(statement: &mut Statement, resource: &Resource, json: &str) {
    for (attribute, column) in resource.plain() {
        let text = format!("{json} ->> '{column}'");
        let value = match (attribute.kind, statement.dialect()) {
            (Kind::Object, Dialect::Postgres) => format!("COALESCE({json} -> '{column}', '{{}}')"),
            (Kind::Object, Dialect::Sqlite { .. }) => format!("COALESCE({text}, '{{}}')"),
            _ => text,
        };
        statement.push(", ").push(&value);
    }
}

fn plain(value: Value) -> Bind {
    match value {
        Value::Object(object) => Bind::Json(object),
        Value::Text(text) => Bind::Text(Some(text)),
        // A plain attribute is a text or an object.
        Value::Null | Value::Time(_) | Value::Boolean(_) | Value::Integer(_) | Value::Token(_) => {
            Bind::Text(None)
        }
    }
}
