//! `/reset-password`: the link takes the token out of the URL, the form uses it.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Payload},
};
use rekey_core::{
    attributes::CommonAttributes,
    caller::Actor,
    ids::ResetId,
    organizations::Organization,
    passwords::{MAX_OCTETS, PlainPassword},
    resets::service::{Attempt, CompleteError},
    secrets::ResetToken,
};
use rekey_texts::Arg;
use serde::Deserialize;

use super::{cookie::LINK, form, page::Page, visit::Visit};
use crate::api::Api;

pub const PATH: &str = "/reset-password";
/// How long the browser keeps the token: long enough to think of a password, short enough for a shared computer.
const LIFE: Duration = Duration::from_hours(1);
/// Characters that fit in any case: none takes more than 4 of the octets that are counted (RFC 3629).
const SURE_LENGTH: i64 = 256;
const _: () = assert!(MAX_OCTETS == 4 * 256, "it follows from the octets");

/// A reset and its token, as a link or a cookie names them: of the right shape, and no more is known.
pub struct Link {
    pub reset: ResetId,
    pub token: ResetToken,
}

/// What is left in a browser of a link that can't be used any more, so that who comes back is told so.
const OVER: &str = "over";

/// What a browser has of a link.
enum Held {
    Link(Link),
    /// One that can't be used any more.
    Over,
    Nothing,
}

#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    form_token: String,
    #[serde(default)]
    password: String,
}

/// `GET` and `HEAD`. With a token in the query: takes it out of the URL, and no more: mail scanners do this too. Without: shows
/// the form to who has a usable token in its cookie. A token that is not usable is 410: what it led to is gone for good.
pub async fn show(request: HttpRequest, api: Data<Api>) -> HttpResponse {
    let mut visit = Visit::of(&request, &api).await;
    match [visit.address.value("id"), visit.address.value("token")] {
        // Of another language or organization an address may be all the same.
        [None, None] => (),
        [id, token] => return follow(&visit, id.zip(token)),
    }
    match Held::by(&visit) {
        Held::Link(link) => form_page(&mut visit, &link, Vec::new()).await,
        Held::Over => dead(&visit),
        Held::Nothing => lost(&visit),
    }
}

/// `POST`: sets the password.
pub async fn submit(request: HttpRequest, api: Data<Api>, body: Payload) -> HttpResponse {
    let mut visit = Visit::of(&request, &api).await;
    let link = match Held::by(&visit) {
        Held::Link(link) => link,
        Held::Over => return dead(&visit),
        Held::Nothing => return lost(&visit),
    };
    let Form { form_token, password } = match form::read(&request, body).await {
        Ok(form) => form,
        Err(problem) => return visit.failed(&problem),
    };
    if !form::is_same_origin(request.headers(), &api.public_url)
        || !form::is_for(&form_token, link.token.expose())
    {
        return visit.foreign();
    }
    let (is_empty, is_long) = (password.is_empty(), password.len() > MAX_OCTETS);
    let Ok(password) = PlainPassword::parse(password) else {
        let error = unusable(&visit, is_empty, is_long);
        return form_page(&mut visit, &link, vec![error]).await;
    };
    let attempt =
        Attempt { reset: link.reset, token: &link.token, password, changes: &CommonAttributes::default() };
    match api.recovery.complete(None, &visit.caller(Actor::TokenHolder), attempt).await {
        Ok(organization) => done(&mut visit, &organization),
        Err(CompleteError::Token) => dead(&visit),
        Err(CompleteError::Password(refusal)) => {
            let errors = visit.or_nothing(visit.reader().refusal(&refusal));
            form_page(&mut visit, &link, errors).await
        }
        Err(CompleteError::Hash(error)) => visit.failed(&error.into()),
        Err(CompleteError::Sealed(error)) => visit.failed(&error.into()),
        Err(CompleteError::Store(error)) => visit.failed(&error.into()),
    }
}

impl Held {
    /// What the request's cookie holds.
    fn by(visit: &Visit<'_>) -> Self {
        let value = LINK.of(visit.request, visit.api.pages.https).unwrap_or_default();
        let link = value.split_once('.').and_then(|(reset, token)| Link::parse(reset, token));
        match link {
            Some(link) => Self::Link(link),
            None if value == OVER => Self::Over,
            None => Self::Nothing,
        }
    }
}

impl Link {
    /// Reads the two parts; `None` unless both have the right shape.
    fn parse(reset: &str, token: &str) -> Option<Self> {
        Some(Self { reset: reset.parse().ok()?, token: ResetToken::parse(token)? })
    }

    /// Lets the browser keep it, and leads to the form.
    pub fn lead_to_form(&self, visit: &Visit<'_>) -> HttpResponse {
        let value = format!("{}.{}", self.reset, self.token.expose());
        visit.lead_to(PATH, Some(LINK.cookie(value, LIFE, visit.api.pages.https)))
    }
}

fn follow(visit: &Visit<'_>, parts: Option<(&str, &str)>) -> HttpResponse {
    match parts.and_then(|(id, token)| Link::parse(id, token)) {
        Some(link) => link.lead_to_form(visit),
        None => visit.lead_to(PATH, Some(LINK.removal(visit.api.pages.https))),
    }
}

async fn form_page(visit: &mut Visit<'_>, link: &Link, errors: Vec<String>) -> HttpResponse {
    match visit.api.recovery.holder(link.reset, &link.token).await {
        Ok(Some(holder)) => {
            visit.is_at(&holder.organization);
            let policy = visit.api.recovery.rules.of(&holder.organization.slug).policy;
            visit.answer(&Page::ResetPassword {
                action: visit.wish.at(PATH),
                email: holder.email.as_str(),
                form_token: form::token_for(link.token.expose()),
                min_length: policy.min_length,
                rules: visit.or_nothing(visit.reader().policy(policy)),
                errors,
            })
        }
        Ok(None) => dead(visit),
        Err(error) => visit.failed(&error.into()),
    }
}

/// What is wrong with what is no password at all.
fn unusable(visit: &Visit<'_>, is_empty: bool, is_long: bool) -> String {
    if is_empty {
        visit.say("pages-reset-missing", &[])
    } else if is_long {
        visit.say("pages-reset-too-long", &[("count", Arg::Number(SURE_LENGTH))])
    } else {
        visit.say("pages-reset-unusable", &[])
    }
}

fn done(visit: &mut Visit<'_>, organization: &Organization) -> HttpResponse {
    visit.is_at(organization);
    forget(visit, visit.answer(&Page::Done { login: login(visit) }))
}

fn login<'a>(visit: &Visit<'a>) -> Option<&'a str> {
    visit.site().settings.login_url.as_deref()
}

/// There is no link, or not the whole of it; or a browser that keeps no cookies, which is all the same from here.
fn lost(visit: &Visit<'_>) -> HttpResponse {
    visit.answer(&Page::Lost { again: visit.ask_again(), login: login(visit) })
}

fn dead(visit: &Visit<'_>) -> HttpResponse {
    forget(visit, visit.answer(&Page::Dead { again: visit.ask_again(), login: login(visit) }))
}

/// The token leaves the browser.
fn forget(visit: &Visit<'_>, mut response: HttpResponse) -> HttpResponse {
    let over = LINK.cookie(OVER.to_owned(), LIFE, visit.api.pages.https);
    if let Err(error) = response.add_cookie(&over) {
        tracing::error!(%error, "a cookie can't be set");
    }
    response
}
