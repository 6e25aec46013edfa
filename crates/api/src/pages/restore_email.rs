//! `/restore-email`: the holder of a changed address undoes the change. Opening the link, as scanners do, changes nothing: it takes the
//! token out of the URL, and the form uses it.

use actix_web::{
    HttpResponse,
    web::{Data, Payload},
};
use rekey_core::{
    caller::Actor,
    customers::{
        email_change::{RecordedEmailChange, UndoState},
        service::CustomerService,
    },
    error::StoreError,
    ids::EmailChangeId,
    secrets::UndoToken,
};
use serde::Deserialize;

use super::{context::PageContext, cookie::RESTORE_LINK, form::FormToken, page::Page};
use crate::jsonapi::error::Problem;

#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    form_token: String,
}

/// `GET` and `HEAD`. With a token in the query, only moves it into a cookie. Without: what will happen, and the button.
pub async fn show(
    mut context: PageContext,
    customers: Data<CustomerService>,
) -> Result<HttpResponse, Problem> {
    if let Some(opened) = context.open_link(RESTORE_LINK, |id, token| parse(id, token).is_some()) {
        return Ok(opened);
    }
    let Some((id, token)) = held_link(&context) else { return Ok(missing_link(&context)) };
    let change = found(&mut context, customers.find_email_change(id, &token).await)?;
    Ok(match change.state {
        UndoState::Pending => context.show(&Page::RestoreEmail {
            action: context.own_url(),
            form_token: FormToken::generate(token.expose(), &*customers.recorder.random),
        }),
        UndoState::Undone => context.show(&Page::EmailRestored),
        UndoState::Dead => context.show(&Page::EmailNotRestorable),
    })
}

/// `POST`: undoes the change.
pub async fn submit(
    mut context: PageContext,
    customers: Data<CustomerService>,
    body: Payload,
) -> Result<HttpResponse, Problem> {
    let Some((id, token)) = held_link(&context) else { return Ok(missing_link(&context)) };
    let Form { form_token } = context.read_form(body).await?;
    if !context.is_same_origin() || !FormToken::parse(form_token).is_for(token.expose()) {
        return Ok(context.csrf_rejected());
    }
    let undone = customers.undo_email_change(&context.caller(Actor::TokenHolder), id, &token).await;
    let change = found(&mut context, undone)?;
    Ok(match change.state {
        // A form that is sent twice gets one answer. The used token stays in its cookie: it can do no more than show this page.
        UndoState::Pending | UndoState::Undone => context.show(&Page::EmailRestored),
        UndoState::Dead => context.show(&Page::EmailNotRestorable),
    })
}

/// Reads the two parts of a link; `None` unless both are well-formed.
fn parse(id: &str, token: &str) -> Option<(EmailChangeId, UndoToken)> {
    Some((id.parse().ok()?, UndoToken::parse(token)?))
}

/// Returns the link in the cookie. Whether it exists is not checked yet.
fn held_link(context: &PageContext) -> Option<(EmailChangeId, UndoToken)> {
    let value = context.cookie(RESTORE_LINK)?;
    let (id, token) = value.split_once('.')?;
    parse(id, token)
}

/// The link was not copied whole, or the browser keeps no cookies; the mail is the only way to a new one.
fn missing_link(context: &PageContext) -> HttpResponse {
    context.show(&Page::MissingLink { again: None, login: None })
}

/// Returns the change, and makes this a page of its organization.
fn found(
    context: &mut PageContext,
    found: Result<Option<RecordedEmailChange>, StoreError>,
) -> Result<RecordedEmailChange, Problem> {
    let found = found?.ok_or(Problem::NotFound)?;
    context.set_organization(&found.organization);
    Ok(found)
}
