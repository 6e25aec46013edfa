//! Statements that are made, not written: run here.

use rekey_core::clock::to_unix_microseconds;
use rekey_sql::{Bind, Statement};
use sqlx::{AssertSqlSafe, Sqlite, SqliteExecutor, query::Query, sqlite::SqliteArguments, types::Json};

/// How many rows it changed.
pub(crate) async fn execute(
    executor: impl SqliteExecutor<'_>,
    statement: Statement,
) -> Result<u64, sqlx::Error> {
    Ok(prepared(statement).execute(executor).await?.rows_affected())
}

/// Its text holds nothing that a caller sent: see [`rekey_sql`].
fn prepared(statement: Statement) -> Query<'static, Sqlite, SqliteArguments> {
    let (text, binds) = statement.into_parts();
    binds.into_iter().fold(sqlx::query(AssertSqlSafe(text)), |query, value| match value {
        Bind::Text(text) => query.bind(text),
        Bind::Texts(texts) => query.bind(Json(texts)),
        Bind::Bytes(bytes) => query.bind(bytes),
        Bind::Time(at) => query.bind(to_unix_microseconds(at)),
        Bind::Integer(number) => query.bind(number),
        Bind::Float(number) => query.bind(number),
        Bind::Boolean(is) => query.bind(is),
        Bind::Json(object) => query.bind(Json(object)),
    })
}
