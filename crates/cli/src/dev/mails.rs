//! A page with a sample of every mail in every language.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    error::{ErrorInternalServerError, ErrorNotFound},
    web::{self, Data, Query, ServiceConfig},
};
use minijinja::context;
use rekey_mailer::render::Renderer;
use rekey_texts::Language;
use serde::Deserialize;

use super::page;

struct Samples {
    renderer: Renderer,
    shop: String,
}

#[derive(Deserialize)]
struct Parameters {
    /// The language to show; the shop's default if it is missing.
    locale: Option<String>,
}

/// The route `/dev/mails`.
pub fn routes(renderer: Renderer, shop: String) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let samples = Data::from(Arc::new(Samples { renderer, shop }));
    move |config| {
        config.app_data(samples.clone()).route("/dev/mails", web::get().to(html));
    }
}

async fn html(samples: Data<Samples>, parameters: Query<Parameters>) -> actix_web::Result<HttpResponse> {
    let Samples { renderer, shop } = &**samples;
    let language = match &parameters.locale {
        Some(tag) => Language::from_tag(tag).ok_or_else(|| ErrorNotFound("no such language"))?,
        None => renderer.reader(&[]).language(),
    };
    let mails = renderer.samples(language, shop).map_err(ErrorInternalServerError)?;
    let mails: Vec<_> = mails
        .iter()
        .map(|(name, mail)| context! { name => name.as_str(), subject => &mail.subject, text => &mail.text, html => &mail.html })
        .collect();
    let languages = Language::ALL.map(|language| context! { tag => language.tag(), name => language.name() });
    let values = context! { mails, languages, shown => language.tag() };
    page::html("mails.html", include_str!("../../templates/mails.html"), values)
}

#[cfg(test)]
mod tests;
