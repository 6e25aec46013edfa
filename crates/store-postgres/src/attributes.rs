//! The attributes that this service only keeps, as parameters of a statement.

use rekey_core::attributes::CommonAttributes;
use sqlx::{Postgres, postgres::PgArguments, query::Query, types::Json};

/// Binds what becomes of `reference` and `reference_origin` (whether it is kept, and its new value) and of `metadata`.
pub(crate) fn bind_common<'q>(
    query: Query<'q, Postgres, PgArguments>,
    changes: &'q CommonAttributes,
) -> Query<'q, Postgres, PgArguments> {
    query
        .bind(changes.reference.is_keep())
        .bind(changes.reference.value())
        .bind(changes.reference_origin.is_keep())
        .bind(changes.reference_origin.value())
        .bind(changes.metadata.as_ref().map(Json))
}
