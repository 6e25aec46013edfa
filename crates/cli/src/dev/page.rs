use actix_web::{
    HttpResponse,
    error::ErrorInternalServerError,
    http::header::{CONTENT_SECURITY_POLICY, ContentType},
};
use minijinja::{Environment, Value};

/// Mails are shown in frames without scripts; a frame inherits this policy, and mails have inline styles.
const POLICY: &str =
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:; frame-src 'self'; base-uri 'none'";

/// Renders a page that shows mails. The template's name ends in `.html`, so its values are escaped.
pub fn html(name: &str, template: &str, values: Value) -> actix_web::Result<HttpResponse> {
    let body = Environment::new().render_named_str(name, template, values);
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(body.map_err(ErrorInternalServerError)?))
}
