//! The sign-in and its end.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Form, Query},
};
use minijinja::context;
use rekey_core::{
    operators::{OperatorName, sign_in::OperatorSignInError},
    passwords::{HashError, PlainPassword},
    secrets::OperatorToken,
};
use serde::Deserialize;

use super::{
    Console,
    page::{self, Done, Notice},
    problem::Problem,
    request::{SessionForm, check_origin, session_cookie, session_removal},
};

/// The form of the sign-in.
#[derive(Deserialize)]
pub struct Credentials {
    name: String,
    password: String,
}

/// A form without fields of its own.
#[derive(Deserialize)]
pub struct Nothing {}

/// `GET /sign-in`.
pub async fn show(Query(Notice { done }): Query<Notice>) -> HttpResponse {
    let values = context! { name => "", error => () };
    page::show_to_anybody(StatusCode::OK, "sign_in.html", done, values)
}

/// `POST /sign-in`.
pub async fn submit(
    console: Data<Console>,
    request: HttpRequest,
    Form(Credentials { name, password }): Form<Credentials>,
) -> Result<HttpResponse, Problem> {
    check_origin(&request)?;
    match sign_in(&console, &name, password).await {
        Ok(token) => {
            Ok(page::redirect("/", Some(Done::SignedIn)).cookie(session_cookie(&request, &token)).finish())
        }
        Err(OperatorSignInError::Store(error)) => Err(error.into()),
        Err(error) => Ok(refused(&name, &error)),
    }
}

/// `POST /sign-out`.
pub async fn sign_out(
    console: Data<Console>,
    request: HttpRequest,
    form: SessionForm<Nothing>,
) -> Result<HttpResponse, Problem> {
    console.sign_in.sign_out(&form.session.token).await?;
    tracing::info!(operator = %form.session.operator.name, "an operator signed out of the console");
    Ok(page::redirect("/sign-in", Some(Done::SignedOut)).cookie(session_removal(&request)).finish())
}

/// What is logged has no text of strangers but a name of the right form.
async fn sign_in(
    console: &Console,
    name: &str,
    password: String,
) -> Result<OperatorToken, OperatorSignInError> {
    let name = name.trim().parse::<OperatorName>().ok();
    let (Some(name), Ok(password)) = (name, PlainPassword::parse(password)) else {
        tracing::warn!(
            "a sign-in to the console failed: what was typed is no operator’s name or no password"
        );
        return Err(OperatorSignInError::Credentials);
    };
    let signed_in = console.sign_in.with_password(name, password).await;
    match &signed_in {
        Ok(_) => tracing::info!(operator = %name, "an operator signed in to the console"),
        Err(error) => tracing::warn!(operator = %name, %error, "a sign-in to the console failed"),
    }
    signed_in
}

fn refused(name: &str, error: &OperatorSignInError) -> HttpResponse {
    let (status, text, wait) = match error {
        OperatorSignInError::Throttled(wait) => {
            // Whole seconds, and not too few.
            let seconds = wait.as_secs() + 1;
            let text = format!("Too many wrong passwords for this name. Try again in {seconds} seconds.");
            (StatusCode::TOO_MANY_REQUESTS, text, Some(seconds))
        }
        OperatorSignInError::Hash(HashError::Busy) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many people sign in at once. Try again.".to_owned(),
            Some(1),
        ),
        OperatorSignInError::Credentials | OperatorSignInError::Hash(_) | OperatorSignInError::Store(_) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "The name or the password is wrong.".to_owned(), None)
        }
    };
    let values = context! { name => name, error => text };
    let mut response = page::show_to_anybody(status, "sign_in.html", None, values);
    if let Some(wait) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, wait.into());
    }
    response
}
