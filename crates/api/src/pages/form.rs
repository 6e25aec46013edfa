//! The form's POST: whether it is ours, and what was typed.

use actix_web::{
    HttpMessage, HttpRequest,
    http::header::{HeaderMap, HeaderValue},
    web,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rekey_core::secret::ResetToken;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{jsonapi::error::Problem, payload};

/// What the form sends.
#[derive(Deserialize)]
pub struct Form {
    #[serde(default)]
    form_token: String,
    #[serde(default)]
    pub password: String,
}

impl Form {
    /// Reads the POST's body.
    pub async fn read(request: &HttpRequest, body: web::Payload) -> Result<Self, Problem> {
        if request.content_type() != "application/x-www-form-urlencoded" {
            return Err(Problem::UnsupportedMediaType);
        }
        let bytes = payload::read(request, body).await?;
        serde_urlencoded::from_bytes(&bytes)
            .map_err(|_| Problem::InvalidDataFormat("The body is not a form."))
    }

    /// Whether it was filled in on the page that this token was given.
    pub fn is_for(&self, token: &ResetToken) -> bool {
        self.form_token.as_bytes().ct_eq(token_for(token).as_bytes()).into()
    }
}

/// The form token of a page: only who has the reset's token, in its cookie, can know it, and it does not tell the token.
pub fn token_for(token: &ResetToken) -> String {
    let digest = Sha256::new().chain_update("rekey reset form v1/").chain_update(token.expose()).finalize();
    URL_SAFE_NO_PAD.encode(digest)
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
