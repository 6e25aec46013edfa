//! `/docs`: Swagger UI, which shows the description and sends requests from it. All of it is in this binary.

use std::sync::Arc;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS},
    web::Path,
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

/// `GET /docs/{file}`: our own files, or those of Swagger UI, which are compressed when the program is built.
pub async fn file(name: Path<String>) -> Result<HttpResponse, Problem> {
    match name.as_str() {
        "start.js" => {
            Ok(response().content_type("text/javascript").body(include_str!("swagger_ui/start.js")))
        }
        "style.css" => Ok(response().content_type("text/css").body(include_str!("swagger_ui/style.css"))),
        name if FILES.contains(&name) => {
            let file = serve(name, Arc::new(Config::default())).ok().flatten().ok_or(Problem::Internal)?;
            let mut response = response();
            if file.gzpipped {
                response.insert_header((CONTENT_ENCODING, "gzip"));
            }
            Ok(response.content_type(file.content_type).body(file.bytes.into_owned()))
        }
        _ => Err(Problem::NotFound),
    }
}

fn response() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_SECURITY_POLICY, CSP))
        .insert_header((X_FRAME_OPTIONS, "DENY"))
        .insert_header((CACHE_CONTROL, "public, max-age=300"));
    response
}
