//! Statements that are made, not written: run here.

use rekey_sql::{Bind, Statement};
use sqlx::{
    AssertSqlSafe, PgPool, Postgres,
    postgres::{PgArguments, PgRow},
    query::Query,
    types::Json,
};

/// `hot` is a statement that many calls have in common: it is kept prepared, and in the long run planned once for whatever
/// values. Any other is planned for its own: a plan for whatever filter would look for metadata that nothing has by
/// walking through all records in their order. Nor does it push a hot one out of a connection's prepared statements.
pub(crate) async fn fetch_all(
    pool: &PgPool,
    statement: Statement,
    hot: bool,
) -> Result<Vec<PgRow>, sqlx::Error> {
    prepared(statement).persistent(hot).fetch_all(pool).await
}

pub(crate) async fn fetch_optional(
    pool: &PgPool,
    statement: Statement,
) -> Result<Option<PgRow>, sqlx::Error> {
    prepared(statement).fetch_optional(pool).await
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
