//! The mailbox as a page and as JSON.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    error::ErrorInternalServerError,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType},
    web::{self, Data, ServiceConfig},
};
use minijinja::{AutoEscape, Environment, Value, context, value::Serde};
use rekey_mailer::transport::{Mailbox, StoredMail};

/// Mails are shown in frames without scripts; a frame inherits this policy, and mails carry their styles inline.
pub const POLICY: &str =
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:; frame-src 'self'; base-uri 'none'";

/// One mail in a frame of ours: as above, and without scripts or an origin wherever it is opened.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'self'; \
                           frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";
/// Links open beside the frame that the mail is in.
const BASE: &str = "<head><base target=\"_blank\">";

struct Page {
    mailbox: Mailbox,
    templates: Environment<'static>,
}

/// Routes under `/dev/mailbox`, for every worker.
pub fn routes(mailbox: Mailbox) -> anyhow::Result<impl Fn(&mut ServiceConfig) + Clone + Send + 'static> {
    let mut templates = Environment::new();
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    templates.add_template("mailbox", include_str!("../../templates/mailbox.html"))?;
    let page = Data::from(Arc::new(Page { mailbox, templates }));
    Ok(move |config: &mut ServiceConfig| {
        config.app_data(page.clone());
        config.route("/dev/mailbox", web::get().to(html));
        config.route("/dev/mailbox.json", web::get().to(json));
        config.route("/dev/mailbox.css", web::get().to(css));
        config.route("/dev/mailbox/{id}", web::get().to(mail));
    })
}

async fn html(page: Data<Page>) -> actix_web::Result<HttpResponse> {
    let mails = list(&page).await?;
    let template = page.templates.get_template("mailbox").map_err(ErrorInternalServerError)?;
    let body =
        template.render(context! { mails => Value::from(Serde(mails)) }).map_err(ErrorInternalServerError)?;
    let answer = HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(body);
    Ok(answer)
}

async fn json(page: Data<Page>) -> actix_web::Result<HttpResponse> {
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(list(&page).await?))
}

/// A mail's HTML, as its reader sees it.
async fn mail(page: Data<Page>, id: web::Path<String>) -> actix_web::Result<HttpResponse> {
    let mails = list(&page).await?;
    let Some(mail) = mails.into_iter().find(|mail| mail.id == *id) else {
        return Ok(HttpResponse::NotFound().finish());
    };
    let answer = HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, MAIL_POLICY))
        .body(mail.html.replacen("<head>", BASE, 1));
    Ok(answer)
}

async fn css() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .body(include_str!("../../templates/mailbox.css"))
}

async fn list(page: &Data<Page>) -> actix_web::Result<Vec<StoredMail>> {
    let mailbox = page.mailbox.clone();
    web::block(move || mailbox.list()).await?.map_err(ErrorInternalServerError)
}
