//! A page with a sample of every mail in every language.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    error::{ErrorInternalServerError, ErrorNotFound},
    web::{self, Data, Query, ServiceConfig},
};
use minijinja::context;
use rekey_mailer::render::{Renderer, samples};
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
        Some(tag) => Language::of_tag(tag).ok_or_else(|| ErrorNotFound("no such language"))?,
        None => renderer.reader(&[]).language(),
    };
    let mails = samples::all(renderer, language, shop).map_err(ErrorInternalServerError)?;
    let mails: Vec<_> = mails
        .iter()
        .map(|(name, mail)| context! { name => name.as_str(), subject => &mail.subject, text => &mail.text, html => &mail.html })
        .collect();
    let languages = Language::ALL.map(|language| context! { tag => language.tag(), name => language.name() });
    let values = context! { mails, languages, shown => language.tag() };
    page::html("mails.html", include_str!("../../templates/mails.html"), values)
}

#[cfg(test)]
mod tests {
    use actix_web::{
        App,
        http::{StatusCode, header::CONTENT_SECURITY_POLICY},
        test,
    };
    use rekey_core::deliveries::MailName;
    use rekey_runtime::config::{Configuration, Source};
    use rekey_texts::Texts;
    use strum::VariantArray;

    use super::*;

    /// Returns the status, the policy and the body of the response.
    async fn get(path: &str) -> (StatusCode, Option<String>, String) {
        let source = Source::from_environment([]).preset("mail.from", "shop@example.com");
        let organizations = Configuration::load(&source).unwrap().organization_settings().unwrap();
        let texts = Texts::built_in(Language::English).unwrap();
        let renderer =
            Renderer::for_organization(&texts, organizations.get(&"demo".parse().unwrap())).unwrap();
        let app = App::new().configure(routes(renderer, "Q&A <shop>".to_owned()));
        let app = test::init_service(app).await;
        let answer = test::call_service(&app, test::TestRequest::get().uri(path).to_request()).await;
        let policy = answer.headers().get(CONTENT_SECURITY_POLICY);
        let policy = policy.map(|policy| policy.to_str().unwrap().to_owned());
        (answer.status(), policy, String::from_utf8(test::read_body(answer).await.to_vec()).unwrap())
    }

    #[actix_web::test]
    async fn every_language_is_shown_in_frames_that_run_and_load_nothing() {
        for language in Language::ALL {
            let (status, policy, body) = get(&format!("/dev/mails?locale={language}")).await;
            assert_eq!(status, StatusCode::OK);
            assert!(policy.unwrap().starts_with("default-src 'none';"));
            assert_eq!(body.matches("<iframe sandbox srcdoc=\"").count(), MailName::VARIANTS.len());
            assert!(body.contains(&format!("&lt;html lang=&quot;{language}&quot;")));
            assert!(body.contains("Q&amp;A &lt;shop&gt;") && !body.contains("<shop>"));
        }
        assert!(get("/dev/mails").await.2.contains("Set a new password for Q&amp;A"));
    }

    #[actix_web::test]
    async fn an_unknown_language_is_not_found() {
        for tag in ["zh", "DE", "..%2Fde", "%3Cscript%3E"] {
            assert_eq!(get(&format!("/dev/mails?locale={tag}")).await.0, StatusCode::NOT_FOUND, "{tag}");
        }
    }
}
