//! `/forgot-password/sent`: what to do now; the same for every address. Where the organization's mails have a short code, it can be
//! entered here.

use std::iter;

use actix_web::{
    HttpResponse,
    cookie::Cookie,
    web::{Data, Payload},
};
use rekey_core::{
    caller::Actor,
    clients::RegisteredClient,
    ids::ResetId,
    resets::service::{CompleteError, ResetService},
    secrets::ResetCode,
};
use serde::Deserialize;
use time::Duration;

use super::{
    context::PageContext,
    cookie::{LINK, REQUESTED},
    page::Page,
    paths,
};
use crate::jsonapi::error::Problem;

/// The most resets that a browser remembers. A code is tried on all of them, which counts as one guess for each account.
const MAX_REMEMBERED: usize = 3;

#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    code: String,
}

/// `GET` and `HEAD`.
pub async fn show(context: PageContext, resets: Data<ResetService>) -> Result<HttpResponse, Problem> {
    let client = context.client()?;
    Ok(page(&context, &resets, &client, Vec::new()))
}

/// `POST`: a right code leads where the link in the same mail does. A wrong code, one that was guessed too often, and one for an
/// address without an account get the same answer.
pub async fn submit(
    context: PageContext,
    resets: Data<ResetService>,
    body: Payload,
) -> Result<HttpResponse, Problem> {
    let client = context.client()?;
    if !context.is_same_origin() {
        return Ok(context.csrf_rejected());
    }
    let requested = requested(&context);
    if requested.is_empty() {
        return Ok(context.redirect(paths::FORGOT_PASSWORD, None));
    }
    let Form { code } = context.read_form(body).await?;
    if let Some(code) = ResetCode::parse(&code) {
        let caller = context.caller(Actor::Client(client.id));
        match resets.redeem_code(Some(client.scope), &caller, &requested, &code).await {
            Ok((reset, token)) => {
                return Ok(context.keep_link(LINK, Some((reset.as_str(), token.expose()))));
            }
            Err(CompleteError::Token | CompleteError::Password(_)) => (),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(page(&context, &resets, &client, vec![context.text("pages-code-wrong", &[])]))
}

/// Returns a cookie that remembers one more reset. The browser may need the earlier ones: the newest may send no mail because it was
/// requested too soon after another, and one before may be for a mistyped address.
pub fn remember(context: &PageContext, reset: ResetId, ttl: Duration) -> Cookie<'static> {
    let known = requested(context);
    let kept = iter::once(&reset).chain(&known).take(MAX_REMEMBERED).map(ToString::to_string);
    let value = kept.collect::<Vec<_>>().join(".");
    REQUESTED.cookie(value, ttl.unsigned_abs(), context.is_https())
}

fn page(
    context: &PageContext,
    resets: &ResetService,
    client: &RegisteredClient,
    errors: Vec<String>,
) -> HttpResponse {
    let rules = *resets.rules.load().get(&client.organization.slug);
    let has_code = rules.code.is_some() && !requested(context).is_empty();
    context.show(&Page::Sent {
        life: context.or_empty(context.reader().span(rules.token_ttl)),
        code_action: has_code.then(|| context.params.url(paths::SENT)),
        errors,
        again: context.params.url(paths::FORGOT_PASSWORD),
    })
}

/// Returns the resets that were requested in this browser, the newest first.
fn requested(context: &PageContext) -> Vec<ResetId> {
    let value = context.cookie(REQUESTED).unwrap_or_default();
    value.split('.').take(MAX_REMEMBERED).filter_map(|id| id.parse().ok()).collect()
}
