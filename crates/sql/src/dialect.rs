use rekey_core::{clock::to_unix_microseconds, ids::RecordId, resources::record::Value};
use sea_query::{Expr, ExprTrait, Func, Query, extension::postgres::PgFunc};
use serde_json::json;

/// The database that a statement is for.
#[derive(Debug, Clone, Copy)]
pub enum Dialect {
    /// PostgreSQL, whose own clock is used.
    Postgres,
    /// SQLite, where times are microseconds since 1970.
    Sqlite {
        /// The current time.
        now: i64,
    },
}

impl Dialect {
    /// Returns the current time.
    pub(crate) fn now(self) -> Expr {
        match self {
            Self::Postgres => Func::cust("now").into(),
            Self::Sqlite { now } => Expr::val(now),
        }
    }

    /// Returns the condition that the text in `column` is one of these ids, which are one parameter.
    pub(crate) fn is_one_of(self, column: Expr, ids: &[RecordId]) -> Expr {
        let ids: Vec<_> = ids.iter().map(RecordId::as_str).collect();
        match self {
            Self::Postgres => column.eq(PgFunc::any(ids.into_iter().map(str::to_owned).collect::<Vec<_>>())),
            Self::Sqlite { .. } => {
                let each = Func::cust("json_each").arg(json!(ids).to_string());
                column.in_subquery(Query::select().column("value").from_function(each, "ids").take())
            }
        }
    }

    /// Returns a parameter with this value.
    pub(crate) fn bind(self, value: &Value) -> Expr {
        match value {
            Value::Text(text) => Expr::val(text),
            Value::Time(at) => match self {
                Self::Postgres => Expr::val(*at),
                Self::Sqlite { .. } => Expr::val(to_unix_microseconds(*at)),
            },
            Value::Boolean(value) => Expr::val(*value),
            Value::Integer(number) => Expr::val(*number),
            // Nothing is equal to these, as nothing is to SQL's NULL.
            Value::Null
            | Value::Object(_)
            | Value::Texts(_)
            | Value::Token(_)
            | Value::SharedSecret(_)
            | Value::Payload(_) => Expr::cust("NULL"),
        }
    }
}
