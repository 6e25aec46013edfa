//! The attributes that this service only keeps, as parameters of a statement.

use rekey_core::attributes::CommonAttributes;
use sqlx::{Sqlite, query::Query, sqlite::SqliteArguments, types::Json};

/// Binds what becomes of `reference` and `reference_origin` (whether it is kept, and its new value) and of `metadata`.
pub(crate) fn bind_common<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    changes: &'q CommonAttributes,
) -> Query<'q, Sqlite, SqliteArguments> {
    query
        .bind(changes.reference.is_keep())
        .bind(changes.reference.value())
        .bind(changes.reference_origin.is_keep())
        .bind(changes.reference_origin.value())
        .bind(changes.metadata.as_ref().map(Json))
}
