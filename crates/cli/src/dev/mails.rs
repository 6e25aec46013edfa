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

#[cfg(test)]
mod tests {
    use actix_web::{App, http::StatusCode, test};
    use rekey_runtime::config::{Configuration, Source};
    use rekey_texts::Texts;

    use super::*;

    /// The status, the policy and the body of the answer.
    async fn get(path: &str) -> (StatusCode, Option<String>, String) {
        let source = Source::from_environment([]).preset("mail.from", "shop@example.com");
        let organizations = Configuration::load(&source).unwrap().organization_settings().unwrap();
        let texts = Texts::built_in(Language::English).unwrap();
        let renderer =
            Renderer::for_organization(&texts, organizations.get(&"demo".parse().unwrap())).unwrap();
        let app = App::new().configure(routes(renderer, "Q&A <shop>".to_owned()).unwrap());
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
            assert_eq!(body.matches("<iframe sandbox srcdoc=\"").count(), 3);
            assert!(body.contains(&format!("&lt;html lang=&quot;{language}&quot;")));
            assert!(body.contains("Q&amp;A &lt;shop&gt;") && !body.contains("<shop>"));
        }
        assert!(get("/dev/mails").await.2.contains("Set a new password for Q&amp;A"));
    }

    #[actix_web::test]
    async fn a_language_that_there_is_not_is_not_found() {
        for tag in ["zh", "DE", "..%2Fde", "%3Cscript%3E"] {
            assert_eq!(get(&format!("/dev/mails?locale={tag}")).await.0, StatusCode::NOT_FOUND, "{tag}");
        }
    }
}
