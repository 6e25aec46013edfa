use rekey_core::{
    listing::Order,
    record::Value,
    resource::{Attribute, Source},
};

use crate::{Dialect, Statement, filter::push_value};

/// Appends `ORDER BY`. Null comes last, and first when descending: PostgreSQL's own way, which its indexes follow.
pub(crate) fn push_order(statement: &mut Statement, order: &[Order]) {
    statement.push(" ORDER BY ");
    statement.join(", ", order, |statement, Order { attribute, descending }| {
        statement.push(&column(attribute)).push(if *descending { " DESC" } else { " ASC" });
        if attribute.nullable && matches!(statement.dialect(), Dialect::Sqlite { .. }) {
            statement.push(if *descending { " NULLS FIRST" } else { " NULLS LAST" });
        }
    });
}

/// Appends that the record `x` comes after these values in that order. A bound on the first part stands before the
/// alternatives, so that an index begins right there.
pub(crate) fn push_after(statement: &mut Statement, order: &[Order], values: &[Value]) {
    let parts: Vec<(&Order, &Value)> = order.iter().zip(values).collect();
    statement.push("(");
    if let Some((first, value)) = parts.first()
        && !first.attribute.nullable
    {
        statement.push(&column(first.attribute)).push(if first.descending { " <= " } else { " >= " });
        push_value(statement, value);
        statement.push(" AND ");
    }
    statement.push("(");
    statement.join(" OR ", 0..parts.len(), |statement, last| {
        statement.push("(");
        statement.join(
            " AND ",
            parts.iter().take(last + 1).enumerate(),
            |statement, (at, (order, value))| {
                if at < last {
                    push_equal(statement, order, value);
                } else {
                    push_beyond(statement, order, value);
                }
            },
        );
        statement.push(")");
    });
    statement.push("))");
}

fn push_equal(statement: &mut Statement, order: &Order, value: &Value) {
    let column = column(order.attribute);
    if *value == Value::Null {
        statement.push(&column).push(" IS NULL");
    } else {
        statement.push(&column).push(" = ");
        push_value(statement, value);
    }
}

fn push_beyond(statement: &mut Statement, order: &Order, value: &Value) {
    let column = column(order.attribute);
    match (order.descending, value) {
        (false, Value::Null) => {
            statement.push("FALSE");
        }
        (true, Value::Null) => {
            statement.push(&column).push(" IS NOT NULL");
        }
        (true, value) => {
            statement.push(&column).push(" < ");
            push_value(statement, value);
        }
        (false, value) if order.attribute.nullable => {
            statement.push("(").push(&column).push(" > ");
            push_value(statement, value);
            statement.push(" OR ").push(&column).push(" IS NULL)");
        }
        (false, value) => {
            statement.push(&column).push(" > ");
            push_value(statement, value);
        }
    }
}

fn column(attribute: &Attribute) -> String {
    match attribute.source {
        Source::Column(column) => format!("x.{column}"),
        Source::Constant(_) | Source::WriteOnly => "NULL".to_owned(),
    }
}
