//! The mailbox as a page and as JSON.

use actix_web::{
    HttpResponse,
    error::ErrorInternalServerError,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType},
    web::{self, Data, ServiceConfig},
};
use minijinja::{Value, context, value::Serde};
use rekey_mailer::transport::{Mailbox, StoredMail};

use super::page;

/// The policy of one mail in a frame: without scripts and without an origin, also where it is opened outside the frame.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'self'; \
                           frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";
/// Makes links open in a new tab instead of in the mail's frame.
const BASE: &str = "<head><base target=\"_blank\">";

/// The routes under `/dev/mailbox`.
pub fn routes(mailbox: Mailbox) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    move |config| {
        config.app_data(Data::new(mailbox.clone()));
        config.route("/dev/mailbox", web::get().to(html));
        config.route("/dev/mailbox.json", web::get().to(json));
        config.route("/dev/mailbox.css", web::get().to(css));
        config.route("/dev/mailbox/{id}", web::get().to(mail));
    }
}

async fn html(mailbox: Data<Mailbox>) -> actix_web::Result<HttpResponse> {
    let mails = Value::from(Serde(list(mailbox).await?));
    page::html("mailbox.html", include_str!("../../templates/mailbox.html"), context! { mails })
}

async fn json(mailbox: Data<Mailbox>) -> actix_web::Result<HttpResponse> {
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(list(mailbox).await?))
}

/// The HTML of one mail.
async fn mail(mailbox: Data<Mailbox>, id: web::Path<String>) -> actix_web::Result<HttpResponse> {
    let Some(mail) = list(mailbox).await?.into_iter().find(|mail| mail.id == *id) else {
        return Ok(HttpResponse::NotFound().finish());
    };
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, MAIL_POLICY))
        .body(mail.html.replacen("<head>", BASE, 1)))
}

async fn css() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .body(include_str!("../../templates/mailbox.css"))
}

async fn list(mailbox: Data<Mailbox>) -> actix_web::Result<Vec<StoredMail>> {
    web::block(move || mailbox.list()).await?.map_err(ErrorInternalServerError)
}
