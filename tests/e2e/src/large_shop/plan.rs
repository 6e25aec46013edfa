use std::fmt;

use rekey_sql::Select;
use sea_query::{PostgresQueryBuilder, QueryBuilder, Value as Bind};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

/// PostgreSQL's execution of a statement.
#[derive(Debug)]
pub struct Plan {
    planning: Planning,
    /// The plan's nodes, outermost first, with the index or table that each reads.
    nodes: Vec<String>,
    /// The number of 8 KiB pages touched, cached or not.
    pub buffers: u64,
}

/// Whether a prepared statement is planned for its values (custom) or for any values (generic). PostgreSQL chooses either for a
/// driver's statement.
#[derive(Debug, Clone, Copy)]
pub enum Planning {
    Custom,
    Generic,
}

impl Plan {
    /// Prepares and runs a statement.
    pub async fn of(connection: &mut PgConnection, planning: Planning, select: Select) -> Self {
        let mode = match planning {
            Planning::Custom => "force_custom_plan",
            Planning::Generic => "force_generic_plan",
        };
        let Select { text, values } = select;
        let binds = values.0;
        let types = binds.iter().map(type_of).collect::<Vec<_>>().join(", ");
        let values = binds
            .iter()
            .map(|value| PostgresQueryBuilder.value_to_string(value))
            .collect::<Vec<_>>()
            .join(", ");
        let prepare = format!("SET plan_cache_mode = {mode}; PREPARE list ({types}) AS {text}");
        sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *connection).await.unwrap();
        let explain = format!("EXPLAIN (FORMAT JSON, ANALYZE, BUFFERS, TIMING off) EXECUTE list ({values})");
        let explained: Value =
            sqlx::query_scalar(AssertSqlSafe(explain)).fetch_one(&mut *connection).await.unwrap();
        sqlx::raw_sql("DEALLOCATE list").execute(connection).await.unwrap();
        let root = &explained[0]["Plan"];
        let count = |name: &str| root[name].as_u64().unwrap_or_default();
        let mut nodes = Vec::new();
        collect(root, &mut nodes);
        Self { planning, nodes, buffers: count("Shared Hit Blocks") + count("Shared Read Blocks") }
    }

    /// Whether it scans a whole table.
    #[must_use]
    pub fn scans_a_table(&self) -> bool {
        self.nodes.iter().any(|node| node.contains("Seq Scan"))
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { planning, nodes, buffers } = self;
        write!(f, "{buffers} buffers, {planning:?}: {}", nodes.join(" < "))
    }
}

fn collect(node: &Value, nodes: &mut Vec<String>) {
    let text = |name: &str| node[name].as_str();
    let of = text("Index Name").or(text("Relation Name"));
    let kind = text("Node Type").unwrap();
    nodes.push(of.map_or(kind.to_owned(), |of| format!("{kind} {of}")));
    for inner in node["Plans"].as_array().into_iter().flatten() {
        collect(inner, nodes);
    }
}

fn type_of(bind: &Bind) -> &'static str {
    match bind {
        Bind::String(_) => "text",
        Bind::Bytes(_) => "bytea",
        Bind::TimeDateTimeWithTimeZone(_) => "timestamptz",
        Bind::BigInt(_) | Bind::Unsigned(_) => "bigint",
        Bind::Bool(_) => "boolean",
        Bind::Json(_) => "jsonb",
        other => panic!("{other:?}"),
    }
}
