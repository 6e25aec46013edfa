use rekey_core::scope::Scope;
use sea_query::{Expr, ExprTrait};

/// A column of the table with that alias.
pub(crate) fn column(alias: &'static str, name: &'static str) -> Expr {
    Expr::col((alias, name))
}

/// A definition's text as a literal, so that partial indexes are used.
pub(crate) fn literal(text: &str) -> Expr {
    Expr::cust(format!("'{text}'"))
}

pub(crate) fn all(conditions: impl IntoIterator<Item = Expr>) -> Expr {
    conditions.into_iter().reduce(Expr::and).unwrap_or(Expr::cust("TRUE"))
}

pub(crate) fn any(conditions: impl IntoIterator<Item = Expr>) -> Expr {
    conditions.into_iter().reduce(Expr::or).unwrap_or(Expr::cust("FALSE"))
}

/// Whether the record is of the scope.
pub(crate) fn in_scope(scope: Scope, alias: &'static str) -> Expr {
    column(alias, "organization_id")
        .eq(scope.organization.as_str())
        .and(column(alias, "mode").eq(scope.mode.as_str()))
}
