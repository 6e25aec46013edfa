//! Statements that are made, not written: run here.

use rekey_sql::{Bind, Dialect, Statement};
use sqlx::{
    AssertSqlSafe, PgPool, Postgres,
    postgres::{PgArguments, PgRow},
    query::Query,
    types::Json,
};

pub(crate) fn statement() -> Statement {
    Statement::new(Dialect::Postgres)
}

pub(crate) async fn fetch_optional(
    pool: &PgPool,
    statement: Statement,
) -> Result<Option<PgRow>, sqlx::Error> {
    prepared(statement).fetch_optional(pool).await
}

pub(crate) async fn fetch_one(pool: &PgPool, statement: Statement) -> Result<PgRow, sqlx::Error> {
    prepared(statement).fetch_one(pool).await
}

/// Its text holds nothing that a caller sent: see [`rekey_sql`].
fn prepared(statement: Statement) -> Query<'static, Postgres, PgArguments> {
    let (text, binds) = statement.into_parts();
    binds.into_iter().fold(sqlx::query(AssertSqlSafe(text)), |query, value| match value {
        Bind::Text(text) => query.bind(text),
        Bind::Texts(texts) => query.bind(texts),
        Bind::Bytes(bytes) => query.bind(bytes),
        Bind::Time(at) => query.bind(at),
        Bind::Integer(number) => query.bind(number),
        Bind::Float(number) => query.bind(number),
        Bind::Boolean(is) => query.bind(is),
        Bind::Json(object) => query.bind(Json(object)),
    })
}
