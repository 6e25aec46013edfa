use insta::assert_snapshot;

use super::*;

fn reset_requested(shop: &str) -> ResetRequested {
    ResetRequested {
        shop: shop.to_owned(),
        link: "https://shop.example.com/reset-password?id=RESETRESE1&token=TOKEN".to_owned(),
        code: None,
        life: "6 hours".to_owned(),
        expires: "28 October 2024 at 20:36 UTC".to_owned(),
    }
}

fn password_changed(shop: &str) -> PasswordChanged {
    PasswordChanged { shop: shop.to_owned(), changed: "28 October 2024 at 14:36 UTC".to_owned() }
}

fn all(shop: &str) -> [Rendered; 2] {
    let renderer = Renderer::new().unwrap();
    [renderer.render(&reset_requested(shop)).unwrap(), renderer.render(&password_changed(shop)).unwrap()]
}

#[test]
fn reset_requested_reads_so() {
    let [mail, _] = all("Söhne & Co");
    assert_snapshot!("reset_requested_text", format!("Subject: {}\n\n{}", mail.subject, mail.text));
    assert_snapshot!("reset_requested_html", mail.html);
}

#[test]
fn password_changed_reads_so() {
    let [_, mail] = all("Söhne & Co");
    assert_snapshot!("password_changed_text", format!("Subject: {}\n\n{}", mail.subject, mail.text));
    assert_snapshot!("password_changed_html", mail.html);
}

#[test]
fn a_shops_name_is_text_in_html() {
    for mail in all("<img src=x onerror=alert(1)> \"&'") {
        assert!(!mail.html.contains("<img") && mail.html.contains("&lt;img"), "{}", mail.html);
        assert!(mail.text.contains("<img src=x onerror=alert(1)> \"&'"));
    }
}

#[test]
fn a_link_stays_inside_its_attribute() {
    let context = ResetRequested {
        link: "https://a.example/?a='b'&c=\"><script>d</script>".to_owned(),
        ..reset_requested("Shop")
    };
    let html = Renderer::new().unwrap().render(&context).unwrap().html;
    assert!(!html.contains("<script") && !html.contains("c=\""), "{html}");
    assert!(
        html.contains("href=\"https://a.example/?a=&#39;b&#39;&amp;c=&quot;&gt;&lt;script&gt;"),
        "{html}"
    );
}

#[test]
fn mails_load_nothing_from_anywhere() {
    for html in all("Shop").map(|mail| mail.html) {
        for loader in ["<img", "<link", "<script", "url(", "@import", "src="] {
            assert!(!html.contains(loader), "{loader}");
        }
    }
}

#[test]
fn a_name_that_the_context_lacks_is_an_error() {
    #[derive(Serialize)]
    struct Wrong {
        shop: String,
    }
    impl Context for Wrong {
        const TEMPLATE: &'static str = "reset_requested";
    }
    let error = Renderer::new().unwrap().render(&Wrong { shop: "Shop".to_owned() }).err().unwrap();
    assert_eq!(error.kind(), minijinja::ErrorKind::UndefinedError);
}
