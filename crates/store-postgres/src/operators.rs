use async_trait::async_trait;
use rekey_core::{
    error::{CreateError, StoreError},
    operators::{
        Operator, OperatorName, OperatorRole, OperatorSessions, OperatorStore, SESSION_IDLE_TIME,
        SESSION_MAX_AGE,
    },
    passwords::PasswordHash,
    secrets::OperatorTokenDigest,
};
use rekey_sql::rows::{self, Read};
use sqlx::{Row, postgres::PgRow};

use crate::{
    PostgresStore,
    error::{map_create_error, map_db_error},
};

#[async_trait]
impl OperatorStore for PostgresStore {
    async fn create_operator(
        &self,
        name: OperatorName,
        role: OperatorRole,
        password: &PasswordHash,
    ) -> Result<(), CreateError> {
        let query = sqlx::query("INSERT INTO operators (name, role, password_hash) VALUES ($1, $2, $3)");
        let query = query.bind(name.as_str()).bind(role.as_str()).bind(password.as_str());
        query.execute(&self.pool).await.map_err(map_create_error)?;
        Ok(())
    }

    async fn operators(&self) -> Result<Vec<Operator>, StoreError> {
        let rows = sqlx::query("SELECT name, role, created_at FROM operators ORDER BY name")
            .fetch_all(&self.pool)
            .await
            .map_err(map_db_error)?;
        rows.iter().map(operator).collect::<Read<_>>().map_err(map_db_error)
    }

    async fn update_operator_role(&self, name: OperatorName, role: OperatorRole) -> Result<bool, StoreError> {
        let query =
            sqlx::query("UPDATE operators SET role = $2, generation = generation + 1 WHERE name = $1")
                .bind(name.as_str())
                .bind(role.as_str());
        Ok(query.execute(&self.pool).await.map_err(map_db_error)?.rows_affected() > 0)
    }

    async fn replace_operator_password(
        &self,
        name: OperatorName,
        password: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "UPDATE operators SET password_hash = $2, generation = generation + 1 WHERE name = $1",
        )
        .bind(name.as_str())
        .bind(password.as_str());
        Ok(query.execute(&self.pool).await.map_err(map_db_error)?.rows_affected() > 0)
    }

    async fn delete_operator(&self, name: OperatorName) -> Result<bool, StoreError> {
        let query = sqlx::query("DELETE FROM operators WHERE name = $1").bind(name.as_str());
        Ok(query.execute(&self.pool).await.map_err(map_db_error)?.rows_affected() > 0)
    }
}

#[async_trait]
impl OperatorSessions for PostgresStore {
    async fn operator_password(&self, name: OperatorName) -> Result<Option<PasswordHash>, StoreError> {
        let query =
            sqlx::query_scalar("SELECT password_hash FROM operators WHERE name = $1").bind(name.as_str());
        let hash = query.fetch_optional(&self.pool).await.map_err(map_db_error)?;
        Ok(hash.map(PasswordHash::from_phc))
    }

    async fn open_operator_session(
        &self,
        name: OperatorName,
        password: &PasswordHash,
        token: &OperatorTokenDigest,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "WITH expired AS (
                 DELETE FROM operator_sessions
                 WHERE used_at <= now() - make_interval(secs => $4) OR created_at <= now() - make_interval(secs => $5)
             )
             INSERT INTO operator_sessions (token_digest, operator_name, operator_generation)
             SELECT $1, name, generation FROM operators WHERE name = $2 AND password_hash = $3",
        )
        .bind(token.as_bytes().as_slice())
        .bind(name.as_str())
        .bind(password.as_str())
        .bind(SESSION_IDLE_TIME.as_seconds_f64())
        .bind(SESSION_MAX_AGE.as_seconds_f64());
        Ok(query.execute(&self.pool).await.map_err(map_db_error)?.rows_affected() > 0)
    }

    async fn use_operator_session(
        &self,
        token: &OperatorTokenDigest,
    ) -> Result<Option<Operator>, StoreError> {
        let row = sqlx::query(
            "UPDATE operator_sessions s SET used_at = now() FROM operators o
             WHERE s.token_digest = $1 AND o.name = s.operator_name AND o.generation = s.operator_generation
                 AND s.used_at > now() - make_interval(secs => $2) AND s.created_at > now() - make_interval(secs => $3)
             RETURNING o.name, o.role, o.created_at",
        )
        .bind(token.as_bytes().as_slice())
        .bind(SESSION_IDLE_TIME.as_seconds_f64())
        .bind(SESSION_MAX_AGE.as_seconds_f64())
        .fetch_optional(&self.pool)
        .await
        .map_err(map_db_error)?;
        row.as_ref().map(operator).transpose().map_err(map_db_error)
    }

    async fn end_operator_session(&self, token: &OperatorTokenDigest) -> Result<(), StoreError> {
        let query = sqlx::query("DELETE FROM operator_sessions WHERE token_digest = $1");
        query.bind(token.as_bytes().as_slice()).execute(&self.pool).await.map_err(map_db_error)?;
        Ok(())
    }
}

fn operator(row: &PgRow) -> Read<Operator> {
    Ok(Operator {
        name: rows::parsed(row, "name")?,
        role: rows::known(row, "role", OperatorRole::parse)?,
        created_at: row.try_get("created_at")?,
    })
}
