//! `/api/organization`: the caller's own.

use std::convert::Infallible;

use actix_web::{HttpResponse, web::Data};
use rekey_core::{
    organizations::Organization,
    resources::{
        Audience, ORGANIZATIONS,
        record::{Record, Value},
    },
};
use rekey_runtime::config::Support;
use rekey_texts::SayError;

use crate::{
    api::Api,
    auth::principal::{Permitted, Session},
    jsonapi::{document::Responder, error::Problem, query::Query},
};

/// `GET`: for whoever has an access token; in the languages that the request asks for.
pub async fn show(
    Permitted(session): Permitted<Session>,
    api: Data<Api>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let view = query.one(&ORGANIZATIONS, Audience::Everyone)?;
    let organization = record(&api, &session).map_err(|error| {
        tracing::error!(%error, "an organization's rules can't be said");
        Problem::Internal
    })?;
    Responder::new(&api, &session, Audience::Everyone).ok(&organization, &view).await
}

fn record(api: &Api, session: &Session) -> Result<Record, SayError> {
    let Organization { id, slug, name, created_at } = &session.registration.organization;
    let site = api.pages.of(Some(slug));
    let policy = api.recovery.rules.of(slug).policy;
    let reader = site.texts.reader(site.texts.choose(&session.caller.locales));
    let rules = reader.policy(policy)?.join(" ");
    let brand = site.brand();
    let support = match &brand.support {
        Some(Support::Email(address)) => Value::Text(address.clone()),
        Some(Support::Page(_)) | None => Value::Null,
    };
    let value = |attribute: &str| match attribute {
        "name" => Value::Text(name.clone()),
        "slug" => Value::Text(slug.to_string()),
        "primary_color" => Value::Text(brand.color.to_string()),
        "support_email" => support.clone(),
        "password_min_length" => Value::Integer(i64::try_from(policy.min_length).unwrap_or(i64::MAX)),
        "password_rules" => Value::Text(rules.clone()),
        "created_at" | "updated_at" => Value::Time(*created_at),
        _ => Value::Null,
    };
    let read = Record::read::<Infallible>(
        &ORGANIZATIONS,
        (*id).into(),
        |attribute, _| Ok(value(attribute.name)),
        |_| Ok(None),
    );
    Ok(read.unwrap_or_else(|never| match never {}))
}
