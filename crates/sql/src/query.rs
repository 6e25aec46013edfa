use std::fmt::{self, Write};

use sea_query::{
    PostgresQueryBuilder, QueryBuilder, SelectStatement, SqlWriter, SqlWriterValues, SqliteQueryBuilder,
    Value,
};
use sea_query_sqlx::SqlxValues;
use sqlx::{AssertSqlSafe, Database, IntoArguments, query::Query};

use crate::Dialect;

/// The text of a `SELECT` and the values of its parameters.
#[derive(Debug)]
pub struct Select {
    pub text: String,
    pub values: SqlxValues,
}

impl Select {
    pub(crate) fn new(dialect: Dialect, select: &SelectStatement) -> Self {
        match dialect {
            Dialect::Postgres => Self::build(select, PostgresQueryBuilder),
            Dialect::Sqlite { .. } => Self::build(select, SqliteQueryBuilder),
        }
    }

    fn build(select: &SelectStatement, builder: impl QueryBuilder) -> Self {
        let (placeholder, numbered) = builder.placeholder();
        let mut writer = LimitInText(SqlWriterValues::new(placeholder, numbered));
        select.build_collect_into(builder, &mut writer);
        let (text, values) = writer.0.into_parts();
        Self { text, values: SqlxValues(values) }
    }

    /// Returns the query. Its text contains nothing that a caller sent.
    pub fn query<DB: Database>(self) -> Query<'static, DB, SqlxValues>
    where
        SqlxValues: IntoArguments<DB>,
    {
        sqlx::query_with(AssertSqlSafe(self.text), self.values)
    }
}

/// Writes limits and offsets, the only unsigned numbers, into the text, and binds all other values. With a bound limit PostgreSQL would
/// plan for a tenth of the table.
struct LimitInText(SqlWriterValues);

impl SqlWriter for LimitInText {
    fn push_param<T: QueryBuilder>(&mut self, value: Value, builder: &T) {
        match value {
            Value::BigUnsigned(Some(number)) => drop(write!(self.0, "{number}")),
            value => self.0.push_param(value, builder),
        }
    }

    fn as_writer(&mut self) -> &mut dyn Write {
        self
    }
}

impl Write for LimitInText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_str(text)
    }
}

impl fmt::Display for LimitInText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
