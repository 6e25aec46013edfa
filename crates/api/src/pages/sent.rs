//! `/forgot-password/sent`: what to do now; the same for every address.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use rekey_core::organization::Slug;
use time::Duration;

use super::{forgot_password, page::Page, visit::Visit};
use crate::api::Api;

pub const PATH: &str = "/forgot-password/sent";

/// `GET` and `HEAD`.
pub async fn show(request: HttpRequest, api: Data<Api>) -> HttpResponse {
    let visit = Visit::of(&request, &api).await;
    let client = match visit.client() {
        Ok(client) => client,
        Err(answer) => return answer,
    };
    let life = visit.or_nothing(visit.reader().span(life(&api, &client.organization.slug)));
    visit.answer(&Page::Sent { life, again: visit.wish.at(forgot_password::PATH) })
}

/// How long a link of that organization can be used.
pub fn life(api: &Api, organization: &Slug) -> Duration {
    api.recovery.rules.of(organization).token_life
}
