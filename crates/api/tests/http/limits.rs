//! Rate limits: which requests are counted together, and the headers of answers.

use std::{net::SocketAddr, sync::atomic::Ordering};

use rekey_core::clients::ClientKind;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use time::Duration;

use crate::app::{Answer, MEDIA_TYPE, RESETS, TestApp, other_mode};

const LIMIT: usize = 5;
const PROXIED: (&str, &str) = ("server.trusted_proxies", "127.0.0.1");

async fn app(settings: &[(&str, &str)]) -> TestApp {
    TestApp::start_with(settings, Vec::new()).await
}

async fn send(request: RequestBuilder) -> Answer {
    Answer::read(request.send().await.unwrap()).await
}

fn grant(app: &TestApp, at: SocketAddr, client: &str) -> RequestBuilder {
    let grant = json!({ "grant_type": "client_credentials", "client_id": client });
    app.http.post(format!("http://{at}/oauth/token")).json(&grant)
}

fn get(app: &TestApp, at: SocketAddr, path: &str, token: &str) -> RequestBuilder {
    app.http.get(format!("http://{at}{path}")).bearer_auth(token)
}

#[track_caller]
fn assert_refused(answer: &Answer, limit: &str) {
    answer.assert_error(429, "TOO_MANY_REQUESTS", None);
    assert_limit_headers(answer, limit);
}

/// Checks the headers of a refusal, and returns the time to wait.
#[track_caller]
fn assert_limit_headers(answer: &Answer, limit: &str) -> i64 {
    assert_eq!(answer.header("x-ratelimit-limit"), limit);
    assert_eq!((answer.header("x-ratelimit-interval"), answer.header("x-ratelimit-remaining")), ("60", "0"));
    let wait: i64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=66).contains(&wait), "{wait}");
    wait
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_for_a_token_counts_by_address_in_all_replicas_together() {
    let app = app(&[("limits.token_per_minute", "5")]).await;
    let client = app.client(ClientKind::SalesChannel, false).await.id;
    let replica = app.replica();
    let replicas = [app.address, replica.address];
    for call in 0..LIMIT {
        let answer = send(grant(&app, replicas[call % 2], &client)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.header("x-ratelimit-remaining"), (LIMIT - 1 - call).to_string());
    }
    let mut waits = Vec::new();
    for at in replicas {
        let refused = send(grant(&app, at, &client)).await;
        assert_eq!(refused.status, 429);
        assert_eq!(refused.header("content-type"), "application/json");
        assert_eq!(
            (
                &refused.body["error"],
                &refused.body["errors"][0]["code"],
                &refused.body["errors"][0]["status"]
            ),
            (&json!("too_many_requests"), &json!("TOO_MANY_REQUESTS"), &json!(429))
        );
        waits.push(assert_limit_headers(&refused, "5"));
    }
    // The window slides: after the announced wait, not before.
    app.clock.forward(Duration::seconds(waits[0].min(waits[1]) - 15));
    assert_eq!(send(grant(&app, replicas[0], &client)).await.status, 429);
    app.clock.forward(Duration::seconds(15 + (waits[0] - waits[1]).abs()));
    assert_eq!(send(grant(&app, replicas[1], &client)).await.status, 200);
    app.clock.forward(Duration::seconds(70));
    let rested = send(grant(&app, replicas[0], &client)).await;
    assert_eq!((rested.status.as_u16(), rested.header("x-ratelimit-remaining")), (200, "4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_is_one_party_wherever_it_calls_from() {
    let app = app(&[PROXIED, ("limits.test_per_minute", "5"), ("limits.live_per_minute", "3")]).await;
    let (one, other) = (app.integration().await, app.integration().await);
    let from = async |n: usize, token: &str| {
        send(get(&app, app.address, RESETS, token).header("x-forwarded-for", format!("192.0.2.{n}"))).await
    };
    for n in 0..LIMIT {
        assert_eq!(from(n, &one).await.header("x-ratelimit-remaining"), (LIMIT - 1 - n).to_string());
    }
    assert_refused(&from(99, &one).await, "5");
    // Another integration at the same address is counted separately; so are writes, and live mode.
    assert_eq!(from(1, &other).await.status, 200);
    app.ask(&one, "nobody@example.com").await.assert_error(
        422,
        "VALIDATION_ERROR",
        Some("/data/attributes/customer_email"),
    );
    let live = app.client_in(other_mode(app.scope), ClientKind::Integration, false).await;
    let live = app.access_token(&live).await;
    for _ in 0..3 {
        assert_eq!(from(1, &live).await.header("x-ratelimit-limit"), "3");
    }
    assert_refused(&from(1, &live).await, "3");
}

// C1: some proxies write the port of each connection.
#[tokio::test(flavor = "multi_thread")]
async fn forwarded_for_ports_neither_multiply_a_visitor_nor_merge_all() {
    for (header, entry) in [
        ("x-forwarded-for", ["203.0.113.7:PORT", "198.51.100.9:PORT", "[2001:db8:1::7]:PORT"]),
        (
            "forwarded",
            ["for=\"203.0.113.7:PORT\"", "for=198.51.100.9", "for=\"[2001:db8:1::7]:PORT\";proto=https"],
        ),
    ] {
        let settings = [PROXIED, ("server.forwarded_header", header), ("limits.token_per_minute", "5")];
        let app = app(&settings).await;
        let client = app.client(ClientKind::SalesChannel, false).await.id;
        let from = async |entry: &str, port: usize| {
            let value = entry.replace("PORT", &(50_000 + port).to_string());
            send(grant(&app, app.address, &client).header(header, value)).await.status.as_u16()
        };
        for port in 0..LIMIT {
            assert_eq!(from(entry[0], port).await, 200);
        }
        assert_eq!(from(entry[0], LIMIT).await, 429);
        assert_eq!((from(entry[1], 1).await, from(entry[2], 1).await), (200, 200), "{header}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_visitor_does_not_use_up_a_shop() {
    let app = app(&[PROXIED, ("limits.test_per_minute", "5")]).await;
    let guest = app.guest(true).await;
    let from = async |address: &str| {
        let body = json!({ "data": { "type": "customer_password_resets", "attributes": { "customer_email": "a@example.com" } } });
        let request = app.http.post(app.url(RESETS)).bearer_auth(&guest).header("x-forwarded-for", address);
        send(request.header("content-type", MEDIA_TYPE).body(body.to_string())).await
    };
    for n in 0..LIMIT {
        // The client's own claims are to the left of the proxy's entry, and are ignored.
        assert_eq!(from(&format!("198.51.100.{n}, 192.0.2.1")).await.status, 201);
    }
    assert_refused(&from("203.0.113.7, 192.0.2.1").await, "5");
    assert_eq!(from("192.0.2.2").await.status, 201);
    // The IPv6 addresses of a subscriber are counted together.
    for n in 0..LIMIT {
        assert_eq!(from(&format!("2001:db8:1:2::{n}")).await.status, 201);
    }
    assert_refused(&from("2001:db8:1:2:ffff::1").await, "5");
    assert_eq!(from("2001:db8:1:3::1").await.status, 201);
}

/// A8: who has a whole site has 65,536 subscribers' networks.
#[tokio::test(flavor = "multi_thread")]
async fn the_networks_of_a_home_and_of_a_site_are_counted_together() {
    let app = app(&[PROXIED, ("limits.token_per_minute", "5")]).await;
    let client = app.client(ClientKind::SalesChannel, false).await.id;
    let from = async |network: String| {
        let request = grant(&app, app.address, &client).header("x-forwarded-for", format!("{network}::1"));
        send(request).await
    };
    for n in 0..20 {
        let answer = from(format!("2001:db8:1:{n:x}")).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-ratelimit-remaining")), (200, "4"), "{n}");
    }
    assert_limit_headers(&from("2001:db8:1:ff".to_owned()).await, "20");
    for n in 1..=60 {
        assert_eq!(from(format!("2001:db8:1:{n:x}00")).await.status, 200, "{n}");
    }
    assert_limit_headers(&from("2001:db8:1:6100".to_owned()).await, "80");
    assert_eq!(from("2001:db8:2:0".to_owned()).await.status, 200, "another site");
}

/// A8: neither reads nor log-ins keep anybody from recovering an account, and the other way round.
#[tokio::test(flavor = "multi_thread")]
async fn a_sales_channels_visitors_have_ceilings_for_reads_log_ins_and_recovery() {
    let app = app(&[PROXIED, ("limits.sales_channel_per_minute", "5")]).await;
    let client = app.client(ClientKind::SalesChannel, true).await;
    let guest = app.access_token(&client).await;
    let read = async |n: usize, token: &str| {
        send(get(&app, app.address, RESETS, token).header("x-forwarded-for", format!("192.0.2.{n}"))).await
    };
    let ask = async |n: usize| {
        let body = json!({ "data": { "type": "customer_password_resets", "attributes": { "customer_email": "a@example.com" } } });
        let request = app
            .http
            .post(app.url(RESETS))
            .bearer_auth(&guest)
            .header("x-forwarded-for", format!("192.0.2.{n}"));
        send(request.header("content-type", MEDIA_TYPE).body(body.to_string())).await
    };
    for n in 0..LIMIT {
        read(n, &guest).await.assert_error(401, "UNAUTHORIZED", None);
    }
    assert_refused(&read(9, &guest).await, "5");
    for n in 0..LIMIT {
        assert_eq!(ask(n).await.status, 201);
    }
    assert_refused(&ask(9).await, "5");
    // The first request for a token is counted as well.
    for _ in 1..LIMIT {
        assert_eq!(send(grant(&app, app.address, &client.id)).await.status, 200);
    }
    assert_eq!(send(grant(&app, app.address, &client.id)).await.status, 429);
    read(9, &app.guest(false).await).await.assert_error(401, "UNAUTHORIZED", None);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_no_good_token_is_an_address() {
    let app = app(&[("limits.live_per_minute", "5")]).await;
    let good = app.integration().await;
    let bad =
        [String::new(), "x".repeat(600), format!("{good}x"), good.replace('.', "!"), "a.b.c".to_owned()];
    for token in &bad {
        app.get(RESETS, token).await.assert_error(401, "INVALID_TOKEN", None);
    }
    assert_refused(&app.get(RESETS, "another").await, "5");
    assert_refused(&send(app.http.get(app.url("/api/nothing"))).await, "5");
    assert_eq!(app.get(RESETS, &good).await.status, 200, "who has a good one is not held up by it");
}

/// A10: checking a signature is what costs most.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_with_many_bad_tokens_has_no_signature_checked() {
    let app = app(&[("limits.live_per_minute", "2")]).await;
    let (known, unknown) = (app.integration().await, app.integration().await);
    assert_eq!(app.get(RESETS, &known).await.status, 200);
    for n in 0..30 {
        let bad = app.get(RESETS, &format!("{unknown}{}", n % 20)).await;
        assert_eq!(bad.status, if n < 2 { 401 } else { 429 }, "{n}");
    }
    let refused = app.get(RESETS, &unknown).await;
    refused.assert_error(429, "TOO_MANY_REQUESTS", None);
    assert_ne!(refused.header("retry-after"), "");
    assert_eq!(app.get(RESETS, &known).await.status, 200);
    app.clock.forward(Duration::seconds(70));
    assert_eq!(app.get(RESETS, &unknown).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_for_path_variants_and_extra_fields_reset_no_limit() {
    let app = app(&[("limits.token_per_minute", "5"), ("limits.test_per_minute", "5")]).await;
    let (client, token) = (app.client(ClientKind::SalesChannel, false).await.id, app.integration().await);
    let grant = |n: usize| json!({ "grant_type": "client_credentials", "client_id": client, "n": n, "scope": format!("market:{n}") });
    for n in 2..=LIMIT {
        assert_eq!(app.oauth(&grant(n)).await.status, 200);
    }
    for (n, path) in [
        "/oauth/token",
        "/oauth/token?x=1",
        "/%6fauth/token",
        "/oauth/%74oken",
        "/oauth/token/",
        "/oauth/./token",
        "//oauth/token",
        "/OAUTH/TOKEN",
        "/oauth%2ftoken",
        "/oauth/token;x",
        "/oauth/token%00",
    ]
    .iter()
    .enumerate()
    {
        let request = app.http.post(app.url(path)).json(&grant(n));
        let request =
            request.header("x-forwarded-for", format!("192.0.2.{n}")).header("forwarded", "for=192.0.2.1");
        let status = send(request.header("x-real-ip", "192.0.2.2")).await.status;
        assert!([404, 429].contains(&status.as_u16()), "{path}: {status}");
    }
    for _ in 0..LIMIT {
        assert_eq!(app.get(RESETS, &token).await.status, 200);
    }
    for path in ["?page[size]=1", "/", "/aaaaaaaaaa", "/%61aaaaaaaaa", "?x"] {
        assert_refused(&app.get(&format!("{RESETS}{path}"), &token).await, "5");
    }
    for path in [
        "/%61pi/customer_password_resets",
        "/api/customer%5fpassword_resets",
        "/api//customer_password_resets",
        "/api/nothing",
    ] {
        assert_refused(&app.get(path, &token).await, "5");
    }
    for path in
        ["//api/customer_password_resets", "/API/customer_password_resets", "/api%2fcustomer_password_resets"]
    {
        app.get(path, &token).await.assert_error(404, "RECORD_NOT_FOUND", None);
    }
}

/// Requests that reach the closed store would be 503.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_never_reaches_the_database() {
    let app = app(&[
        ("limits.token_per_minute", "5"),
        ("limits.test_per_minute", "5"),
        ("limits.page_per_minute", "5"),
    ])
    .await;
    let (client, token) = (app.client(ClientKind::Integration, false).await, app.integration().await);
    let post = json!({ "data": { "type": "customers", "attributes": { "email": "a@example.com" } } });
    let page = async || {
        let form = app.http.post(app.url("/reset-password")).form(&[("password", "x")]);
        send(form.header("cookie", "__Secure-rekey_reset=aaaaaaaaaa.a")).await.status
    };
    for _ in 0..LIMIT {
        app.oauth(&json!({ "grant_type": "client_credentials", "client_id": client.id })).await;
        app.get(RESETS, &token).await;
        app.call(Method::POST, "/api/customers", &token, Some(&post)).await;
        assert_ne!(page().await, 429);
    }
    app.store.close().await;
    let before = app.counts.asked.load(Ordering::SeqCst);
    for n in 0..100 {
        let grant = json!({ "grant_type": "client_credentials", "client_id": format!("client{n}") });
        let oauth =
            app.http.post(app.url("/oauth/token")).json(&grant).header("origin", "https://shop.example");
        assert_eq!(send(oauth).await.status, 429);
        assert_refused(&app.get(RESETS, &token).await, "5");
        assert_refused(&app.call(Method::POST, "/api/customers", &token, Some(&post)).await, "5");
        assert_eq!(page().await, 429);
    }
    assert_eq!(app.counts.asked.load(Ordering::SeqCst), before, "the limits themselves ask nobody either");
}

#[tokio::test(flavor = "multi_thread")]
async fn pool_a_store_that_is_away_lets_calls_in_up_to_the_limit() {
    let app = app(&[("limits.token_per_minute", "5")]).await;
    app.store.close().await;
    for _ in 0..LIMIT {
        let answer = send(grant(&app, app.address, "nobody")).await;
        assert_eq!(answer.status, 503, "the store is asked for the client: {}", answer.text);
    }
    assert_eq!(send(grant(&app, app.address, "nobody")).await.status, 429);
}

/// A10.
#[tokio::test(flavor = "multi_thread")]
async fn the_pages_form_and_the_page_are_counted_apart() {
    let app = app(&[("limits.page_per_minute", "2"), ("limits.live_per_minute", "1")]).await;
    let form = || app.http.post(app.url("/reset-password")).form(&[("password", "x")]);
    let page = |n: usize| app.http.get(app.url(&format!("/forgot-password?client_id=made-up-{n}")));
    for n in 0..10 {
        assert_eq!(send(page(n)).await.header("x-ratelimit-limit"), "10");
    }
    assert_limit_headers(&send(page(10)).await, "10");
    for _ in 0..2 {
        assert_eq!(send(form()).await.header("x-ratelimit-limit"), "2");
    }
    let refused = send(form()).await;
    assert_eq!((refused.status.as_u16(), refused.header("content-type")), (429, "text/html; charset=utf-8"));
    assert_limit_headers(&refused, "2");
    assert!(refused.text.contains("Nothing was changed"), "{}", refused.text);
    assert!(refused.header("content-security-policy").contains("frame-ancestors 'none'"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_zero_is_none_and_says_nothing() {
    let app = app(&[
        ("limits.test_per_minute", "0"),
        ("limits.sales_channel_per_minute", "0"),
        ("limits.token_per_minute", "0"),
    ])
    .await;
    let token = app.guest(false).await;
    let before = app.counts.asked.load(Ordering::SeqCst);
    for _ in 0..20 {
        assert_eq!(app.get(RESETS, &token).await.header("x-ratelimit-limit"), "");
    }
    assert_eq!((before, app.counts.asked.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_under_api_says_how_the_caller_stands() {
    let app = app(&[("limits.test_per_minute", "100")]).await;
    let token = app.integration().await;
    let mut remaining = 100;
    for (path, accept, status) in [
        (RESETS, "*/*", 200),
        ("/api/customer_password_resets/aaaaaaaaaa", "*/*", 404),
        ("/api/nothing", "*/*", 404),
        (RESETS, "text/html", 406),
        ("/api/customer_password_resets?sort=x", "*/*", 400),
    ] {
        let answer = send(get(&app, app.address, path, &token).header("accept", accept)).await;
        remaining -= 1;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("x-ratelimit-remaining"), remaining.to_string());
        assert_eq!(
            (answer.header("x-ratelimit-limit"), answer.header("x-ratelimit-interval")),
            ("100", "60")
        );
    }
    for path in ["/livez", "/.well-known/jwks.json", "/nothing"] {
        assert_eq!(send(app.http.get(app.url(path))).await.header("x-ratelimit-limit"), "", "{path}");
    }
}
