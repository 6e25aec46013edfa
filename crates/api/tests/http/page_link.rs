//! Links that mail clients have changed, that are opened without cookies, or next to planted cookies.

use rekey_core::clients::ClientKind;

use crate::{
    app::{Answer, TestApp},
    page::{OpenedLink, PATH, assert_page_headers, form_token, send},
};

const LOST: &str = "<h1>Please open the link again</h1>";

async fn get(app: &TestApp, path: &str, cookie: &str) -> Answer {
    send(app.http.get(app.url(path)).header("cookie", cookie)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_as_mail_clients_and_rewriters_leave_it() {
    let OpenedLink { app, id, token, cookie, .. } = OpenedLink::start().await;
    for (query, wishes) in [
        (format!("id={id}&token={token}%3E"), ""),
        (format!("id={id}&token={token}."), ""),
        (format!("id={id}&token={token}%20%0D%0A"), ""),
        (format!("id={id}&token={token}&organization=demo&locale=de%3E"), "?organization=demo&locale=de"),
        (format!("id={id}&amp;token={token}&amp;locale=de"), "?locale=de"),
        (format!("utm_source=x&token={token}&utm_campaign=%ff&id={id}&gclid=y"), ""),
        (format!("id={id}&token={token}&mc_eid=%zz#fragment"), ""),
    ] {
        let redirect = get(&app, &format!("{PATH}?{query}"), "").await;
        assert_eq!(redirect.header("location"), format!("{PATH}{wishes}"), "{query}");
        assert!(redirect.header("set-cookie").starts_with(&format!("{cookie};")), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_not_whole_is_asked_for_again() {
    let OpenedLink { app, id, token, cookie, .. } = OpenedLink::start().await;
    let client = app.client(ClientKind::SalesChannel, true).await;
    let half = &token[..20];
    for query in [
        format!("id={id}&token={half}"),
        format!("id={id}"),
        format!("token={token}"),
        "id=&token=".to_owned(),
    ] {
        let path = format!("{PATH}?{query}&client_id={}", client.id);
        let redirect = get(&app, &path, &cookie).await;
        assert_eq!(redirect.header("location"), format!("{PATH}?client_id={}", client.id), "{query}");
        assert!(redirect.header("set-cookie").contains("Max-Age=0"), "{query}: {:?}", redirect.headers);
        let page = get(&app, redirect.header("location"), "").await;
        assert!(page.status == 400 && page.text.contains(LOST), "{}", page.text);
        assert!(
            page.text.contains(&format!("/forgot-password?client_id={}", client.id).replace('/', "&#x2f;"))
        );
        assert_page_headers(&page.headers);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_without_cookies_gets_an_explanation() {
    let opened = OpenedLink::start().await;
    let form_token = form_token(&opened.page().await);
    let page = get(&opened.app, PATH, "").await;
    let form = opened.app.http.post(opened.app.url(PATH));
    let form = form.form(&[("form_token", form_token.as_str()), ("password", "the second password")]);
    for page in [page, send(form).await] {
        assert!(page.status == 400 && page.text.contains(LOST), "{}", page.text);
        assert!(page.text.contains("please allow cookies"), "{}", page.text);
        assert_eq!(page.header("set-cookie"), "");
    }
    assert_eq!(opened.log_in("the first password").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_of_others_do_no_harm() {
    let OpenedLink { app, cookie, .. } = OpenedLink::start().await;
    for around in [
        format!("flag; {cookie}"),
        format!("={cookie}; {cookie}"),
        format!("{cookie}; theme=%zz; __Secure-rekey_reset_2=x"),
        format!("a=\"b;{cookie}"),
        format!("{cookie}; {cookie}"),
    ] {
        assert_eq!(get(&app, PATH, &around).await.status, 200, "{around}");
    }
    let bytes = [b"name=M\xfcller; ", cookie.as_bytes()].concat();
    let request = app.http.get(app.url(PATH)).header("cookie", bytes.as_slice());
    assert_eq!(send(request).await.status, 200);
}

/// Cookie tossing: a sibling host sets a cookie for the common domain, and the browser sends both.
#[tokio::test(flavor = "multi_thread")]
async fn page_leak_of_two_links_in_cookies_none_is_believed() {
    let opened = OpenedLink::start().await;
    let form_token = form_token(&opened.page().await);
    let planted = format!("__Secure-rekey_reset={}.{}", opened.id, "A".repeat(43));
    for cookies in [format!("{planted}; {}", opened.cookie), format!("{}; {planted}", opened.cookie)] {
        let page = get(&opened.app, PATH, &cookies).await;
        assert!(page.status == 400 && page.text.contains(LOST), "{}", page.text);
        let form = [("form_token", form_token.as_str()), ("password", "the second password")];
        let form = opened.app.http.post(opened.app.url(PATH)).form(&form).header("cookie", &cookies);
        assert_eq!(send(form.header("sec-fetch-site", "same-origin")).await.status, 400);
    }
    assert_eq!(opened.log_in("the first password").await, 200);
}

/// Like log-in CSRF: an attacker's link is opened in the victim's browser while the victim's own form is open.
#[tokio::test(flavor = "multi_thread")]
async fn page_leak_a_form_is_good_for_its_own_link_only() {
    let opened = OpenedLink::start().await;
    opened.app.customer("eve@example.com", "the password of eve").await;
    let reset = opened.app.ask(&opened.app.integration().await, "eve@example.com").await;
    let planted = format!(
        "__Secure-rekey_reset={}.{}",
        reset.id(),
        reset.attribute("reset_password_token").as_str().unwrap()
    );
    let shown = get(&opened.app, PATH, &planted).await;
    assert!(shown.text.contains("For the account eve@example.com"), "{}", shown.text);
    let form =
        [("form_token", form_token(&opened.page().await)), ("password", "the second password".to_owned())];
    let form = opened.app.http.post(opened.app.url(PATH)).form(&form).header("cookie", &planted);
    assert_eq!(send(form.header("sec-fetch-site", "same-origin")).await.status, 403);
    let sales = opened.app.client(ClientKind::SalesChannel, false).await;
    assert_eq!(opened.app.log_in(&sales, "eve@example.com", "the password of eve").await.status, 200);
    assert_eq!(opened.log_in("the first password").await, 200);
}
