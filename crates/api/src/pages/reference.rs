//! `/docs`: the API's description to be read. It is made of the same document, once, and needs no script.

mod description;
mod samples;
mod view;

use std::sync::LazyLock;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS},
    web::Bytes,
};
use minijinja::{
    Environment,
    value::{Serde, Value},
};

use crate::{jsonapi::error::Problem, openapi::DESCRIPTION};

/// Nothing but our stylesheet is loaded, nothing is sent, nobody frames the page.
const CSP: &str =
    "default-src 'none'; style-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

static PAGE: LazyLock<Result<Bytes, minijinja::Error>> = LazyLock::new(|| render().map(Bytes::from));

/// `GET /docs`.
pub async fn show() -> Result<HttpResponse, Problem> {
    match &*PAGE {
        Ok(page) => Ok(answer().content_type("text/html; charset=utf-8").body(page.clone())),
        Err(error) => {
            tracing::error!(%error, "the reference can't be rendered");
            Err(Problem::Internal)
        }
    }
}

/// `GET /docs/style.css`.
pub async fn style() -> HttpResponse {
    answer().content_type("text/css; charset=utf-8").body(include_str!("templates/reference.css"))
}

fn answer() -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((CONTENT_SECURITY_POLICY, CSP))
        .insert_header((X_FRAME_OPTIONS, "DENY"))
        .insert_header((CACHE_CONTROL, "public, max-age=300"));
    answer
}

fn render() -> Result<String, minijinja::Error> {
    let mut templates = Environment::new();
    templates.add_template("reference.html", include_str!("templates/reference.html"))?;
    let page = view::page(&DESCRIPTION);
    templates.get_template("reference.html")?.render(Value::from(Serde(page)))
}

#[cfg(test)]
mod tests;
