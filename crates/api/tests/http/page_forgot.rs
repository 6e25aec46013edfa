//! The page on which a customer requests a mail.

use rekey_core::clients::ClientKind;
use reqwest::{Method, RequestBuilder};
use time::Duration;

use crate::{
    app::{Answer, PUBLIC_URL, RESETS, TestApp, TestClient},
    page::assert_page_headers,
};

pub const PATH: &str = "/forgot-password";

pub async fn send(request: RequestBuilder) -> Answer {
    Answer::read(request.send().await.unwrap()).await
}

async fn get(app: &TestApp, path: &str) -> Answer {
    send(app.http.get(app.url(path))).await
}

/// The form, as a browser sends it from our page.
pub fn post(app: &TestApp, client: &TestClient, email: &str) -> RequestBuilder {
    let form = app.http.post(app.url(&form_path(client))).form(&[("email", email)]);
    form.header("sec-fetch-site", "same-origin").header("origin", "null")
}

fn form_path(client: &TestClient) -> String {
    format!("{PATH}?client_id={}", client.id)
}

/// Returns how many resets there are.
async fn count_resets(app: &TestApp) -> u64 {
    app.get(RESETS, &app.integration().await).await.body["meta"]["record_count"].as_u64().unwrap()
}

pub async fn start() -> (TestApp, TestClient) {
    let app = TestApp::start().await;
    app.customer("john@example.com", "the first password").await;
    let client = app.client(ClientKind::SalesChannel, true).await;
    (app, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn enum_body_the_page_is_the_same_for_known_and_unknown_addresses() {
    let (app, client) = start().await;
    let mut seen = Vec::new();
    for email in ["john@example.com", "nobody@example.com", "JOHN@example.com"] {
        let sent = send(post(&app, &client, email)).await;
        assert_eq!((sent.status.as_u16(), sent.text.as_str()), (303, ""), "a reload asks for nothing again");
        assert_page_headers(&sent.headers);
        let cookie = sent.header("set-cookie").to_owned();
        for part in
            ["__Secure-rekey_asked=", "HttpOnly", "SameSite=Strict", "Secure", "Path=/forgot-password"]
        {
            assert!(cookie.contains(part), "{part}: {cookie}");
        }
        let id = cookie.split(['=', ';']).nth(1).unwrap().to_owned();
        let mut headers: Vec<_> = sent
            .headers
            .iter()
            .filter(|(name, _)| *name != "date" && *name != "x-ratelimit-remaining")
            .collect();
        headers.sort_by_key(|(name, _)| name.as_str());
        let headers = format!("{headers:?}").replace(&id, "ID");
        let cookie = cookie.split(';').next().unwrap();
        let page = send(app.http.get(app.url(sent.header("location"))).header("cookie", cookie)).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(!page.text.contains("john") && !page.text.contains("nobody"), "{}", page.text);
        assert!(page.text.contains("Check your email") && page.text.contains("6 hours"), "{}", page.text);
        seen.push((headers, page.text));
        app.clock.forward(Duration::seconds(1));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
    assert_eq!(count_resets(&app).await, 2, "the customer's, and none for nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn email_list_a_malformed_address_is_reported_next_to_the_field() {
    let (app, client) = start().await;
    for typed in [
        "john",
        "john@",
        "john@example.com,eve@example.com",
        "john@example.com;eve@example.com",
        "john @example.com",
        "john@example.com\r\n",
        "john@example.com\r\nBcc: eve@example.com",
        "john@example.com\0",
        "J\u{131}hn@example.com",
        "\"><script>alert(1)</script>@example.com",
        &format!("{}@example.com", "a".repeat(300)),
    ] {
        let page = send(post(&app, &client, typed)).await;
        assert_eq!(page.status, 422, "{typed}: {}", page.text);
        for part in [
            "<title>Error: ",
            "autofocus aria-invalid=\"true\" aria-describedby=\"error\"",
            "in the form name@example.com",
        ] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
        assert!(!page.text.contains("<script>alert"), "{}", page.text);
        assert_page_headers(&page.headers);
    }
    let typed = send(post(&app, &client, "john@")).await;
    assert!(typed.text.contains("value=\"john@\""), "what was typed is there to be corrected");
    for empty in ["", " "] {
        let empty = send(post(&app, &client, empty)).await;
        assert_eq!(empty.status, 422);
        assert!(empty.text.contains("Please enter your email address."), "{}", empty.text);
    }
    let array =
        app.http.post(app.url(&form_path(&client))).form(&[("email", "a@x.test"), ("email", "b@x.test")]);
    assert_eq!(send(array).await.status, 400);
    assert_eq!(count_resets(&app).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn page_leak_a_cross_site_form_asks_for_nothing() {
    let (app, client) = start().await;
    let form = || app.http.post(app.url(&form_path(&client))).form(&[("email", "john@example.com")]);
    for request in [
        form().header("sec-fetch-site", "cross-site"),
        form().header("sec-fetch-site", "same-site"),
        form().header("origin", "https://evil.test"),
    ] {
        let page = send(request).await;
        assert_eq!(page.status, 403, "{}", page.text);
        assert!(page.text.contains("Please send the form again"), "{}", page.text);
    }
    let json =
        app.http.post(app.url(&form_path(&client))).json(&serde_json::json!({ "email": "john@example.com" }));
    assert_eq!(send(json).await.status, 415);
    assert_eq!(count_resets(&app).await, 0);
    assert_eq!(send(form().header("origin", PUBLIC_URL)).await.status, 303);
    assert_eq!(count_resets(&app).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_sales_channel_with_self_service_has_the_page() {
    let (app, client) = start().await;
    let plain = app.client(ClientKind::SalesChannel, false).await;
    let integration = app.client(ClientKind::Integration, true).await;
    assert_eq!(get(&app, &form_path(&client)).await.status, 200);
    for path in [
        PATH.to_owned(),
        form_path(&plain),
        form_path(&integration),
        format!("{PATH}?client_id=nobody"),
        format!("{PATH}?client_id=%00%0d%0a"),
        format!("{PATH}/sent"),
    ] {
        let page = get(&app, &path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.text.contains("<h1>There is no page here</h1>"), "{}", page.text);
    }
    for client in [&plain, &integration] {
        assert_eq!(send(post(&app, client, "john@example.com")).await.status, 404);
    }
    assert_eq!(count_resets(&app).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn host_poison_a_host_chooses_a_public_page_and_no_link() {
    let (app, client) = start().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("demo")).unwrap();
    let own = format!("[pages]\nclient_id = \"{}\"\n", client.id);
    std::fs::write(folder.path().join("demo/organization.toml"), own).unwrap();
    let own = app.replica_with(&[
        ("organizations.directory", folder.path().to_str().unwrap()),
        ("auth.domain", "rekey.test"),
    ]);
    let at_host = |host: &str| own.http.get(own.url(PATH)).header("host", host);
    let page = send(at_host("demo.rekey.test")).await;
    assert!(page.status == 200 && page.text.contains("The demo shop"), "{}", page.text);
    for host in ["rekey.test", "other.rekey.test", "demo.evil.test", "demorekey.test"] {
        let forwarded = at_host(host).header("x-forwarded-host", "demo.rekey.test");
        let forwarded = forwarded.header("forwarded", "host=demo.rekey.test");
        assert_eq!(send(forwarded).await.status, 404, "{host}");
    }
    assert_eq!(get(&own, &format!("{PATH}?organization=demo")).await.status, 200);
    // A client of another organization than the folder's is not used.
    let deployment = app.replica_with(&[("pages.client_id", &client.id)]);
    assert_eq!(get(&deployment, PATH).await.status, 200, "the deployment's");
    assert_eq!(get(&deployment, &format!("{PATH}?organization=other")).await.status, 404);
    let request = deployment.http.post(deployment.url(PATH)).form(&[("email", "john@example.com")]);
    let sent = send(request.header("host", "evil.test").header("x-forwarded-host", "evil.test")).await;
    assert_eq!((sent.status.as_u16(), sent.header("location")), (303, "/forgot-password/sent"));
    let page = send(deployment.http.get(deployment.url(PATH)).header("host", "evil.test")).await;
    assert!(!page.text.contains("evil") && !format!("{:?}", page.headers).contains("evil"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_for_and_other_spellings_reset_no_limit() {
    let (app, client) = start().await;
    let limited = app.replica_with(&[("limits.page_per_minute", "3")]);
    for n in 0..3 {
        let form = post(&limited, &client, "john@example.com");
        assert_eq!(send(form.header("x-forwarded-for", format!("192.0.2.{n}"))).await.status, 303);
    }
    let again = post(&limited, &client, "john@example.com").header("x-forwarded-for", "192.0.2.9");
    let refused = send(again).await;
    assert_eq!(refused.status, 429, "{}", refused.text);
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0, "{:?}", refused.headers);
    assert!(refused.text.contains("Please try again in a minute"), "{}", refused.text);
    for path in ["//forgot-password", "/forgot-password/", "/Forgot-Password", "/forgot%2Dpassword/x"] {
        let url = format!("{}{path}?client_id={}", limited.url(""), client.id);
        let request = limited.http.post(url).form(&[("email", "john@example.com"), ("x", "y")]);
        let status = send(request).await.status.as_u16();
        assert!([404, 429].contains(&status), "{path}: {status}");
    }
    assert_eq!(get(&limited, &form_path(&client)).await.status, 200, "looking is not counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shops_visitors_have_a_ceiling_together() {
    let (app, client) = start().await;
    let limited = app.replica_with(&[("limits.sales_channel_per_minute", "2")]);
    for status in [303, 303, 429, 429] {
        assert_eq!(send(post(&limited, &client, "john@example.com")).await.status, status);
    }
    let other = app.client(ClientKind::SalesChannel, true).await;
    assert_eq!(send(post(&limited, &other, "john@example.com")).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn password_managers_find_the_page() {
    let app = TestApp::start().await;
    for method in [Method::GET, Method::HEAD] {
        let answer = send(app.http.request(method, app.url("/.well-known/change-password"))).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, PATH));
    }
    let no_such = "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200";
    assert_eq!(get(&app, no_such).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn pool_an_unavailable_store_is_reported_by_a_page() {
    let (app, client) = start().await;
    app.store.close().await;
    let page = send(post(&app, &client, "john@example.com")).await;
    assert_eq!((page.status.as_u16(), page.header("retry-after")), (503, "1"), "{}", page.text);
    assert!(page.text.contains("Please try again in a moment"), "{}", page.text);
}
