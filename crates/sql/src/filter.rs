use rekey_core::{
    resources::{
        Attribute, Kind, Link, Relationship, Resource, Source,
        listing::{Comparison, Filter, Path, Pattern, Test},
    },
    scope::Scope,
};
use sea_query::{BinOper, Expr, ExprTrait, LikeExpr, Query, extension::postgres::PgExpr};
use serde_json::Value as Json;

use crate::{
    Dialect,
    containment::contains,
    expression::{all, any, column, in_scope, literal},
};

/// Returns the condition on the record `x` of `resource`.
pub(crate) fn condition(dialect: Dialect, scope: Scope, resource: &Resource, filter: &Filter) -> Expr {
    match filter {
        Filter::All(parts) => all(parts.iter().map(|part| condition(dialect, scope, resource, part))),
        Filter::Any(parts) => any(parts.iter().map(|part| condition(dialect, scope, resource, part))),
        Filter::Test(Path { via: None, attribute }, test) => passes(dialect, "x", attribute, test),
        Filter::Test(Path { via: Some(relationship), attribute }, test) => {
            exists_related(scope, resource, relationship, passes(dialect, "y", attribute, test))
        }
        Filter::RelatedTo(owner, relationship, id) => {
            let id = id.as_str();
            match relationship.link {
                Link::One(_) => column("x", "id").eq(id),
                Link::Many(name) => column("x", name).eq(id),
                Link::About => column("x", "resource_type")
                    .eq(literal(owner.name))
                    .and(column("x", "resource_id").eq(id)),
                Link::Same { own, other } => {
                    let value = Query::select()
                        .column(("y", own))
                        .from_as(format!("shown_{}", owner.name), "y")
                        .and_where(in_scope(scope, "y"))
                        .and_where(column("y", "id").eq(id))
                        .take();
                    column("x", other).in_subquery(value)
                }
                Link::EmptyOne | Link::EmptyMany => Expr::cust("FALSE"),
            }
        }
    }
}

/// Returns the condition that a record `y` at the other end of a relationship of `x` fulfils `condition`.
fn exists_related(scope: Scope, resource: &Resource, relationship: &Relationship, condition: Expr) -> Expr {
    let link = match relationship.link {
        Link::One(name) => column("y", "id").equals(("x", name)),
        Link::Many(name) => column("y", name).equals(("x", "id")),
        Link::About => column("y", "resource_type")
            .eq(literal(resource.name))
            .and(column("y", "resource_id").equals(("x", "id"))),
        Link::Same { own, other } => column("y", other).equals(("x", own)),
        Link::EmptyOne | Link::EmptyMany => Expr::cust("FALSE"),
    };
    let select = Query::select()
        .expr(Expr::cust("1"))
        .from_as(format!("shown_{}", relationship.target.name), "y")
        .and_where(in_scope(scope, "y"))
        .and_where(link)
        .and_where(condition)
        .take();
    Expr::exists(select)
}

/// Returns the condition that an attribute passes the test.
fn passes(dialect: Dialect, alias: &'static str, attribute: &Attribute, test: &Test) -> Expr {
    let Source::Column(name) = attribute.source else { return Expr::cust("FALSE") };
    let value = || column(alias, name);
    let empty = match attribute.kind {
        Kind::Text | Kind::Locale | Kind::Email | Kind::Id => Some(Expr::cust("''")),
        Kind::Object => Some(Expr::cust("'{}'")),
        _ => None,
    };
    match test {
        Test::Null => value().is_null(),
        Test::NotNull => value().is_not_null(),
        Test::Blank => any([value().is_null()].into_iter().chain(empty.map(|empty| value().eq(empty)))),
        Test::Present => all([value().is_not_null()].into_iter().chain(empty.map(|empty| value().ne(empty)))),
        Test::Compare(comparison, bound) => value().binary(operator(*comparison), dialect.bind(bound)),
        Test::In(values) if values.is_empty() => Expr::cust("FALSE"),
        Test::NotIn(values) if values.is_empty() => value().is_not_null(),
        Test::In(values) => value().is_in(values.iter().map(|value| dialect.bind(value))),
        Test::NotIn(values) => value().is_not_in(values.iter().map(|value| dialect.bind(value))),
        Test::Like(pattern) => like(dialect, value(), pattern),
        Test::NotLike(pattern) => like(dialect, value(), pattern).not(),
        Test::Contains(object) => match dialect {
            Dialect::Postgres => PgExpr::contains(value(), Json::from(object.clone())),
            Dialect::Sqlite { .. } => contains(&value(), object),
        },
        Test::Token(digest) => {
            column(alias, "token_digest").eq(digest.as_bytes().to_vec()).and(is_pending(dialect, alias))
        }
        Test::All(tests) => all(tests.iter().map(|test| passes(dialect, alias, attribute, test))),
        Test::Any(tests) => any(tests.iter().map(|test| passes(dialect, alias, attribute, test))),
    }
}

/// Returns the condition that a reset's token can still be used.
pub(crate) fn is_pending(dialect: Dialect, alias: &'static str) -> Expr {
    all([
        column(alias, "reset_password_at").is_null(),
        column(alias, "superseded_at").is_null(),
        column(alias, "expires_at").gt(dialect.now()),
    ])
}

/// ASCII letters match in either case: PostgreSQL's ILIKE does that under the collation "C" of every such column, and SQLite's LIKE
/// always does.
fn like(dialect: Dialect, column: Expr, pattern: &Pattern) -> Expr {
    let pattern = LikeExpr::new(pattern.to_like());
    match dialect {
        // A backslash escapes by default here, and sea-query writes `ILIKE (… ESCAPE …)`, which PostgreSQL does not accept.
        Dialect::Postgres => column.ilike(pattern),
        Dialect::Sqlite { .. } => column.like(pattern.escape('\\')),
    }
}

fn operator(comparison: Comparison) -> BinOper {
    match comparison {
        Comparison::Equal => BinOper::Equal,
        Comparison::NotEqual => BinOper::NotEqual,
        Comparison::Less => BinOper::SmallerThan,
        Comparison::LessOrEqual => BinOper::SmallerThanOrEqual,
        Comparison::Greater => BinOper::GreaterThan,
        Comparison::GreaterOrEqual => BinOper::GreaterThanOrEqual,
    }
}
