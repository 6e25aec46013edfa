//! `/reset-password`: the link takes the token out of the URL, the form uses it.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    web::{Data, Payload},
};
use rekey_core::{
    attributes::CommonAttributes,
    caller::Actor,
    ids::ResetId,
    passwords::{MAX_BYTES, PlainPassword},
    resets::service::{Attempt, CompleteError, ResetService},
    secrets::ResetToken,
};
use rekey_texts::Arg;
use serde::Deserialize;

use super::{context::PageContext, cookie::LINK, form, page::Page, paths};
use crate::jsonapi::error::Problem;

/// How long the browser keeps the token: long enough to think of a password, short enough for a shared computer.
const COOKIE_TTL: Duration = Duration::from_hours(1);
/// The length in characters that always fits: none takes more than 4 bytes (RFC 3629).
const SAFE_LENGTH: i64 = 256;
const _: () = assert!(MAX_BYTES == 4 * 256, "it follows from the number of bytes");

/// A reset and its token in a link or a cookie. They are well-formed; whether they exist is not checked yet.
pub struct Link {
    pub reset: ResetId,
    pub token: ResetToken,
}

/// The cookie's value once the link can't be used any more.
const USED: &str = "over";

/// What the cookie holds.
enum Held {
    Link(Link),
    /// A link that can't be used any more.
    Used,
    Nothing,
}

#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    form_token: String,
    #[serde(default)]
    password: String,
}

/// `GET` and `HEAD`. With a token in the query, only moves it into a cookie, as mail scanners open links, too. Without, shows
/// the form if the cookie's token can be used. A token that can't is 410: what it led to is gone for good.
pub async fn show(mut context: PageContext, resets: Data<ResetService>) -> Result<HttpResponse, Problem> {
    match [context.query.value("id"), context.query.value("token")] {
        // Other parameters say nothing about a link.
        [None, None] => (),
        [id, token] => return Ok(open_link(&context, id.zip(token))),
    }
    match Held::from_cookie(&context) {
        Held::Link(link) => form_page(&mut context, &resets, &link, Vec::new()).await,
        Held::Used => Ok(link_expired(&context)),
        Held::Nothing => Ok(missing_link(&context)),
    }
}

/// `POST`: sets the password.
pub async fn submit(
    mut context: PageContext,
    resets: Data<ResetService>,
    body: Payload,
) -> Result<HttpResponse, Problem> {
    let link = match Held::from_cookie(&context) {
        Held::Link(link) => link,
        Held::Used => return Ok(link_expired(&context)),
        Held::Nothing => return Ok(missing_link(&context)),
    };
    let Form { form_token, password } = context.read_form(body).await?;
    if !context.is_same_origin() || !form::is_for(&form_token, link.token.expose()) {
        return Ok(context.csrf_rejected());
    }
    let (is_empty, is_long) = (password.is_empty(), password.len() > MAX_BYTES);
    let Ok(password) = PlainPassword::parse(password) else {
        let error = malformed(&context, is_empty, is_long);
        return form_page(&mut context, &resets, &link, vec![error]).await;
    };
    let attempt =
        Attempt { reset: link.reset, token: &link.token, password, changes: &CommonAttributes::default() };
    match resets.complete(None, &context.caller(Actor::TokenHolder), attempt).await {
        Ok(organization) => {
            context.set_organization(&organization);
            Ok(forget_token(&context, context.show(&Page::Done { login: context.login_url() })))
        }
        Err(CompleteError::Token) => Ok(link_expired(&context)),
        Err(CompleteError::Password(rejected)) => {
            let errors = context.or_empty(context.reader().explain(&rejected));
            form_page(&mut context, &resets, &link, errors).await
        }
        Err(error) => Err(error.into()),
    }
}

impl Held {
    fn from_cookie(context: &PageContext) -> Self {
        let value = context.cookie(LINK).unwrap_or_default();
        let link = value.split_once('.').and_then(|(reset, token)| Link::parse(reset, token));
        match link {
            Some(link) => Self::Link(link),
            None if value == USED => Self::Used,
            None => Self::Nothing,
        }
    }
}

impl Link {
    /// Reads the two parts; `None` unless both are well-formed.
    fn parse(reset: &str, token: &str) -> Option<Self> {
        Some(Self { reset: reset.parse().ok()?, token: ResetToken::parse(token)? })
    }

    /// Puts the link into the cookie, and redirects to the form.
    pub fn redirect_to_form(&self, context: &PageContext) -> HttpResponse {
        let value = format!("{}.{}", self.reset, self.token.expose());
        let cookie = LINK.cookie(value, COOKIE_TTL, context.is_https());
        context.redirect(paths::RESET_PASSWORD, Some(cookie))
    }
}

fn open_link(context: &PageContext, parts: Option<(&str, &str)>) -> HttpResponse {
    match parts.and_then(|(id, token)| Link::parse(id, token)) {
        Some(link) => link.redirect_to_form(context),
        None => context.redirect(paths::RESET_PASSWORD, Some(LINK.removal(context.is_https()))),
    }
}

async fn form_page(
    context: &mut PageContext,
    resets: &ResetService,
    link: &Link,
    errors: Vec<String>,
) -> Result<HttpResponse, Problem> {
    let Some(holder) = resets.holder(link.reset, &link.token).await? else {
        return Ok(link_expired(context));
    };
    context.set_organization(&holder.organization);
    let policy = resets.rules.get(&holder.organization.slug).policy;
    Ok(context.show(&Page::ResetPassword {
        action: context.params.url(paths::RESET_PASSWORD),
        email: holder.email.as_str(),
        form_token: form::token_for(link.token.expose()),
        min_length: policy.min_length,
        rules: context.or_empty(context.reader().policy(policy)),
        errors,
    }))
}

/// Returns why a text can't be a password at all.
fn malformed(context: &PageContext, is_empty: bool, is_long: bool) -> String {
    if is_empty {
        context.text("pages-reset-missing", &[])
    } else if is_long {
        context.text("pages-reset-too-long", &[("count", Arg::Number(SAFE_LENGTH))])
    } else {
        context.text("pages-reset-unusable", &[])
    }
}

/// The link was not copied whole, or the browser keeps no cookies; the server can't tell which.
fn missing_link(context: &PageContext) -> HttpResponse {
    context.show(&Page::MissingLink { again: context.new_link_url(), login: context.login_url() })
}

fn link_expired(context: &PageContext) -> HttpResponse {
    let page = Page::LinkExpired { again: context.new_link_url(), login: context.login_url() };
    forget_token(context, context.show(&page))
}

/// Removes the token from the browser, which still remembers that there was one.
fn forget_token(context: &PageContext, mut response: HttpResponse) -> HttpResponse {
    let used = LINK.cookie(USED.to_owned(), COOKIE_TTL, context.is_https());
    if let Err(error) = response.add_cookie(&used) {
        tracing::error!(%error, "setting a cookie failed");
    }
    response
}
