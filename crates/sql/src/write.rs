use rekey_core::{
    record::{Changes, Value},
    resource::Resource,
};

use crate::{Bind, Statement};

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
