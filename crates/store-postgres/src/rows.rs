//! Reads rows back into domain types. A value that is none of the domain's is a corrupt record.

use std::{fmt, str::FromStr};

use rekey_core::{
    clients::{ApiClient, ClientKind, RegisteredClient, origin::AllowedOrigin},
    customers::Credentials,
    deliveries::suppression::Suppression,
    ids::ResetId,
    organizations::Organization,
    passwords::PasswordHash,
    resets::{Redeemed, RejectableReset, TokenHolder, TokenState},
    resources::{
        Kind, Resource,
        record::{Record, Value},
    },
    scope::{Mode, Scope},
    secrets::{ClientSecretDigest, SealedToken},
};
use sqlx::{Row, postgres::PgRow, types::Json};
use time::OffsetDateTime;

pub(crate) type Read<T> = Result<T, sqlx::Error>;

pub(crate) fn organization(row: &PgRow) -> Read<Organization> {
    Ok(Organization {
        id: parsed(row, "organization_id")?,
        slug: parsed(row, "organization_slug")?,
        name: row.try_get("organization_name")?,
        created_at: row.try_get("organization_created_at")?,
    })
}

pub(crate) fn registered_client(row: &PgRow) -> Read<RegisteredClient> {
    let secret = row.try_get::<Option<Vec<u8>>, _>("secret_digest")?;
    let client = ApiClient {
        id: parsed(row, "id")?,
        client_id: row.try_get("client_id")?,
        name: row.try_get("name")?,
        scope: scope(row)?,
        kind: known(row, "kind", ClientKind::parse)?,
        secret: secret
            .map(|digest| ClientSecretDigest::from_bytes(&digest).ok_or_else(|| corrupt("secret_digest")))
            .transpose()?,
        self_service: row.try_get("self_service")?,
        allowed_origins: allowed_origins(&row.try_get::<Vec<String>, _>("allowed_origins")?)?,
        revoked_at: row.try_get("revoked_at")?,
        created_at: row.try_get("created_at")?,
    };
    Ok(RegisteredClient { client, organization: organization(row)? })
}

/// A record from the columns that its definition names.
pub(crate) fn record(row: &PgRow, resource: &'static Resource) -> Read<Record> {
    let link = |column| {
        let id = row.try_get::<Option<&str>, _>(column)?;
        id.map(|id| id.parse().map_err(|_| corrupt(column))).transpose()
    };
    Record::read(resource, parsed(row, "id")?, |attribute, column| value(row, attribute.kind, column), link)
}

fn value(row: &PgRow, kind: Kind, column: &'static str) -> Read<Value> {
    let value = match kind {
        Kind::Id | Kind::Email | Kind::Text | Kind::Locale | Kind::Password => {
            row.try_get::<Option<String>, _>(column)?.map(Value::Text)
        }
        Kind::Time => row.try_get::<Option<OffsetDateTime>, _>(column)?.map(Value::Time),
        Kind::Object => row.try_get::<Option<Json<_>>, _>(column)?.map(|Json(object)| Value::Object(object)),
        Kind::Boolean => row.try_get::<Option<bool>, _>(column)?.map(Value::Boolean),
        Kind::Integer => row.try_get::<Option<i64>, _>(column)?.map(Value::Integer),
        Kind::Token => {
            row.try_get::<Option<Vec<u8>>, _>(column)?.map(SealedToken::from_bytes).map(Value::Token)
        }
    };
    Ok(value.unwrap_or(Value::Null))
}

pub(crate) fn credentials(row: &PgRow) -> Read<Credentials> {
    let hash = row.try_get::<Option<String>, _>("hash")?;
    Ok(Credentials { customer: parsed(row, "id")?, password: hash.map(PasswordHash::from_phc) })
}

pub(crate) fn token_holder(row: &PgRow, reset: ResetId) -> Read<TokenHolder> {
    Ok(TokenHolder {
        scope: scope(row)?,
        organization: organization(row)?,
        reset,
        customer: parsed(row, "customer_id")?,
        email: parsed(row, "email")?,
    })
}

pub(crate) fn rejectable(row: &PgRow, reset: ResetId) -> Read<RejectableReset> {
    Ok(RejectableReset {
        scope: scope(row)?,
        organization: organization(row)?,
        reset,
        email: parsed(row, "email")?,
        state: known(row, "state", |state| match state {
            "pending" => Some(TokenState::Pending),
            "used" => Some(TokenState::Used),
            "dead" => Some(TokenState::Dead),
            _ => None,
        })?,
    })
}

pub(crate) fn redeemed(row: &PgRow) -> Read<Redeemed> {
    let sealed_token = SealedToken::from_bytes(row.try_get("sealed_token")?);
    Ok(Redeemed { reset: parsed(row, "id")?, scope: scope(row)?, sealed_token })
}

pub(crate) fn suppression(row: &PgRow) -> Read<Suppression> {
    let code: Option<i64> = row.try_get("smtp_code")?;
    Ok(Suppression {
        organization: parsed(row, "slug")?,
        mode: known(row, "mode", Mode::parse)?,
        email: parsed(row, "email")?,
        reason: row.try_get("reason")?,
        smtp_code: code.map(u16::try_from).transpose().map_err(|_| corrupt("smtp_code"))?,
        delivery: parsed(row, "event_id")?,
        created_at: row.try_get("created_at")?,
    })
}

fn allowed_origins(texts: &[String]) -> Read<Vec<AllowedOrigin>> {
    texts.iter().map(|text| text.parse().map_err(|_| corrupt("allowed_origins"))).collect()
}

pub(crate) fn scope(row: &PgRow) -> Read<Scope> {
    Ok(Scope { organization: parsed(row, "organization_id")?, mode: known(row, "mode", Mode::parse)? })
}

/// Reads a text column as one of the domain's types.
pub(crate) fn parsed<T: FromStr>(row: &PgRow, column: &'static str) -> Read<T> {
    known(row, column, |text| text.parse().ok())
}

/// The error for a column whose value makes no sense; the value stays out of it.
pub(crate) fn corrupt(column: &'static str) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(Corrupt) }
}

pub(crate) fn known<T>(row: &PgRow, column: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Read<T> {
    parse(row.try_get(column)?).ok_or_else(|| corrupt(column))
}

#[derive(Debug)]
struct Corrupt;

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stored value is none that this version writes")
    }
}

impl std::error::Error for Corrupt {}
