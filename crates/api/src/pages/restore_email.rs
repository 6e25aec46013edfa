//! `/restore-email`: the holder of a changed address undoes the change. Opening the page, as link scanners do, changes nothing; the form
//! uses the token. It works once and can only restore the address that its mail was sent to, so it may stay in the URL, and the page
//! needs no cookie.

use actix_web::{HttpResponse, web::Data};
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

use super::{context::PageContext, page::Page, paths::RESTORE_EMAIL_PARAMS};
use crate::jsonapi::error::Problem;

/// `GET` and `HEAD`: what will happen, and the button.
pub async fn show(
    mut context: PageContext,
    customers: Data<CustomerService>,
) -> Result<HttpResponse, Problem> {
    let (id, token) = token(&context)?;
    let change = found(&mut context, customers.find_email_change(id, &token).await)?;
    Ok(match change.state {
        UndoState::Pending => context.show(&Page::RestoreEmail { action: context.own_url() }),
        UndoState::Undone => context.show(&Page::EmailRestored),
        UndoState::Dead => context.show(&Page::EmailNotRestorable),
    })
}

/// `POST`: undoes the change.
pub async fn submit(
    mut context: PageContext,
    customers: Data<CustomerService>,
) -> Result<HttpResponse, Problem> {
    if !context.is_same_origin() {
        return Ok(context.csrf_rejected());
    }
    let (id, token) = token(&context)?;
    let undone = customers.undo_email_change(&context.caller(Actor::TokenHolder), id, &token).await;
    let change = found(&mut context, undone)?;
    Ok(match change.state {
        // A form that is sent twice gets one answer.
        UndoState::Pending | UndoState::Undone => context.show(&Page::EmailRestored),
        UndoState::Dead => context.show(&Page::EmailNotRestorable),
    })
}

/// Returns the change and the token in the URL.
fn token(context: &PageContext) -> Result<(EmailChangeId, UndoToken), Problem> {
    let [id, token] = RESTORE_EMAIL_PARAMS.map(|name| context.query.value(name));
    let id = id.and_then(|id| id.parse().ok());
    id.zip(token.and_then(UndoToken::parse)).ok_or(Problem::NotFound)
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
