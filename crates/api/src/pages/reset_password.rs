//! `/reset-password`: the link takes the token out of the URL, the form uses it.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::{Data, Payload},
};
use rekey_core::{
    access::Actor,
    password::{MAX_OCTETS, PlainPassword},
    record::Changes,
    recovery::{Attempt, CompleteError},
};
use serde::Deserialize;
use time::Duration;

use super::{
    cookie::{self, Link, PATH},
    form::{self, Form},
    html::{Page, Pages},
};
use crate::{
    api::Api,
    caller,
    jsonapi::error::{Fault, Problem, whole_seconds},
};

#[derive(Deserialize)]
struct LinkQuery {
    id: String,
    token: String,
}

/// `GET` and `HEAD`. With a query: takes the token out of the URL, and no more: mail scanners do this too. Without: shows
/// the form to who has a usable token in its cookie. A token that is not usable is 410: what it led to is gone for good.
pub async fn show(request: HttpRequest, api: Data<Api>) -> HttpResponse {
    if !request.query_string().is_empty() {
        return redirect(&api, request.query_string());
    }
    let Some(link) = Link::of(&request) else { return dead(&api) };
    form_page(&api, &link, None).await
}

/// `POST`: sets the password.
pub async fn submit(request: HttpRequest, api: Data<Api>, body: Payload) -> HttpResponse {
    let Some(link) = Link::of(&request) else { return dead(&api) };
    let form = match Form::read(&request, body).await {
        Ok(form) => form,
        Err(problem) => return failed(&api, &problem),
    };
    if !form::is_same_origin(request.headers(), &api.public_url) || !form.is_for(&link.token) {
        return api.pages.answer(Page::Foreign);
    }
    let too_long = form.password.len() > MAX_OCTETS;
    let Ok(password) = PlainPassword::parse(form.password) else {
        let fault = if too_long { Fault::TooLong(MAX_OCTETS) } else { Fault::Invalid };
        return form_page(&api, &link, Some(fault)).await;
    };
    let caller = caller::of(&request, &api.trusted_proxies, Actor::TokenHolder);
    let attempt = Attempt { reset: link.reset, token: &link.token, password, changes: &Changes::default() };
    match api.recovery.complete(None, &caller, attempt).await {
        Ok(_) => forget(&api, api.pages.answer(Page::Done)),
        Err(CompleteError::Token) => dead(&api),
        Err(CompleteError::Password(violation)) => form_page(&api, &link, Some(violation.into())).await,
        Err(CompleteError::Hash(error)) => failed(&api, &error.into()),
        Err(CompleteError::Sealed(error)) => failed(&api, &error.into()),
        Err(CompleteError::Store(error)) => failed(&api, &error.into()),
    }
}

/// The answer to a form that was not looked at.
pub fn refused(api: &Api, wait: Duration) -> HttpResponse {
    let mut response = api.pages.answer(Page::TooMany);
    let seconds = HeaderValue::from(whole_seconds(wait));
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}

/// `GET …/style.css`.
pub async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .body(include_str!("templates/style.css"))
}

fn redirect(api: &Api, query: &str) -> HttpResponse {
    let query: Option<LinkQuery> = serde_urlencoded::from_str(query).ok();
    let link = query.and_then(|query| Link::parse(&query.id, &query.token));
    let pages = &api.pages;
    let cookie = link.map_or_else(|| cookie::removal(pages.https), |link| link.cookie(pages.https));
    Pages::blank(StatusCode::SEE_OTHER).insert_header((header::LOCATION, PATH)).cookie(cookie).finish()
}

async fn form_page(api: &Api, link: &Link, fault: Option<Fault>) -> HttpResponse {
    match api.recovery.holder(link.reset, &link.token).await {
        Ok(Some(holder)) => {
            let error = fault.map(|fault| format!("The password {}.", fault.title()));
            let form_token = form::token_for(&link.token);
            let min_length = api.recovery.rules.of(&holder.organization.slug).policy.min_length;
            let email = holder.email.as_str();
            api.pages.answer(Page::Form { email, form_token: &form_token, min_length, error })
        }
        Ok(None) => dead(api),
        Err(error) => failed(api, &error.into()),
    }
}

fn dead(api: &Api) -> HttpResponse {
    forget(api, api.pages.answer(Page::Dead))
}

fn failed(api: &Api, problem: &Problem) -> HttpResponse {
    api.pages.answer(match problem {
        Problem::Busy => Page::Busy,
        other => Page::Failed(other.status_code()),
    })
}

fn forget(api: &Api, mut response: HttpResponse) -> HttpResponse {
    let removal = cookie::removal(api.pages.https);
    if let Err(error) = response.add_cookie(&removal) {
        tracing::error!(%error, "a cookie can't be removed");
    }
    response
}
