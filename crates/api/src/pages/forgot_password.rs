//! `/forgot-password`: a customer asks for a mail. Whether there is an account, nobody learns here.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Payload},
};
use rekey_core::{
    caller::Actor,
    email::{EmailAddress, MAX_ADDRESS},
};
use serde::Deserialize;

use super::{form, page::Page, sent, visit::Visit};
use crate::api::Api;

pub const PATH: &str = "/forgot-password";

#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    email: String,
}

/// `GET` and `HEAD`: the form.
pub async fn show(request: HttpRequest, api: Data<Api>) -> HttpResponse {
    let visit = Visit::of(&request, &api).await;
    match visit.client() {
        Ok(_) => form_page(&visit, "", Vec::new()),
        Err(problem) => visit.failed(&problem),
    }
}

/// `POST`: asks for a reset as the sales channel would, and leads to one and the same page.
pub async fn submit(request: HttpRequest, api: Data<Api>, body: Payload) -> HttpResponse {
    let visit = Visit::of(&request, &api).await;
    let client = match visit.client() {
        Ok(client) => client,
        Err(problem) => return visit.failed(&problem),
    };
    if !form::is_same_origin(request.headers(), &api.public_url) {
        return visit.foreign();
    }
    let together = api.limits.sales_channel(client.client.id.as_str()).await;
    if let Some(wait) = together.and_then(|standing| standing.wait) {
        return visit.too_many(wait);
    }
    let Form { email: typed } = match form::read(&request, body).await {
        Ok(form) => form,
        Err(problem) => return visit.failed(&problem),
    };
    let Ok(email) = typed.parse::<EmailAddress>() else {
        let key = if typed.is_empty() { "pages-forgot-missing" } else { "pages-forgot-invalid" };
        let typed = if typed.len() > MAX_ADDRESS { "" } else { &typed };
        return form_page(&visit, typed, vec![visit.say(key, &[])]);
    };
    let caller = visit.caller(Actor::Client(client.client.id));
    match api.recovery.request_self_service(&client, &caller, email).await {
        Ok(receipt) => {
            let life = sent::life(&api, &client.organization.slug);
            visit.lead_to(sent::PATH, Some(sent::remember(&visit, receipt.id, life)))
        }
        Err(error) => visit.failed(&error.into()),
    }
}

fn form_page(visit: &Visit<'_>, email: &str, errors: Vec<String>) -> HttpResponse {
    let login = visit.site().settings.login_url.as_deref();
    visit.answer(&Page::ForgotPassword { action: visit.wish.at(PATH), email, errors, login })
}
