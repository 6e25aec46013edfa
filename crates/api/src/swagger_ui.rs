//! `/docs`: Swagger UI, which shows the description and sends requests from it. All of it is in this binary.

use std::sync::Arc;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS},
    web::{Bytes, Path},
};
use utoipa_swagger_ui::{Config, serve};

use crate::jsonapi::error::Problem;

/// Swagger UI runs scripts, draws its icons from `data:` URLs and calls this service; nothing comes from or goes to elsewhere.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                   connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// The files of Swagger UI that our page loads; the crate has others.
const FILES: [&str; 3] = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

/// `GET /docs`.
pub async fn page() -> HttpResponse {
    response().content_type("text/html; charset=utf-8").body(include_str!("swagger_ui/index.html"))
}

/// `GET /docs/start.js`: starts Swagger UI on our description.
pub async fn start() -> HttpResponse {
    response().content_type("text/javascript; charset=utf-8").body(include_str!("swagger_ui/start.js"))
}

/// `GET /docs/{file}`: a file of Swagger UI, compressed when the program was built.
pub async fn file(name: Path<String>) -> Result<HttpResponse, Problem> {
    let name = FILES.into_iter().find(|file| *file == *name).ok_or(Problem::NotFound)?;
    let file = serve(name, Arc::new(Config::default())).ok().flatten().ok_or(Problem::NotFound)?;
    let mut response = response();
    if file.gzpipped {
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    Ok(response.content_type(file.content_type).body(Bytes::from(file.bytes.into_owned())))
}

fn response() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_SECURITY_POLICY, CSP))
        .insert_header((X_FRAME_OPTIONS, "DENY"))
        .insert_header((CACHE_CONTROL, "public, max-age=300"));
    response
}
