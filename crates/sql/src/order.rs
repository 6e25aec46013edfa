use rekey_core::resources::{Attribute, Source, listing::Order, record::Value};

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

/// A part of what comes after a place: one range of an index that begins with the order's first attribute. It is found at
/// once, wherever in the list it begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stretch {
    /// Up to the end of the values that the place's own is among: of the nulls, or of all the others.
    Same,
    /// All of the others, or all nulls.
    Other,
}

/// The stretches of what comes after these values, in their order.
pub(crate) fn stretches(order: &[Order], values: &[Value]) -> &'static [Stretch] {
    let first = order.iter().zip(values).next();
    // Null comes last, and first when descending.
    let both = first.is_some_and(|(order, value)| {
        order.attribute.nullable && order.descending == (*value == Value::Null)
    });
    if both { &[Stretch::Same, Stretch::Other] } else { &[Stretch::Same] }
}

/// Appends that the record `x` comes after these values in that order, and in that stretch.
pub(crate) fn push_after(statement: &mut Statement, order: &[Order], values: &[Value], stretch: Stretch) {
    let parts: Vec<(&Order, &Value)> = order.iter().zip(values).collect();
    let Some(((first, value), rest)) = parts.split_first() else { return };
    let name = column(first.attribute);
    match (stretch, *value) {
        (Stretch::Other, Value::Null) => {
            statement.push(&name).push(" IS NOT NULL");
        }
        (Stretch::Other, _) => {
            statement.push(&name).push(" IS NULL");
        }
        (Stretch::Same, Value::Null) => {
            statement.push(&name).push(" IS NULL AND ");
            push_later(statement, rest);
        }
        (Stretch::Same, value) => match rest {
            [] => push_beyond(statement, first, value),
            // In one direction and without nulls, an index on both begins right there, however many have the first value.
            [(id, of_id)] if id.descending == first.descending && !id.attribute.nullable => {
                statement.push(&format!("({name}, {})", column(id.attribute)));
                statement.push(if first.descending { " < (" } else { " > (" });
                push_value(statement, value).push(", ");
                push_value(statement, of_id).push(")");
            }
            rest => {
                statement.push(&name).push(if first.descending { " <= " } else { " >= " });
                push_value(statement, value).push(" AND (").push(&name);
                statement.push(if first.descending { " < " } else { " > " });
                push_value(statement, value).push(" OR ");
                push_later(statement, rest);
                statement.push(")");
            }
        },
    }
}

/// Appends that the record `x` comes after these values, null or not.
fn push_later(statement: &mut Statement, parts: &[(&Order, &Value)]) {
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
    statement.push(")");
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
