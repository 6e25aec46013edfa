use rekey_core::{
    resources::{
        Attribute, Kind, Link, Relationship, Resource, Source,
        listing::{Comparison, Filter, Path, Test},
        record::Value,
    },
    scope::Scope,
};

use crate::{Bind, Dialect, Statement, containment::push_contains, select::push_scope};

/// Appends a condition on the record `x` of `resource`.
pub(crate) fn push_filter(statement: &mut Statement, scope: Scope, resource: &Resource, filter: &Filter) {
    match filter {
        Filter::All(parts) if parts.is_empty() => {
            statement.push("TRUE");
        }
        Filter::Any(parts) if parts.is_empty() => {
            statement.push("FALSE");
        }
        Filter::All(parts) => push_parts(statement, scope, resource, " AND ", parts),
        Filter::Any(parts) => push_parts(statement, scope, resource, " OR ", parts),
        Filter::Test(Path { via: None, attribute }, test) => push_test(statement, "x", attribute, test),
        Filter::Test(Path { via: Some(relationship), attribute }, test) => {
            push_related(statement, scope, resource, relationship, |statement| {
                push_test(statement, "y", attribute, test);
            });
        }
        Filter::RelatedTo(owner, relationship, id) => {
            match relationship.link {
                Link::One(_) => statement.push("x.id = "),
                Link::Many(column) => statement.push(&format!("x.{column} = ")),
                Link::About => {
                    statement.push(&format!("x.resource_type = '{}' AND x.resource_id = ", owner.name))
                }
            };
            statement.bind_text(id.as_str());
        }
    }
}

fn push_parts(
    statement: &mut Statement,
    scope: Scope,
    resource: &Resource,
    operator: &str,
    parts: &[Filter],
) {
    statement.push("(");
    statement.join(operator, parts, |statement, part| push_filter(statement, scope, resource, part));
    statement.push(")");
}

/// Appends that a record `y` at the other end of a relationship of `x` fulfils a condition.
fn push_related(
    statement: &mut Statement,
    scope: Scope,
    resource: &Resource,
    relationship: &Relationship,
    condition: impl FnOnce(&mut Statement),
) {
    statement.push(&format!("EXISTS (SELECT 1 FROM shown_{} y WHERE ", relationship.target.name));
    push_scope(statement, scope, "y");
    match relationship.link {
        Link::One(column) => statement.push(&format!(" AND y.id = x.{column} AND ")),
        Link::Many(column) => statement.push(&format!(" AND y.{column} = x.id AND ")),
        Link::About => statement
            .push(&format!(" AND y.resource_type = '{}' AND y.resource_id = x.id AND ", resource.name)),
    };
    condition(statement);
    statement.push(")");
}

fn push_test(statement: &mut Statement, alias: &str, attribute: &Attribute, test: &Test) {
    let Source::Column(column) = attribute.source else {
        statement.push("FALSE");
        return;
    };
    let column = format!("{alias}.{column}");
    let empty = match attribute.kind {
        Kind::Text | Kind::Locale | Kind::Email | Kind::Id => Some("''"),
        Kind::Object => Some("'{}'"),
        _ => None,
    };
    match test {
        Test::Null => statement.push(&format!("{column} IS NULL")),
        Test::NotNull => statement.push(&format!("{column} IS NOT NULL")),
        Test::Blank => match empty {
            Some(empty) => statement.push(&format!("({column} IS NULL OR {column} = {empty})")),
            None => statement.push(&format!("{column} IS NULL")),
        },
        Test::Present => match empty {
            Some(empty) => statement.push(&format!("({column} IS NOT NULL AND {column} <> {empty})")),
            None => statement.push(&format!("{column} IS NOT NULL")),
        },
        Test::Compare(comparison, value) => {
            statement.push(&column).push(sign(*comparison));
            push_value(statement, value)
        }
        Test::In(values) if values.is_empty() => statement.push("FALSE"),
        Test::NotIn(values) if values.is_empty() => statement.push(&format!("{column} IS NOT NULL")),
        Test::In(values) => push_list(statement, &column, " IN (", values),
        Test::NotIn(values) => push_list(statement, &column, " NOT IN (", values),
        Test::Like(pattern) => push_like(statement, &column, "", &pattern.to_like()),
        Test::NotLike(pattern) => push_like(statement, &column, " NOT", &pattern.to_like()),
        Test::Contains(object) => {
            match statement.dialect() {
                Dialect::Postgres => {
                    statement.push(&column).push(" @> ").bind(Bind::Json(object.clone()));
                }
                Dialect::Sqlite { .. } => push_contains(statement, &column, object),
            }
            statement
        }
        Test::Token(digest) => {
            statement
                .push(&format!("({alias}.token_digest = "))
                .bind(Bind::Bytes(Some(digest.as_bytes().to_vec())))
                .push(" AND ");
            push_pending(statement, alias);
            statement.push(")")
        }
        Test::All(tests) if tests.is_empty() => statement.push("TRUE"),
        Test::Any(tests) if tests.is_empty() => statement.push("FALSE"),
        Test::All(tests) => push_tests(statement, alias, attribute, " AND ", tests),
        Test::Any(tests) => push_tests(statement, alias, attribute, " OR ", tests),
    };
}

fn push_tests<'a>(
    statement: &'a mut Statement,
    alias: &str,
    attribute: &Attribute,
    operator: &str,
    tests: &[Test],
) -> &'a mut Statement {
    statement.push("(");
    statement.join(operator, tests, |statement, test| push_test(statement, alias, attribute, test));
    statement.push(")")
}

/// Appends that a reset's token can still be used.
pub(crate) fn push_pending(statement: &mut Statement, alias: &str) {
    statement
        .push(&format!(
            "{alias}.reset_password_at IS NULL AND {alias}.superseded_at IS NULL AND {alias}.expires_at > "
        ))
        .push_now();
}

fn push_list<'a>(
    statement: &'a mut Statement,
    column: &str,
    operator: &str,
    values: &[Value],
) -> &'a mut Statement {
    statement.push(column).push(operator);
    statement.join(", ", values, |statement, value| {
        push_value(statement, value);
    });
    statement.push(")")
}

/// The letters of ASCII in either case: PostgreSQL's ILIKE does that under the collation "C" of every such column, and
/// SQLite's LIKE always does.
fn push_like<'a>(statement: &'a mut Statement, column: &str, not: &str, pattern: &str) -> &'a mut Statement {
    let operator = match statement.dialect() {
        Dialect::Postgres => " ILIKE ",
        Dialect::Sqlite { .. } => " LIKE ",
    };
    statement.push(column).push(not).push(operator).bind_text(pattern).push(r" ESCAPE '\'")
}

pub(crate) fn push_value<'a>(statement: &'a mut Statement, value: &Value) -> &'a mut Statement {
    match value {
        Value::Text(text) => statement.bind_text(text),
        Value::Time(at) => statement.bind(Bind::Time(*at)),
        Value::Boolean(is) => statement.bind(Bind::Boolean(*is)),
        Value::Integer(number) => statement.bind(Bind::Integer(*number)),
        // Nothing compares with these; nor does anything with SQL's NULL.
        Value::Null | Value::Object(_) | Value::Token(_) => statement.push("NULL"),
    }
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => " = ",
        Comparison::NotEqual => " <> ",
        Comparison::Less => " < ",
        Comparison::LessOrEqual => " <= ",
        Comparison::Greater => " > ",
        Comparison::GreaterOrEqual => " >= ",
    }
}
