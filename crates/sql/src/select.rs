use rekey_core::{
    ids::RecordId,
    resources::{
        Kind, Link, Relationship, Resource, Source,
        catalog::{MAX_INCLUDED, MAX_RELATED},
        listing::{Filter, Listing, Page},
    },
    scope::Scope,
};
use sea_query::{
    Asterisk, BinOper, Expr, ExprTrait, JoinType, Order, Query, SelectStatement, UnionType, WindowStatement,
};

use crate::{
    Dialect, Select,
    expression::{column, in_scope, literal},
    filter::{condition, is_pending},
    order::{order_by, ranges_after},
};

/// The column of [`related`] with the id of the record that a row is related to.
pub const RELATED_TO: &str = "related_to";

/// Selects the record with that id.
#[must_use]
pub fn find(dialect: Dialect, scope: Scope, resource: &Resource, id: RecordId) -> Select {
    let mut select = select_record(dialect, resource);
    select.and_where(column("x", "id").eq(id.as_str())).and_where(found_in_scope(scope));
    Select::new(dialect, &select)
}

/// Selects the records of a page. For a page without a number it selects one more than the page's size, which shows whether the list
/// goes on.
#[must_use]
pub fn page(dialect: Dialect, scope: Scope, listing: &Listing) -> Select {
    let order = listing.total_order();
    let extra = u32::from(matches!(listing.page, Page::After { .. }));
    let first = |mut select: SelectStatement| {
        order_by(&mut select, dialect, &order);
        select.limit(u64::from(listing.page.size() + extra)).take()
    };
    let matching = filtered(select_record(dialect, listing.resource), dialect, scope, listing);
    let select = match &listing.page {
        Page::After { cursor: Some(cursor), .. } => {
            // Each range is selected by itself, since no index has both as one range.
            let ranges = ranges_after(dialect, &order, cursor.values()).into_iter();
            let parts = ranges.map(|range| first(matching.clone().and_where(range).take()));
            let unite = |one, other| {
                first(select_all(select_all(one).union(UnionType::All, select_all(other)).take()))
            };
            parts.reduce(unite).unwrap_or(matching)
        }
        Page::After { cursor: None, .. } => first(matching),
        Page::Number { .. } => match listing.page.offset() {
            0 => first(matching),
            offset => first(matching).offset(offset).take(),
        },
    };
    Select::new(dialect, &select)
}

/// Counts the records of a list.
#[must_use]
pub fn count(dialect: Dialect, scope: Scope, listing: &Listing) -> Select {
    let count = Query::select().expr(Expr::cust("count(*)")).from_as(view(listing.resource), "x").take();
    Select::new(dialect, &filtered(count, dialect, scope, listing))
}

/// Selects the records that these records of `owner` are related to, each with its owner's id ([`RELATED_TO`]). For a to-one
/// relationship, `ids` are those of the related records. All ids are one parameter, so there are few statements to keep prepared.
#[must_use]
pub fn related(
    dialect: Dialect,
    scope: Scope,
    owner: &Resource,
    relationship: &Relationship,
    ids: &[RecordId],
) -> Select {
    let key = match relationship.link {
        // The empty ones are not selected: their targets have no view.
        Link::One(_) | Link::EmptyOne | Link::EmptyMany => "id",
        Link::Many(column) => column,
        Link::About => "resource_id",
        Link::Same { own, other } => return same(dialect, scope, owner, relationship, (own, other), ids),
    };
    let newest_first = WindowStatement::partition_by(("x", key))
        .order_by(("x", "created_at"), Order::Desc)
        .order_by(("x", "id"), Order::Desc)
        .take();
    let mut numbered = select_record(dialect, relationship.target);
    numbered
        .expr_as(column("x", key), RELATED_TO)
        .expr_window_as(Expr::cust("row_number()"), newest_first, "nth")
        .and_where(found_in_scope(scope))
        .and_where(dialect.is_one_of(column("x", key), ids));
    if relationship.link == Link::About {
        numbered.and_where(column("x", "resource_type").eq(literal(owner.name)));
    }
    let select = select_all(numbered)
        .and_where(Expr::col("nth").lte(u64::from(MAX_RELATED)))
        .order_by(RELATED_TO, Order::Asc)
        .order_by("nth", Order::Asc)
        .limit(u64::from(MAX_INCLUDED) + 1)
        .take();
    Select::new(dialect, &select)
}

/// Selects the records of [`related`] that have the value of a column of their owner. There are few of them: the newest are not chosen.
fn same(
    dialect: Dialect,
    scope: Scope,
    owner: &Resource,
    relationship: &Relationship,
    (own, other): (&'static str, &'static str),
    ids: &[RecordId],
) -> Select {
    let mut select = select_record(dialect, relationship.target);
    select
        .expr_as(column("y", "id"), RELATED_TO)
        .join_as(JoinType::InnerJoin, view(owner), "y", column("y", own).equals(("x", other)))
        .and_where(in_scope(scope, "x"))
        .and_where(in_scope(scope, "y"))
        .and_where(dialect.is_one_of(column("y", "id"), ids))
        .order_by(RELATED_TO, Order::Asc)
        .order_by(("x", "created_at"), Order::Desc)
        .order_by(("x", "id"), Order::Desc)
        .limit(u64::from(MAX_INCLUDED) + 1);
    Select::new(dialect, &select)
}

/// Selects the columns of a record.
fn select_record(dialect: Dialect, resource: &Resource) -> SelectStatement {
    let mut select = Query::select().from_as(view(resource), "x").take();
    for attribute in resource.attributes {
        match (attribute.source, attribute.kind) {
            (Source::Column(name), Kind::Token) => {
                let token = Expr::case(is_pending(dialect, "x"), column("x", "sealed_token"));
                select.expr_as(token, name);
            }
            (Source::Column(name), _) => {
                select.column(("x", name));
            }
            (Source::Constant(_) | Source::WriteOnly, _) => {}
        }
    }
    for relationship in resource.relationships {
        if let Link::One(column) = relationship.link {
            select.column(("x", column));
        }
    }
    select
}

fn select_all(inner: SelectStatement) -> SelectStatement {
    Query::select().column(Asterisk).from_subquery(inner, "x").take()
}

fn filtered(
    mut select: SelectStatement,
    dialect: Dialect,
    scope: Scope,
    listing: &Listing,
) -> SelectStatement {
    let by_owner = names_owner(&listing.filter);
    select.and_where(if by_owner { found_in_scope(scope) } else { in_scope(scope, "x") });
    if !listing.filter.is_empty() {
        select.and_where(condition(dialect, scope, listing.resource, &listing.filter));
    }
    select
}

/// Whether only records of one owner pass, which are found by its id.
fn names_owner(filter: &Filter) -> bool {
    match filter {
        Filter::RelatedTo(..) => true,
        Filter::All(parts) => parts.iter().any(names_owner),
        Filter::Any(_) | Filter::Test(..) => false,
    }
}

fn view(resource: &Resource) -> String {
    format!("shown_{}", resource.name)
}

/// Whether a record that is found by an id, its own or its owner's, is of the scope, in a form that no index supports. Without statistics the planner would
/// consider an index of the whole scope as good as that of the ids.
fn found_in_scope(scope: Scope) -> Expr {
    let columns = Expr::tuple([column("x", "organization_id"), column("x", "mode")]);
    let values = Expr::tuple([Expr::val(scope.organization.as_str()), Expr::val(scope.mode.as_str())]);
    columns.binary(BinOper::Custom("IS NOT DISTINCT FROM"), values)
}
