//! `/forgot-password`: a customer requests a mail. The answer doesn't depend on whether there is an account.

use actix_web::{
    HttpResponse,
    web::{Data, Payload},
};
use rekey_core::{
    caller::Actor,
    email::{EmailAddress, MAX_ADDRESS},
    resets::service::ResetService,
};
use serde::Deserialize;

use super::{context::PageContext, page::Page, paths, sent};
use crate::{
    jsonapi::error::Problem,
    limits::{Ceiling, Limits},
};

#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    email: String,
}

/// `GET` and `HEAD`: the form.
pub async fn show(context: PageContext) -> Result<HttpResponse, Problem> {
    context.client()?;
    Ok(form_page(&context, "", Vec::new()))
}

/// `POST`: requests a reset as the sales channel would, and always leads to the same page.
pub async fn submit(
    context: PageContext,
    limits: Data<Limits>,
    resets: Data<ResetService>,
    body: Payload,
) -> Result<HttpResponse, Problem> {
    let client = context.client()?;
    if !context.is_same_origin() {
        return Ok(context.csrf_rejected());
    }
    let status = limits.sales_channel(client.id.as_str(), Ceiling::Recovery).await;
    if let Some(wait) = status.and_then(|status| status.wait) {
        return Err(Problem::TooManyRequests(wait));
    }
    let Form { email: typed } = context.read_form(body).await?;
    let Ok(email) = typed.parse::<EmailAddress>() else {
        let key = if typed.trim().is_empty() { "pages-forgot-missing" } else { "pages-forgot-invalid" };
        let typed = if typed.len() > MAX_ADDRESS { "" } else { &typed };
        return Ok(form_page(&context, typed, vec![context.text(key, &[])]));
    };
    let caller = context.caller(Actor::Client(client.id));
    let receipt = resets.request_self_service(&client, &caller, email).await?;
    let ttl = resets.rules.load().get(&client.organization.slug).token_ttl;
    Ok(context.redirect(paths::SENT, Some(sent::remember(&context, receipt.id, ttl))))
}

fn form_page(context: &PageContext, email: &str, errors: Vec<String>) -> HttpResponse {
    let action = context.params.url(paths::FORGOT_PASSWORD);
    context.show(&Page::ForgotPassword { action, email, errors, login: context.login_url() })
}
