//! Direct access to a store's tables, to read them and to move times instead of waiting.

use std::path::Path;

use async_trait::async_trait;
use rekey_core::{clock::to_unix_microseconds, ids::RecordId};
use sqlx::{
    AssertSqlSafe, PgPool, Row, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use time::{Duration, OffsetDateTime};

/// Reads a store's database, and moves its times.
#[async_trait]
pub trait Backdoor: Send + Sync {
    /// Returns the single text that a query selects; `None` for NULL or no row.
    async fn text(&self, query: &str) -> Option<String>;

    /// Runs statements, in one transaction.
    async fn script(&self, statements: &str);

    /// Returns the expression for the time in `column`, `by` earlier.
    fn earlier(&self, column: &str, by: Duration) -> String;

    /// Returns the expression for the bytes in `column` as lower-case hexadecimal digits.
    fn hex(&self, column: &str) -> String;

    /// Moves the times in `column` of the rows that fulfil `condition` back by `by`.
    async fn age(&self, table: &str, column: &str, condition: &str, by: Duration) {
        let earlier = self.earlier(column, by);
        self.script(&format!("UPDATE {table} SET {column} = {earlier} WHERE {condition}")).await;
    }

    /// Returns a query for a query, which lists as a text the columns of all tables in which a text occurs, as `table.column`; a network
    /// address without its length. Columns of every type are read.
    fn trace_query(&self, text: &str) -> String;

    /// Returns the columns of all tables in which a text occurs, as `table.column`, in their order.
    async fn traces(&self, text: &str) -> Vec<String> {
        let query = self.text(&self.trace_query(text)).await.expect("there are tables");
        let places = self.text(&query).await.unwrap_or_default();
        let mut places: Vec<_> =
            places.split(' ').filter(|place| !place.is_empty()).map(str::to_owned).collect();
        places.sort();
        places
    }

    /// Sets the times in `column` of the rows with these ids.
    async fn set_times(&self, table: &str, column: &str, times: &[(RecordId, OffsetDateTime)]);

    /// Counts the rows of `table` that fulfil `condition`.
    async fn count(&self, table: &str, condition: &str) -> u64 {
        let query = format!("SELECT CAST(count(*) AS TEXT) FROM {table} WHERE {condition}");
        self.text(&query).await.expect("count answers").parse().unwrap()
    }
}

/// The backdoor of a PostgreSQL store.
#[derive(Debug)]
pub struct PostgresBackdoor(PgPool);

impl PostgresBackdoor {
    /// Opens the database at that URL.
    #[must_use]
    pub fn open(url: &str) -> Self {
        Self(PgPoolOptions::new().max_connections(1).connect_lazy(url).unwrap())
    }

    /// Runs a statement on the backdoor's one connection; the error is the server's code.
    ///
    /// # Errors
    /// The server's `SQLSTATE`.
    pub async fn run(&self, statement: &str) -> Result<(), String> {
        let outcome = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&self.0).await;
        outcome.map(drop).map_err(|error| match error {
            sqlx::Error::Database(error) => error.code().unwrap().into_owned(),
            other => panic!("{other}"),
        })
    }
}

#[async_trait]
impl Backdoor for PostgresBackdoor {
    async fn text(&self, query: &str) -> Option<String> {
        let row = sqlx::query(AssertSqlSafe(query)).fetch_optional(&self.0).await.unwrap();
        row.and_then(|row| row.get(0))
    }

    async fn script(&self, statements: &str) {
        // PostgreSQL runs a script as one transaction.
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&self.0).await.unwrap();
    }

    fn trace_query(&self, text: &str) -> String {
        format!(
            "SELECT 'SELECT string_agg(place, '' '') FROM (' || string_agg(format(
                 CASE data_type
                     WHEN 'bytea' THEN 'SELECT %1$L AS place WHERE EXISTS (SELECT FROM %2$I WHERE position(convert_to(%4$L, ''UTF8'') IN %3$I) > 0)'
                     ELSE 'SELECT %1$L AS place WHERE EXISTS (SELECT FROM %2$I WHERE position(%4$L IN %3$I::text) > 0)'
                 END, table_name || '.' || column_name, table_name, column_name, '{text}'), ' UNION ALL ') || ') x'
             FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
             WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
    }

    fn earlier(&self, column: &str, by: Duration) -> String {
        format!("{column} - interval '{} microseconds'", by.whole_microseconds())
    }

    fn hex(&self, column: &str) -> String {
        format!("encode({column}, 'hex')")
    }

    async fn set_times(&self, table: &str, column: &str, times: &[(RecordId, OffsetDateTime)]) {
        let (ids, times): (Vec<_>, Vec<_>) = times.iter().map(|(id, at)| (id.to_string(), *at)).unzip();
        let query = format!(
            "UPDATE {table} SET {column} = given.at FROM unnest($1, $2) AS given (id, at) WHERE {table}.id = given.id"
        );
        sqlx::query(AssertSqlSafe(query)).bind(ids).bind(times).execute(&self.0).await.unwrap();
    }
}

/// The backdoor of a SQLite store, whose times are microseconds since 1970.
#[derive(Debug)]
pub struct SqliteBackdoor(SqlitePool);

impl SqliteBackdoor {
    /// Opens the file.
    #[must_use]
    pub fn open(path: &Path) -> Self {
        Self(
            SqlitePoolOptions::new()
                .max_connections(1)
                .connect_lazy_with(SqliteConnectOptions::new().filename(path)),
        )
    }
}

#[async_trait]
impl Backdoor for SqliteBackdoor {
    async fn text(&self, query: &str) -> Option<String> {
        let row = sqlx::query(AssertSqlSafe(query)).fetch_optional(&self.0).await.unwrap();
        row.and_then(|row| row.get(0))
    }

    async fn script(&self, statements: &str) {
        let mut transaction = self.0.begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    }

    fn trace_query(&self, text: &str) -> String {
        format!(
            "SELECT 'SELECT group_concat(place, '' '') FROM (' || group_concat(printf(
                 'SELECT ''%s.%s'' AS place WHERE EXISTS (SELECT 1 FROM %s WHERE instr(CAST(%s AS BLOB), CAST(''{text}'' AS BLOB)) > 0)',
                 t.name, c.name, t.name, c.name), ' UNION ALL ') || ')'
             FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'"
        )
    }

    fn earlier(&self, column: &str, by: Duration) -> String {
        format!("{column} - {}", by.whole_microseconds())
    }

    fn hex(&self, column: &str) -> String {
        format!("lower(hex({column}))")
    }

    async fn set_times(&self, table: &str, column: &str, times: &[(RecordId, OffsetDateTime)]) {
        let query = format!("UPDATE {table} SET {column} = ?1 WHERE id = ?2");
        let mut transaction = self.0.begin().await.unwrap();
        for (id, at) in times {
            let at = to_unix_microseconds(*at);
            let set = sqlx::query(AssertSqlSafe(query.as_str())).bind(at).bind(id.to_string());
            set.execute(&mut *transaction).await.unwrap();
        }
        transaction.commit().await.unwrap();
    }
}
