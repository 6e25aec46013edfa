//! A sample of every mail in every language, as a page.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    error::{ErrorInternalServerError, ErrorNotFound},
    http::header::{CONTENT_SECURITY_POLICY, ContentType},
    web::{self, Data, Query, ServiceConfig},
};
use minijinja::{AutoEscape, Environment, context};
use rekey_mailer::render::{
    Renderer,
    samples::{self, Scope},
};
use rekey_texts::Language;
use serde::Deserialize;

use super::mailbox::POLICY;

struct Page {
    renderer: Renderer,
    shop: String,
    templates: Environment<'static>,
}

/// Which language to show; the shop's own, if none is named.
#[derive(Deserialize)]
struct Shown {
    locale: Option<String>,
}

/// The route `/dev/mails`, for every worker.
pub fn routes(
    renderer: Renderer,
    shop: String,
) -> anyhow::Result<impl Fn(&mut ServiceConfig) + Clone + Send + 'static> {
    let mut templates = Environment::new();
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    templates.add_template("mails", include_str!("../../templates/mails.html"))?;
    let page = Data::from(Arc::new(Page { renderer, shop, templates }));
    Ok(move |config: &mut ServiceConfig| {
        config.app_data(page.clone());
        config.route("/dev/mails", web::get().to(html));
    })
}

async fn html(page: Data<Page>, shown: Query<Shown>) -> actix_web::Result<HttpResponse> {
    let language = match &shown.locale {
        Some(tag) => Language::of_tag(tag).ok_or_else(|| ErrorNotFound("no such language"))?,
        None => page.renderer.reader(&[]).language(),
    };
    let mails =
        samples::all(&page.renderer, language, &page.shop, Scope::Full).map_err(ErrorInternalServerError)?;
    let mails: Vec<_> = mails
        .iter()
        .map(|(name, mail)| context! { name => *name, subject => &mail.subject, text => &mail.text, html => &mail.html })
        .collect();
    let languages = Language::ALL.map(|language| context! { tag => language.tag(), name => language.name() });
    let template = page.templates.get_template("mails").map_err(ErrorInternalServerError)?;
    let body = template
        .render(context! { mails, languages, shown => language.tag() })
        .map_err(ErrorInternalServerError)?;
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(body))
}
