//! A form's POST: whether it is ours, and what was typed.

use actix_web::{
    HttpMessage, HttpRequest,
    http::header::{HeaderMap, HeaderValue},
    web::Payload,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{jsonapi::error::Problem, payload};

/// Reads the fields of a POST's body.
pub async fn read<F: DeserializeOwned>(request: &HttpRequest, body: Payload) -> Result<F, Problem> {
    if request.content_type() != "application/x-www-form-urlencoded" {
        return Err(Problem::UnsupportedMediaType);
    }
    let bytes = payload::read(request, body).await?;
    serde_urlencoded::from_bytes(&bytes).map_err(|_| Problem::InvalidDataFormat("The body is not a form."))
}

/// The form token of a page that was given this secret in its cookie: only who has the secret can know it, and it does not tell the
/// secret.
pub fn token_for(secret: &str) -> String {
    let digest = Sha256::new().chain_update("rekey reset form v1/").chain_update(secret).finalize();
    URL_SAFE_NO_PAD.encode(digest)
}

/// Whether a form was filled in on the page that has this secret.
pub fn is_for(form_token: &str, secret: &str) -> bool {
    form_token.as_bytes().ct_eq(token_for(secret).as_bytes()).into()
}

/// Whether a browser sent this POST from a page of ours. A browser that doesn't say so is judged by its `Origin`, which is
/// `null` from a page with `Referrer-Policy: no-referrer`, as ours is (Fetch, "append a request `Origin` header").
pub fn is_same_origin(headers: &HeaderMap, public_url: &str) -> bool {
    let value = |name| headers.get(name).map(HeaderValue::as_bytes);
    match value("sec-fetch-site") {
        Some(site) => site == b"same-origin",
        None => value("origin").is_none_or(|origin| origin == b"null" || origin == public_url.as_bytes()),
    }
}
