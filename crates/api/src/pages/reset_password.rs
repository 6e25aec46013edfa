//! `/reset-password`: the link takes the token out of the URL, the form uses it.

use actix_web::{
    HttpResponse,
    web::{Data, Payload},
};
use rekey_core::{
    attributes::CommonAttributes,
    caller::{Actor, Caller},
    ids::{RecordId, ResetId},
    organizations::Organization,
    passwords::{MAX_BYTES, PlainPassword},
    resets::service::{Attempt, CompleteError, ResetService},
    secrets::ResetToken,
};
use rekey_texts::Arg;
use serde::Deserialize;

use super::{
    context::PageContext,
    cookie::{LINK, LINK_TTL},
    form::FormToken,
    page::Page,
    paths,
};
use crate::jsonapi::error::Problem;

/// The length in characters that always fits: none takes more than 4 bytes (RFC 3629).
const SAFE_LENGTH: i64 = 256;
const _: () = assert!(MAX_BYTES == 4 * 256, "it follows from the number of bytes");

/// A reset and its token in a link or a cookie. They are well-formed; whether they exist is not checked yet.
struct Link {
    reset: ResetId,
    token: ResetToken,
}

/// The cookie's value once the link can't be used any more.
const USED: &str = "over";

/// What the cookie holds.
enum Held {
    Link(Link),
    /// A link that can't be used any more.
    Used(Option<SentForm>),
    Nothing,
}

/// A reset, and the id of the form that has used its token in this browser.
#[derive(Clone, Copy)]
struct SentForm {
    reset: ResetId,
    id: RecordId,
}

#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    form_token: String,
    #[serde(default)]
    password: String,
}

/// `GET` and `HEAD`. With a token in the query, only moves it into a cookie. Without, shows the form if the cookie's token can be used. A
/// token that can't is 410: what it led to is gone for good.
pub async fn show(mut context: PageContext, resets: Data<ResetService>) -> Result<HttpResponse, Problem> {
    if let Some(opened) = context.open_link(LINK, |id, token| Link::parse(id, token).is_some()) {
        return Ok(opened);
    }
    match Held::from_cookie(&context) {
        Held::Link(link) => form_page(&mut context, &resets, &link, Vec::new()).await,
        Held::Used(_) => Ok(link_expired(&context)),
        Held::Nothing => Ok(missing_link(&context)),
    }
}

/// `POST`: sets the password. A form that is sent twice, by a double click, gets the same answer twice.
pub async fn submit(
    mut context: PageContext,
    resets: Data<ResetService>,
    body: Payload,
) -> Result<HttpResponse, Problem> {
    let link = match Held::from_cookie(&context) {
        Held::Link(link) => link,
        Held::Used(Some(sent)) => return sent_again(context, &resets, sent, body).await,
        Held::Used(None) => return Ok(link_expired(&context)),
        Held::Nothing => return Ok(missing_link(&context)),
    };
    let Form { form_token, password } = context.read_form(body).await?;
    let form_token = FormToken::parse(form_token);
    if !context.is_same_origin() || !form_token.is_for(link.token.expose()) {
        return Ok(context.csrf_rejected());
    }
    let (is_empty, is_long) = (password.is_empty(), password.len() > MAX_BYTES);
    let Ok(password) = PlainPassword::parse(password) else {
        let error = malformed(&context, is_empty, is_long);
        return form_page(&mut context, &resets, &link, vec![error]).await;
    };
    let attempt =
        Attempt { reset: link.reset, token: &link.token, password, changes: &CommonAttributes::default() };
    let caller = Caller { record: form_token.id, ..context.caller(Actor::TokenHolder) };
    match resets.complete(None, &caller, attempt).await {
        Ok(organization) => {
            let sent = form_token.id.map(|id| SentForm { reset: link.reset, id });
            Ok(done(context, &organization, sent))
        }
        Err(CompleteError::Token) => Ok(link_expired(&context)),
        Err(CompleteError::Password(rejected)) => {
            let errors = context.or_empty(context.reader().explain(&rejected));
            form_page(&mut context, &resets, &link, errors).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Answers a form that came after the answer to the same form, or to another one.
async fn sent_again(
    context: PageContext,
    resets: &ResetService,
    sent: SentForm,
    body: Payload,
) -> Result<HttpResponse, Problem> {
    let form = context.read_form::<Form>(body).await.ok();
    let id = form.and_then(|form| FormToken::parse(form.form_token).id);
    let is_same = context.is_same_origin() && id == Some(sent.id);
    let organization = if is_same { resets.completed_before(sent.reset, sent.id).await? } else { None };
    Ok(match organization {
        Some(organization) => done(context, &organization, Some(sent)),
        None => link_expired(&context),
    })
}

impl Held {
    fn from_cookie(context: &PageContext) -> Self {
        let value = context.cookie(LINK).unwrap_or_default();
        match value.split('.').collect::<Vec<_>>()[..] {
            [USED] => Self::Used(None),
            [USED, reset, form] => Self::Used(SentForm::parse(reset, form)),
            [reset, token] => Link::parse(reset, token).map_or(Self::Nothing, Self::Link),
            _ => Self::Nothing,
        }
    }
}

impl SentForm {
    fn parse(reset: &str, id: &str) -> Option<Self> {
        Some(Self { reset: reset.parse().ok()?, id: id.parse().ok()? })
    }
}

impl Link {
    /// Reads the two parts; `None` unless both are well-formed.
    fn parse(reset: &str, token: &str) -> Option<Self> {
        Some(Self { reset: reset.parse().ok()?, token: ResetToken::parse(token)? })
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
    let policy = resets.rules.load().get(&holder.organization.slug).policy;
    Ok(context.show(&Page::ResetPassword {
        action: context.params.url(paths::RESET_PASSWORD),
        email: holder.email.as_str(),
        form_token: FormToken::generate(link.token.expose(), &*resets.recorder.random),
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

fn done(mut context: PageContext, organization: &Organization, sent: Option<SentForm>) -> HttpResponse {
    context.set_organization(organization);
    forget_token(&context, context.show(&Page::Done { login: context.login_url() }), sent)
}

fn link_expired(context: &PageContext) -> HttpResponse {
    let page = Page::LinkExpired { again: context.new_link_url(), login: context.login_url() };
    forget_token(context, context.show(&page), None)
}

/// Removes the token from the browser, which still remembers that there was one, and which form has used it.
fn forget_token(context: &PageContext, mut response: HttpResponse, sent: Option<SentForm>) -> HttpResponse {
    let value = match sent {
        Some(SentForm { reset, id }) => format!("{USED}.{reset}.{id}"),
        None => USED.to_owned(),
    };
    if let Err(error) = response.add_cookie(&LINK.cookie(value, LINK_TTL, context.is_https())) {
        tracing::error!(%error, "setting a cookie failed");
    }
    response
}
