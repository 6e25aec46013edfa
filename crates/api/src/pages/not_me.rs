//! `/not-me`: who has a reset's mail says that somebody else asked for it. Looking, as scanners do, changes nothing. The proof in
//! the link can only end that one reset, so it may stay in the address, and the page needs no cookie.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use rekey_core::{
    caller::Actor,
    error::StoreError,
    ids::ResetId,
    resets::{RejectableReset, TokenState},
    secrets::DisavowalProof,
};

use super::{address::Address, form, page::Page, visit::Visit};
use crate::{api::Api, jsonapi::error::Problem};

pub const PATH: &str = "/not-me";

/// What its address has beside whose page it is and in which language.
pub const PARTS: [&str; 2] = ["id", "proof"];

/// `GET` and `HEAD`: what will happen, and the button.
pub async fn show(request: HttpRequest, api: Data<Api>) -> HttpResponse {
    let mut visit = Visit::of(&request, &api).await;
    let Some((reset, proof)) = claim(&visit.address) else { return visit.answer(&Page::NotFound) };
    match told(&mut visit, api.recovery.rejectable(reset, &proof).await) {
        Ok(RejectableReset { state: TokenState::Pending, organization, .. }) => {
            let cooldown = api.recovery.rules.of(&organization.slug).disavowal_cooldown;
            let told = || visit.or_nothing(visit.reader().span(cooldown));
            let cooldown = cooldown.is_positive().then(told);
            visit.answer(&Page::NotMe { action: visit.here(), cooldown })
        }
        Ok(found) => over(&visit, found.state),
        Err(problem) => visit.failed(&problem),
    }
}

/// `POST`: the reset's token dies.
pub async fn submit(request: HttpRequest, api: Data<Api>) -> HttpResponse {
    let mut visit = Visit::of(&request, &api).await;
    if !form::is_same_origin(request.headers(), &api.public_url) {
        return visit.foreign();
    }
    let Some((reset, proof)) = claim(&visit.address) else { return visit.answer(&Page::NotFound) };
    let disavowed = api.recovery.disavow(&visit.caller(Actor::TokenHolder), reset, &proof).await;
    match told(&mut visit, disavowed) {
        Ok(found) => over(&visit, found.state),
        Err(problem) => visit.failed(&problem),
    }
}

/// The reset and the right to disavow it, as the address names them.
fn claim(address: &Address) -> Option<(ResetId, DisavowalProof)> {
    let [id, proof] = PARTS.map(|name| address.value(name));
    Some((id?.parse().ok()?, DisavowalProof::parse(proof?)?))
}

/// The reset, whose organization's page this is then.
fn told(
    visit: &mut Visit<'_>,
    found: Result<Option<RejectableReset>, StoreError>,
) -> Result<RejectableReset, Problem> {
    let found = found?.ok_or(Problem::NotFound)?;
    visit.is_at(&found.organization);
    Ok(found)
}

/// What to say of a token that can no longer be used.
fn over(visit: &Visit<'_>, before: TokenState) -> HttpResponse {
    match before {
        TokenState::Used => visit.answer(&Page::Misused { again: visit.ask_again() }),
        TokenState::Pending | TokenState::Dead => visit.answer(&Page::Disavowed),
    }
}
