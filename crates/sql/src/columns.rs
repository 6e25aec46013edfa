use rekey_core::clock::from_unix_microseconds;
use serde_json::{Map, Value as Json};
use sqlx::{Row, postgres::PgRow, sqlite::SqliteRow, types};
use time::OffsetDateTime;

/// A value that was read from a row.
pub type Read<T> = Result<T, sqlx::Error>;

/// The columns of a row of either database, by their names; `None` is null.
pub trait Columns {
    fn text(&self, column: &str) -> Read<Option<String>>;
    fn texts(&self, column: &str) -> Read<Vec<String>>;
    fn bytes(&self, column: &str) -> Read<Option<Vec<u8>>>;
    /// An integer of any width.
    fn integer(&self, column: &str) -> Read<Option<i64>>;
    fn boolean(&self, column: &str) -> Read<Option<bool>>;
    fn time(&self, column: &'static str) -> Read<Option<OffsetDateTime>>;
    fn object(&self, column: &str) -> Read<Option<Map<String, Json>>>;
}

/// The error for a column whose value no version writes. It does not contain the value.
#[must_use]
pub fn corrupt(column: &'static str) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: "the stored value is malformed".into() }
}

/// The columns that both databases store alike.
macro_rules! shared_columns {
    () => {
        fn text(&self, column: &str) -> Read<Option<String>> {
            self.try_get(column)
        }

        fn bytes(&self, column: &str) -> Read<Option<Vec<u8>>> {
            self.try_get(column)
        }

        fn integer(&self, column: &str) -> Read<Option<i64>> {
            self.try_get_unchecked(column)
        }

        fn boolean(&self, column: &str) -> Read<Option<bool>> {
            self.try_get(column)
        }

        fn object(&self, column: &str) -> Read<Option<Map<String, Json>>> {
            Ok(self.try_get::<Option<types::Json<_>>, _>(column)?.map(|json| json.0))
        }
    };
}

impl Columns for PgRow {
    shared_columns!();

    fn texts(&self, column: &str) -> Read<Vec<String>> {
        self.try_get(column)
    }

    fn time(&self, column: &'static str) -> Read<Option<OffsetDateTime>> {
        self.try_get(column)
    }
}

/// SQLite keeps arrays as JSON, and times as microseconds since 1970.
impl Columns for SqliteRow {
    shared_columns!();

    fn texts(&self, column: &str) -> Read<Vec<String>> {
        Ok(self.try_get::<types::Json<_>, _>(column)?.0)
    }

    fn time(&self, column: &'static str) -> Read<Option<OffsetDateTime>> {
        let stored = self.try_get::<Option<i64>, _>(column)?;
        stored.map(|stored| from_unix_microseconds(stored).ok_or_else(|| corrupt(column))).transpose()
    }
}
