use std::fs;

use rekey_runtime::config::{Configuration, DevSettings, Source};

use super::{super::assets, *};

fn pages(settings: &[(&str, &str)]) -> Result<Pages, PagesError> {
    let source = Source::default()
        .preset("server.public_url", "https://rekey.example")
        .preset("auth.signing_key", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----")
        .preset("keys.sealing", "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        .preset("mail.from", "shop@example.com");
    let source = settings.iter().fold(source, |source, (key, value)| source.preset(key, *value));
    let configuration = Configuration::load(&source).unwrap();
    let settings: DevSettings = configuration.settings().unwrap();
    Pages::new(&settings.server, &settings.auth, &configuration.organization_settings().unwrap())
}

fn site(pages: &Pages) -> &Site {
    pages.for_organization(None)
}

/// Returns the error at the start for an organization's folder with that file.
fn refusal(file: &str, content: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("acme").join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
    let error = pages(&[("organizations.directory", directory.path().to_str().unwrap())]).err().unwrap();
    let prefix = directory.path().join("acme").display().to_string();
    error.to_string().replace(&prefix, "acme")
}

#[test]
fn every_page_in_every_language_is_whole_and_loads_nothing_from_elsewhere() {
    let pages = pages(&[("brand.support", "https://help.example/")]).unwrap();
    for language in Language::ALL {
        let site = site(&pages);
        for page in samples::all(&site.texts.reader(language)).unwrap() {
            let html = site.html(language, Some("The Shop"), &page, &others(language)).unwrap();
            let name = page.template();
            let opening = format!("<html lang=\"{language}\" dir=\"{}\">", language.direction().as_str());
            assert!(html.contains(&opening), "{name}: {html}");
            assert_eq!(html.matches("<h1>").count(), 1, "{name} in {language}: {html}");
            assert!(html.contains("The Shop</title>"), "{name} in {language}: {html}");
            for strange in [
                "<title> ",
                "<h1></h1>",
                "<style",
                " style=",
                " onclick=",
                "<script>",
                "{ $",
                "pages-",
                "<p></p>",
            ] {
                let html = html.replace("/pages", "").replace("&#x2f;pages", "");
                assert!(!html.contains(strange), "{strange} in {name} in {language}: {html}");
            }
            let loads = html.matches(" src=").count() + html.matches("<link").count();
            let ours = html.matches("=\"&#x2f;pages&#x2f;").count();
            assert_eq!(loads, ours, "{name} in {language}: {html}");
        }
    }
}

#[test]
fn pages_are_as_they_were() {
    let pages = pages(&[("brand.support", "help@shop.example")]).unwrap();
    let site = site(&pages);
    let script = assets::script_url();
    let version = script.split('/').nth(2).unwrap();
    let samples = samples::all(&site.texts.reader(Language::English)).unwrap();
    for (at, page) in samples.iter().enumerate() {
        let html = site.html(Language::English, Some("The Shop"), page, &[]).unwrap();
        let template = page.template();
        let variant = samples[..at].iter().filter(|other| other.template() == template).count() + 1;
        let name = format!("{}_{variant}", template.trim_end_matches(".html"));
        insta::assert_snapshot!(name, html.replace(version, "VERSION"));
    }
}

#[test]
fn a_page_can_be_had_in_every_other_language() {
    let pages = pages(&[]).unwrap();
    let page = Page::LinkExpired { again: None, login: None };
    let html = site(&pages).html(Language::German, None, &page, &others(Language::German)).unwrap();
    insta::assert_snapshot!(html.split("<footer>").nth(1).unwrap());
}

#[test]
fn page_leak_texts_are_escaped() {
    let pages = pages(&[]).unwrap();
    let bad = "\"><script>alert(1)</script>&";
    let page = Page::ForgotPassword {
        action: bad.to_owned(),
        email: bad,
        errors: vec![bad.to_owned()],
        login: Some(bad),
    };
    let languages = Translation::all_but(Language::English, |_| bad.to_owned());
    let html = site(&pages).html(Language::English, Some(bad), &page, &languages).unwrap();
    assert!(!html.contains("<script>") && !html.contains("\"\">"), "{html}");
    assert!(html.matches("&lt;script&gt;").count() >= 7, "{html}");
}

#[test]
fn an_error_in_an_organizations_pages_is_reported_at_the_start_in_one_line() {
    let missing = "{% extends \"layout.html\" %}{% block content %}\n{{ page.nothing }}{% endblock %}";
    for (file, content, message) in [
        ("templates/pages/done.html", "{% if %}", "acme: done.html:1: syntax error"),
        ("templates/pages/done.html", missing, "acme: done.html:2: undefined value"),
        ("templates/pages/done.html", "{{ t(\"pages-x\") }}", "there is no text `pages-x`"),
        (
            "templates/pages/sent.html",
            "{{ t(\"pages-sent-life\") }}",
            "a variable of the text `pages-sent-life` is missing",
        ),
        ("templates/pages/other.html", "", "acme: acme/templates/pages/other.html is no template of a page"),
        ("texts/en.ftl", "pages-nothing = x", "pages-nothing"),
        (
            "organization.toml",
            "[languages]\ndefault = \"tlh\"",
            "languages.default of acme: there are no texts in `tlh`",
        ),
    ] {
        let line = refusal(file, content);
        assert!(line.contains(message) && !line.contains('\n'), "{message}: {line}");
    }
}

#[test]
fn hidden_files_and_mails_templates_are_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    for file in ["templates/layout.mjml", "templates/pages/.done.html.swp"] {
        let path = directory.path().join("acme").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "{% x").unwrap();
    }
    assert!(pages(&[("organizations.directory", directory.path().to_str().unwrap())]).is_ok());
}
