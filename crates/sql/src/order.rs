use rekey_core::resources::{Attribute, Source, listing::Order, record::Value};
use sea_query::{Expr, ExprTrait, NullOrdering, Order as Direction, SelectStatement};

use crate::{
    Dialect,
    expression::{all, any, column},
};

/// Adds `ORDER BY`. Nulls come last, and first when descending, as in PostgreSQL's indexes.
pub(crate) fn order_by(select: &mut SelectStatement, dialect: Dialect, order: &[Order]) {
    for Order { attribute, descending } in order {
        let (direction, nulls) = if *descending {
            (Direction::Desc, NullOrdering::First)
        } else {
            (Direction::Asc, NullOrdering::Last)
        };
        if attribute.nullable && matches!(dialect, Dialect::Sqlite { .. }) {
            select.order_by_expr_with_nulls(value_of(attribute), direction, nulls);
        } else {
            select.order_by_expr(value_of(attribute), direction);
        }
    }
}

/// Returns conditions that together select the records after these values. Each is one range of an index that begins with the order's
/// first attribute, and is found at once wherever in the list it begins. There are two ranges where nulls come after other values, or other values after nulls.
pub(crate) fn ranges_after(dialect: Dialect, order: &[Order], values: &[Value]) -> Vec<Expr> {
    let parts: Vec<(&Order, &Value)> = order.iter().zip(values).collect();
    let Some(((first, value), rest)) = parts.split_first() else { return Vec::new() };
    let attribute = || value_of(first.attribute);
    let bound = || dialect.bind(value);
    let is_null = **value == Value::Null;
    let range = match rest {
        _ if is_null => attribute().is_null().and(follows(dialect, rest)),
        [] => is_beyond(dialect, first, value),
        // In one direction and without nulls, an index on both begins right there, however many have the first value.
        [(id, id_value)] if id.descending == first.descending && !id.attribute.nullable => {
            let attributes = Expr::tuple([attribute(), value_of(id.attribute)]);
            let values = Expr::tuple([bound(), dialect.bind(id_value)]);
            if first.descending { attributes.lt(values) } else { attributes.gt(values) }
        }
        rest if first.descending => {
            attribute().lte(bound()).and(attribute().lt(bound()).or(follows(dialect, rest)))
        }
        rest => attribute().gte(bound()).and(attribute().gt(bound()).or(follows(dialect, rest))),
    };
    if first.attribute.nullable && first.descending == is_null {
        let other_range = if is_null { attribute().is_not_null() } else { attribute().is_null() };
        vec![range, other_range]
    } else {
        vec![range]
    }
}

/// Whether the record `x` comes after these values, null or not.
fn follows(dialect: Dialect, parts: &[(&Order, &Value)]) -> Expr {
    any(parts.iter().enumerate().map(|(index, (order, value))| {
        let equal = parts.iter().take(index).map(|(order, value)| match value {
            Value::Null => value_of(order.attribute).is_null(),
            value => value_of(order.attribute).eq(dialect.bind(value)),
        });
        all(equal.chain([is_beyond(dialect, order, value)]))
    }))
}

fn is_beyond(dialect: Dialect, order: &Order, value: &Value) -> Expr {
    let attribute = || value_of(order.attribute);
    match (order.descending, value) {
        (false, Value::Null) => Expr::cust("FALSE"),
        (true, Value::Null) => attribute().is_not_null(),
        (true, value) => attribute().lt(dialect.bind(value)),
        (false, value) if order.attribute.nullable => {
            attribute().gt(dialect.bind(value)).or(attribute().is_null())
        }
        (false, value) => attribute().gt(dialect.bind(value)),
    }
}

fn value_of(attribute: &Attribute) -> Expr {
    match attribute.source {
        Source::Column(name) => column("x", name),
        Source::Constant(_) | Source::WriteOnly => Expr::cust("NULL"),
    }
}
