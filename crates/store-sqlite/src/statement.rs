//! Statements that are made, not written: run here.

use rekey_core::clock::to_unix_microseconds;
use rekey_sql::{Bind, Statement};
use sqlx::{
    AssertSqlSafe, Sqlite, SqliteExecutor,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
    types::Json,
};

pub(crate) async fn fetch_all(
    executor: impl SqliteExecutor<'_>,
    statement: Statement,
) -> Result<Vec<SqliteRow>, sqlx::Error> {
    prepared(statement).fetch_all(executor).await
}

pub(crate) async fn fetch_optional(
    executor: impl SqliteExecutor<'_>,
    statement: Statement,
) -> Result<Option<SqliteRow>, sqlx::Error> {
    prepared(statement).fetch_optional(executor).await
}

pub(crate) async fn fetch_one(
    executor: impl SqliteExecutor<'_>,
    statement: Statement,
) -> Result<SqliteRow, sqlx::Error> {
    prepared(statement).fetch_one(executor).await
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
