//! `/forgot-password/sent`: what to do now; the same for every address. Where the organization's mails have a short code, it can be
//! entered here.

use std::{iter, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::Cookie,
    web::{Data, Payload},
};
use rekey_core::{
    clients::RegisteredClient, ids::ResetId, organizations::Slug, resets::service::CompleteError,
    secrets::ResetCode,
};
use serde::Deserialize;
use time::Duration;

use super::{cookie::ASKED, forgot_password, form, page::Page, reset_password::Link, visit::Visit};
use crate::api::Api;

pub const PATH: &str = "/forgot-password/sent";

/// Resets that a browser remembers. A code is tried on all of them, which is one guess of each account they are of.
const REMEMBERED: usize = 3;

#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    code: String,
}

/// `GET` and `HEAD`.
pub async fn show(request: HttpRequest, api: Data<Api>) -> HttpResponse {
    let visit = Visit::of(&request, &api).await;
    match visit.client() {
        Ok(client) => page(&visit, &client, Vec::new()),
        Err(problem) => visit.failed(&problem),
    }
}

/// `POST`: a right code is worth the link in the same mail. A wrong one, one guessed too often, and that of an address without an
/// account are refused alike.
pub async fn submit(request: HttpRequest, api: Data<Api>, body: Payload) -> HttpResponse {
    let visit = Visit::of(&request, &api).await;
    let client = match visit.client() {
        Ok(client) => client,
        Err(problem) => return visit.failed(&problem),
    };
    if !form::is_same_origin(request.headers(), &api.public_url) {
        return visit.foreign();
    }
    let asked = asked(&visit);
    if asked.is_empty() {
        return visit.lead_to(forgot_password::PATH, None);
    }
    let Form { code } = match form::read(&request, body).await {
        Ok(form) => form,
        Err(problem) => return visit.failed(&problem),
    };
    if let Some(code) = ResetCode::parse(&code) {
        match api.recovery.redeem_code(Some(client.client.scope), &asked, &code).await {
            Ok((reset, token)) => return Link { reset, token }.lead_to_form(&visit),
            Err(CompleteError::Token | CompleteError::Password(_)) => (),
            Err(CompleteError::Hash(error)) => return visit.failed(&error.into()),
            Err(CompleteError::Sealed(error)) => return visit.failed(&error.into()),
            Err(CompleteError::Store(error)) => return visit.failed(&error.into()),
        }
    }
    page(&visit, &client, vec![visit.say("pages-code-wrong", &[])])
}

/// A cookie that remembers one more reset. The newest of them may be none, because it was asked for too soon after another, whose
/// mail is the one that comes: nobody is told. Or the one before was asked for a mistyped address.
pub fn remember(visit: &Visit<'_>, reset: ResetId, life: Duration) -> Cookie<'static> {
    let known = asked(visit);
    let kept = iter::once(&reset).chain(&known).take(REMEMBERED).map(ToString::to_string);
    let value = kept.collect::<Vec<_>>().join(".");
    ASKED.cookie(value, life.unsigned_abs(), visit.api.pages.https)
}

/// How long a link of that organization can be used.
pub fn life(api: &Api, organization: &Slug) -> Duration {
    api.recovery.rules.of(organization).token_ttl
}

fn page(visit: &Visit<'_>, client: &Arc<RegisteredClient>, errors: Vec<String>) -> HttpResponse {
    let slug = &client.organization.slug;
    let has_code = visit.api.recovery.rules.of(slug).code.is_some() && !asked(visit).is_empty();
    visit.answer(&Page::Sent {
        life: visit.or_nothing(visit.reader().span(life(visit.api, slug))),
        code_action: has_code.then(|| visit.wish.at(PATH)),
        errors,
        again: visit.wish.at(forgot_password::PATH),
    })
}

/// The resets that were asked for in this browser, the newest first.
fn asked(visit: &Visit<'_>) -> Vec<ResetId> {
    let value = ASKED.of(visit.request, visit.api.pages.https).unwrap_or_default();
    value.split('.').take(REMEMBERED).filter_map(|id| id.parse().ok()).collect()
}
