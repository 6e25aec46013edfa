use serde_json::{Map, Value as Json};
use time::OffsetDateTime;

/// What was read of a row.
pub type Read<T> = Result<T, sqlx::Error>;

/// The columns of a row, by their names; `None` is null.
pub trait Columns {
    fn text(&self, column: &str) -> Read<Option<String>>;
    fn texts(&self, column: &str) -> Read<Vec<String>>;
    fn bytes(&self, column: &str) -> Read<Option<Vec<u8>>>;
    fn integer(&self, column: &str) -> Read<Option<i64>>;
    fn boolean(&self, column: &str) -> Read<Option<bool>>;
    fn time(&self, column: &'static str) -> Read<Option<OffsetDateTime>>;
    fn object(&self, column: &str) -> Read<Option<Map<String, Json>>>;
}

/// The error for a column whose value makes no sense; the value stays out of it.
#[must_use]
pub fn corrupt(column: &'static str) -> sqlx::Error {
    let source = "the stored value is none that this version writes".into();
    sqlx::Error::ColumnDecode { index: column.to_owned(), source }
}

/// The columns that both databases store alike.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
macro_rules! shared_columns {
    () => {
        fn text(&self, column: &str) -> Read<Option<String>> {
            self.try_get(column)
        }

        fn bytes(&self, column: &str) -> Read<Option<Vec<u8>>> {
            self.try_get(column)
        }

        fn boolean(&self, column: &str) -> Read<Option<bool>> {
            self.try_get(column)
        }

        fn object(&self, column: &str) -> Read<Option<Map<String, Json>>> {
            Ok(self.try_get::<Option<sqlx::types::Json<_>>, _>(column)?.map(|json| json.0))
        }
    };
}

#[cfg(feature = "postgres")]
mod postgres {
    use sqlx::{Row, postgres::PgRow};

    use super::{Columns, Json, Map, OffsetDateTime, Read};

    impl Columns for PgRow {
        shared_columns!();

        fn texts(&self, column: &str) -> Read<Vec<String>> {
            self.try_get(column)
        }

        /// Of whatever width.
        fn integer(&self, column: &str) -> Read<Option<i64>> {
            self.try_get_unchecked(column)
        }

        fn time(&self, column: &'static str) -> Read<Option<OffsetDateTime>> {
            self.try_get(column)
        }
    }
}

/// SQLite has no arrays and no times: they are JSON, and microseconds since 1970.
#[cfg(feature = "sqlite")]
mod sqlite {
    use rekey_core::clock::from_unix_microseconds;
    use sqlx::{Row, sqlite::SqliteRow};

    use super::{Columns, Json, Map, OffsetDateTime, Read, corrupt};

    impl Columns for SqliteRow {
        shared_columns!();

        fn texts(&self, column: &str) -> Read<Vec<String>> {
            Ok(self.try_get::<sqlx::types::Json<_>, _>(column)?.0)
        }

        fn integer(&self, column: &str) -> Read<Option<i64>> {
            self.try_get(column)
        }

        fn time(&self, column: &'static str) -> Read<Option<OffsetDateTime>> {
            let stored: Option<i64> = self.try_get(column)?;
            stored.map(|stored| from_unix_microseconds(stored).ok_or_else(|| corrupt(column))).transpose()
        }
    }
}
