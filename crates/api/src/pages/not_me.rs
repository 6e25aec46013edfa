//! `/not-me`: the recipient of a reset's mail says that somebody else requested it. Opening the page, as link scanners do, changes
//! nothing. The proof in the link can only end that one reset, so it may stay in the URL, and the page needs no cookie.

use actix_web::{HttpResponse, web::Data};
use rekey_core::{
    caller::Actor,
    error::StoreError,
    ids::ResetId,
    resets::{RejectableReset, TokenState, service::ResetService},
    secrets::RejectionProof,
};

use super::{context::PageContext, page::Page, paths::NOT_ME_PARAMS};
use crate::jsonapi::error::Problem;

/// `GET` and `HEAD`: what will happen, and the button.
pub async fn show(mut context: PageContext, resets: Data<ResetService>) -> Result<HttpResponse, Problem> {
    let (reset, proof) = proof(&context)?;
    let found = found(&mut context, resets.rejectable(reset, &proof).await)?;
    if found.state != TokenState::Pending {
        return Ok(result(&context, found.state));
    }
    let cooldown = resets.rules.load().get(&found.organization.slug).rejection_cooldown;
    let text = || context.or_empty(context.reader().span(cooldown));
    let cooldown = cooldown.is_positive().then(text);
    Ok(context.show(&Page::NotMe { action: context.own_url(), cooldown }))
}

/// `POST`: invalidates the reset's token.
pub async fn submit(mut context: PageContext, resets: Data<ResetService>) -> Result<HttpResponse, Problem> {
    if !context.is_same_origin() {
        return Ok(context.csrf_rejected());
    }
    let (reset, proof) = proof(&context)?;
    let rejected = resets.reject(&context.caller(Actor::TokenHolder), reset, &proof).await;
    let found = found(&mut context, rejected)?;
    Ok(result(&context, found.state))
}

/// Returns the reset and the proof in the URL.
fn proof(context: &PageContext) -> Result<(ResetId, RejectionProof), Problem> {
    let [id, proof] = NOT_ME_PARAMS.map(|name| context.query.value(name));
    let reset = id.and_then(|id| id.parse().ok());
    reset.zip(proof.and_then(RejectionProof::parse)).ok_or(Problem::NotFound)
}

/// Returns the reset, and makes this a page of its organization.
fn found(
    context: &mut PageContext,
    found: Result<Option<RejectableReset>, StoreError>,
) -> Result<RejectableReset, Problem> {
    let found = found?.ok_or(Problem::NotFound)?;
    context.set_organization(&found.organization);
    Ok(found)
}

/// Answers for a token that can no longer be used. `before` is its state before this request.
fn result(context: &PageContext, before: TokenState) -> HttpResponse {
    match before {
        TokenState::Used => context.show(&Page::AlreadyUsed { again: context.new_link_url() }),
        TokenState::Pending | TokenState::Dead => context.show(&Page::Rejected),
    }
}
