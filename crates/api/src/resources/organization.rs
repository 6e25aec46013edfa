//! `/api/organization`: the caller's own organization.

use std::convert::Infallible;

use actix_web::{HttpResponse, web::Data};
use rekey_core::{
    organizations::Organization,
    resets::service::ResetService,
    resources::{
        ORGANIZATIONS,
        record::{Record, Value},
    },
};
use rekey_runtime::config::Support;
use rekey_texts::SayError;

use crate::{
    auth::principal::Principal,
    jsonapi::{document::Documents, error::Problem, query::Query},
    pages::{Pages, SharedPages},
};

/// `GET`: for any caller, in the language that the request asks for.
pub async fn show(
    principal: Principal,
    resets: Data<ResetService>,
    pages: Data<SharedPages>,
    documents: Data<Documents>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let view = query.one(&ORGANIZATIONS, principal.audience())?;
    let organization = record(&principal, &resets, &pages.load()).map_err(|error| {
        tracing::error!(%error, "rendering an organization's password rules failed");
        Problem::Internal
    })?;
    principal.responder(&documents).ok(&organization, &view).await
}

fn record(principal: &Principal, resets: &ResetService, pages: &Pages) -> Result<Record, SayError> {
    let Organization { id, slug, name, created_at } = &principal.client.organization;
    let site = pages.for_organization(Some(slug));
    let policy = resets.rules.load().get(slug).policy;
    let reader = site.texts.reader(site.texts.choose(&principal.caller.locales));
    let rules = reader.policy(policy)?.join(" ");
    let brand = &site.brand;
    let support = match &brand.support {
        Some(Support::Email(address)) => Value::Text(address.clone()),
        Some(Support::Page(_)) | None => Value::Null,
    };
    let text = |value: &Option<String>| value.clone().map_or(Value::Null, Value::Text);
    let value = |attribute: &str| match attribute {
        "name" => Value::Text(name.clone()),
        "slug" => Value::Text(slug.to_string()),
        "domain" => Value::Text(brand.domain.clone().unwrap_or_else(|| pages.default_domain(slug))),
        "support_phone" => text(&brand.support_phone),
        "logo_url" => text(&brand.logo_url),
        "favicon_url" => text(&brand.favicon_url),
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
