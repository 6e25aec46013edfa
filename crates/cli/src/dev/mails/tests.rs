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
    let renderer = Renderer::for_organization(&texts, organizations.get(&"demo".parse().unwrap())).unwrap();
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
