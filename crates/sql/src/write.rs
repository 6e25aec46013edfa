use rekey_core::{
    resources::{
        Attribute, Kind, Resource,
        record::{Changes, Value},
    },
    scope::Scope,
};
use serde_json::{Map, Value as Json};

use crate::{Bind, Dialect, Statement};

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
