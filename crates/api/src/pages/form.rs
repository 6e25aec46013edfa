//! Forms: their fields, and the check that a page of this service sent them.

use actix_web::{
    HttpMessage, HttpRequest,
    http::header::{CONTENT_ENCODING, HeaderMap, HeaderValue},
    web::Payload,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::percent_decode;
use rekey_core::{ids::RecordId, random::RandomSource};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{jsonapi::error::Problem, payload};

/// Reads the fields of a POST's body.
pub async fn read<F: DeserializeOwned>(request: &HttpRequest, body: Payload) -> Result<F, Problem> {
    let is_encoded = request.headers().contains_key(CONTENT_ENCODING);
    if is_encoded || request.content_type() != "application/x-www-form-urlencoded" {
        return Err(Problem::UnsupportedMediaType);
    }
    let bytes = payload::read(request, body.into_inner()).await?;
    let malformed = || Problem::InvalidDataFormat("The body is not a form.");
    // Other encodings would be read as replacement characters, and become a password that nobody typed.
    percent_decode(&bytes).decode_utf8().map_err(|_| malformed())?;
    serde_urlencoded::from_bytes(&bytes).map_err(|_| malformed())
}

/// The token of a form. It proves that a page showed the form to the browser that has the secret in its cookie.
pub struct FormToken {
    /// The id of the event that the form leads to: sent twice, it is the same one. The forms of earlier versions have none.
    pub id: Option<RecordId>,
    text: String,
}

impl FormToken {
    /// Returns the token of a new form. Only a holder of the secret can know it, and the secret doesn't follow from it.
    #[must_use]
    pub fn generate(secret: &str, random: &dyn RandomSource) -> String {
        let id = RecordId::generate(random);
        format!("{id}.{}", digest(secret, id.as_str()))
    }

    /// Reads the token of a form that was sent.
    #[must_use]
    pub fn parse(text: String) -> Self {
        Self { id: text.split_once('.').and_then(|(id, _)| id.parse().ok()), text }
    }

    /// Whether the form is for this secret.
    #[must_use]
    pub fn is_for(&self, secret: &str) -> bool {
        let (id, proof) = self.text.split_once('.').unwrap_or(("", &self.text));
        proof.as_bytes().ct_eq(digest(secret, id).as_bytes()).into()
    }
}

fn digest(secret: &str, id: &str) -> String {
    let digest = Sha256::new().chain_update("rekey reset form v1/").chain_update(secret).chain_update(id);
    URL_SAFE_NO_PAD.encode(digest.finalize())
}

/// Whether a browser sent this POST from a page of this service, or without any page, as when a tab is restored (`none`; W3C Fetch
/// Metadata §2.3). For older browsers the `Origin` decides, which is `null` from a page with `Referrer-Policy: no-referrer`, as
/// these are (Fetch, "append a request `Origin` header").
#[must_use]
pub fn is_same_origin(headers: &HeaderMap, public_url: &str) -> bool {
    let value = |name| headers.get(name).map(HeaderValue::as_bytes);
    match value("sec-fetch-site") {
        Some(site) => matches!(site, b"same-origin" | b"none"),
        None => value("origin").is_none_or(|origin| origin == b"null" || origin == public_url.as_bytes()),
    }
}
