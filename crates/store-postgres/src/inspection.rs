//! What `rekey doctor` reads: the server, the role, and whether the programs' roles have their rights. Nothing is changed.

use rekey_core::error::StoreError;
use time::OffsetDateTime;

use crate::{PostgresStore, error::map_db_error, migration::IS_OWNER};

/// A database server, and the role in `database.url`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseFacts {
    /// The server's version, such as `17.7`.
    pub version: String,
    /// The same as a number: 170007.
    pub version_number: i32,
    /// How many connections the server takes from all clients together.
    pub max_connections: i32,
    /// The role that statements are executed as.
    pub role: String,
    /// Whether no right is checked for it.
    pub is_superuser: bool,
    /// Whether it owns the schema.
    pub is_owner: bool,
    /// Those of the programs' roles that exist.
    pub program_roles: Vec<String>,
}

const FACTS: &str = "SELECT current_setting('server_version'), current_setting('server_version_num')::int, \
    current_setting('max_connections')::int, current_user::text, rolsuper FROM pg_roles WHERE rolname = current_user";

const PROGRAM_ROLES: &str = "SELECT rolname::text FROM pg_roles \
    WHERE rolname IN ('rekey_api', 'rekey_mailer', 'rekey_maintenance', 'rekey_console', 'rekey_webhooks') ORDER BY rolname";

/// A column of an empty name is the whole table.
const MISSING: &str =
    "SELECT concat(role, ': ', privilege, ' on ', tab, CASE WHEN col <> '' THEN ' (' || col || ')' END)
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS needed (role, privilege, tab, col)
    WHERE NOT CASE WHEN col = '' THEN has_table_privilege(role::name, tab, privilege)
        ELSE has_column_privilege(role::name, tab, col, privilege) END";

impl PostgresStore {
    /// Reads the facts.
    pub async fn facts(&self) -> Result<DatabaseFacts, StoreError> {
        let facts = sqlx::query_as(FACTS).fetch_one(&self.pool).await.map_err(map_db_error)?;
        let (version, version_number, max_connections, role, is_superuser) = facts;
        let is_owner = sqlx::query_scalar(IS_OWNER).fetch_one(&self.pool).await.map_err(map_db_error)?;
        let program_roles =
            sqlx::query_scalar(PROGRAM_ROLES).fetch_all(&self.pool).await.map_err(map_db_error)?;
        Ok(DatabaseFacts {
            version,
            version_number,
            max_connections,
            role,
            is_superuser,
            is_owner,
            program_roles,
        })
    }

    /// Returns the server's time.
    pub async fn server_time(&self) -> Result<OffsetDateTime, StoreError> {
        sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&self.pool).await.map_err(map_db_error)
    }

    /// Returns the rights that these roles, which exist, need by `grants.sql` and lack, such as `rekey_mailer: SELECT on organizations`. The
    /// schema must be this version's.
    pub async fn missing_rights(&self, roles: &[String]) -> Result<Vec<String>, StoreError> {
        let needed: Vec<_> =
            needed_rights().into_iter().filter(|right| roles.contains(&right.role)).collect();
        let column =
            |field: fn(&Right) -> &String| needed.iter().map(field).cloned().collect::<Vec<String>>();
        sqlx::query_scalar(MISSING)
            .bind(column(|right| &right.role))
            .bind(column(|right| &right.privilege))
            .bind(column(|right| &right.table))
            .bind(column(|right| &right.column))
            .fetch_all(&self.pool)
            .await
            .map_err(map_db_error)
    }
}

/// A right to a table, or to one of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Right {
    role: String,
    privilege: String,
    table: String,
    /// Empty for the whole table.
    column: String,
}

/// Returns the rights that `grants.sql` grants.
fn needed_rights() -> Vec<Right> {
    let lines = include_str!("grants.sql").lines();
    let words = lines.flat_map(|line| line.split("--").next().unwrap_or_default().split_whitespace());
    let text = words.collect::<Vec<_>>().join(" ");
    let grants = text.split(';').filter_map(|statement| Some(statement.split_once("GRANT ")?.1));
    grants.filter_map(rights).flatten().collect()
}

/// Parses `SELECT (id), DELETE ON events, resets TO rekey_api`.
fn rights(grant: &str) -> Option<Vec<Right>> {
    let (privileges, rest) = grant.split_once(" ON ")?;
    let (tables, role) = rest.split_once(" TO ")?;
    let mut rights = Vec::new();
    for privilege in split_outside_parentheses(privileges) {
        let (privilege, columns) = privilege.split_once('(').unwrap_or((privilege, ""));
        for table in tables.split(',') {
            for column in columns.trim_end_matches([')', ' ']).split(',') {
                let [role, privilege, table, column] =
                    [role, privilege, table, column].map(|text| text.trim().to_owned());
                rights.push(Right { role, privilege, table, column });
            }
        }
    }
    Some(rights)
}

fn split_outside_parentheses(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_u32;
    text.split(move |character| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grant_is_read() {
        let rights = needed_rights();
        let statements = include_str!("grants.sql").matches("TO rekey_").count();
        assert!(statements > 30 && rights.len() > 150, "{statements} statements, {} rights", rights.len());
        for (privilege, table, column) in
            [("SELECT", "known_keys", ""), ("UPDATE", "erasures", "resource_ids"), ("DELETE", "erasures", "")]
        {
            let found = rights
                .iter()
                .find(|right| right.privilege == privilege && right.table == table && right.column == column);
            assert!(found.is_some(), "{privilege} on {table} {column}");
        }
        let is_name = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        for right in &rights {
            assert!(right.role.starts_with("rekey_") && is_name(&right.role), "{right:?}");
            assert!(is_name(&right.table) && is_name(&right.column), "{right:?}");
            assert!(["SELECT", "INSERT", "UPDATE", "DELETE"].contains(&&*right.privilege), "{right:?}");
        }
    }
}
