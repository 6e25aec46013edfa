use rekey_core::{
    ids::RecordId,
    resources::{
        Kind, Link, Relationship, Resource, Source,
        catalog::MAX_RELATED,
        listing::{Cursor, Listing, Page},
    },
    scope::Scope,
};

use crate::{
    Bind, Dialect, Statement,
    filter::{push_filter, push_pending},
    order::{Stretch, push_after, push_order, stretches},
};

/// The column of [`related`] that names whom a record is related to.
pub const RELATED_TO: &str = "related_to";

/// Appends the columns that a record is read from, of whatever stands under the name `alias`.
pub fn columns(statement: &mut Statement, resource: &Resource, alias: &str) {
    let attributes = resource.attributes.iter().filter_map(|attribute| match attribute.source {
        Source::Column(column) => Some((attribute.kind, column)),
        Source::Constant(_) | Source::WriteOnly => None,
    });
    statement.join(", ", attributes, |statement, (kind, column)| match kind {
        Kind::Token => {
            statement.push("CASE WHEN ");
            push_pending(statement, alias);
            statement.push(&format!(" THEN {alias}.sealed_token END AS {column}"));
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

/// The record with that id.
#[must_use]
pub fn find(dialect: Dialect, scope: Scope, resource: &Resource, id: RecordId) -> Statement {
    let mut statement = Statement::new(dialect);
    statement.push("SELECT ");
    columns(&mut statement, resource, "x");
    statement
        .push(&format!(" FROM shown_{} x WHERE x.id = ", resource.name))
        .bind_text(id.as_str())
        .push(" AND ");
    push_scope_of_found(&mut statement, scope);
    statement
}

/// The records of a page; one more than its size of a page that isn't numbered, which tells whether the list goes on.
#[must_use]
pub fn page(dialect: Dialect, scope: Scope, listing: &Listing) -> Statement {
    let mut statement = Statement::new(dialect);
    match &listing.page {
        Page::After { cursor: Some(cursor), .. } => push_following(&mut statement, scope, listing, cursor),
        Page::After { cursor: None, .. } => push_part(&mut statement, scope, listing, |_| {}),
        Page::Number { .. } => {
            push_part(&mut statement, scope, listing, |_| {});
            let offset = listing.page.offset();
            if offset > 0 {
                statement.push(" OFFSET ").bind(Bind::Integer(i64::try_from(offset).unwrap_or(i64::MAX)));
            }
        }
    }
    statement
}

/// Appends what follows a place: each stretch of it by itself, since no index holds both in one range.
fn push_following(statement: &mut Statement, scope: Scope, listing: &Listing, cursor: &Cursor) {
    let order = listing.total_order();
    let push_stretch = |statement: &mut Statement, stretch: Stretch| {
        push_part(statement, scope, listing, |statement| {
            statement.push(" AND ");
            push_after(statement, &order, cursor.values(), stretch);
        });
    };
    match stretches(&order, cursor.values()) {
        [stretch] => push_stretch(statement, *stretch),
        both => {
            statement.push("SELECT * FROM (");
            statement.join(" UNION ALL ", both, |statement, stretch| {
                statement.push("SELECT * FROM (");
                push_stretch(statement, *stretch);
                statement.push(") x");
            });
            statement.push(") x");
            push_order(statement, &order);
            push_limit(statement, listing);
        }
    }
}

/// Appends the first records in the list's order, of those that fulfil one condition more.
fn push_part(
    statement: &mut Statement,
    scope: Scope,
    listing: &Listing,
    condition: impl FnOnce(&mut Statement),
) {
    push_matching(statement, scope, listing, |statement| columns(statement, listing.resource, "x"));
    condition(statement);
    push_order(statement, &listing.total_order());
    push_limit(statement, listing);
}

/// As a number in the text: a plan for whatever limit would be one for a tenth of the table.
fn push_limit(statement: &mut Statement, listing: &Listing) {
    let extra = u32::from(matches!(listing.page, Page::After { .. }));
    statement.push(&format!(" LIMIT {}", listing.page.size() + extra));
}

/// How many records a list has.
#[must_use]
pub fn count(dialect: Dialect, scope: Scope, listing: &Listing) -> Statement {
    let mut statement = Statement::new(dialect);
    push_matching(&mut statement, scope, listing, |statement| {
        statement.push("count(*)");
    });
    statement
}

/// What these records of `owner` are related to, with whom of them ([`RELATED_TO`]); of a to-one relationship, the
/// records with these ids.
#[must_use]
pub fn related(
    dialect: Dialect,
    scope: Scope,
    owner: &Resource,
    relationship: &Relationship,
    of: &[RecordId],
) -> Statement {
    let target = relationship.target;
    let key = match relationship.link {
        Link::One(_) => "x.id",
        Link::Many(column) => &format!("x.{column}"),
        Link::About => "x.resource_id",
    };
    let mut statement = Statement::new(dialect);
    statement.push("SELECT * FROM (SELECT ");
    columns(&mut statement, target, "x");
    statement.push(&format!(
        ", {key} AS {RELATED_TO}, row_number() OVER (PARTITION BY {key} ORDER BY x.created_at DESC, x.id DESC) AS nth"
    ));
    statement.push(&format!(" FROM shown_{} x WHERE ", target.name));
    push_scope_of_found(&mut statement, scope);
    if relationship.link == Link::About {
        statement.push(&format!(" AND x.resource_type = '{}'", owner.name));
    }
    statement.push(&format!(" AND {key} IN ("));
    statement.join(", ", of, |statement, id| {
        statement.bind_text(id.as_str());
    });
    statement.push(&format!(")) x WHERE nth <= {MAX_RELATED} ORDER BY {RELATED_TO}, nth"));
    statement
}

fn push_matching(
    statement: &mut Statement,
    scope: Scope,
    listing: &Listing,
    what: impl FnOnce(&mut Statement),
) {
    statement.push("SELECT ");
    what(statement);
    from(statement, scope, listing.resource);
    if !listing.filter.is_empty() {
        statement.push(" AND ");
        push_filter(statement, scope, listing.resource, &listing.filter);
    }
}

fn from(statement: &mut Statement, scope: Scope, resource: &Resource) {
    statement.push(&format!(" FROM shown_{} x WHERE ", resource.name));
    push_scope(statement, scope, "x");
}

/// Appends that a record which is found by an id is of the scope, in a way that no index serves: without statistics the planner would
/// take an index of the whole scope for as good as the one of the ids.
fn push_scope_of_found(statement: &mut Statement, scope: Scope) {
    statement
        .push("(x.organization_id, x.mode) IS NOT DISTINCT FROM (")
        .bind_text(scope.organization.as_str())
        .push(", ")
        .bind_text(scope.mode.as_str())
        .push(")");
}

pub(crate) fn push_scope(statement: &mut Statement, scope: Scope, alias: &str) {
    statement
        .push(&format!("{alias}.organization_id = "))
        .bind_text(scope.organization.as_str())
        .push(&format!(" AND {alias}.mode = "))
        .bind_text(scope.mode.as_str());
}
