//! The API's description: served, and true of every path and method.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::app::TestApp;

const METHODS: [Method; 6] =
    [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE];

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_served_as_it_is_committed() {
    let app = TestApp::start().await;
    let served = app.get("/openapi.json", "").await;
    assert_eq!((served.status.as_u16(), served.header("content-type")), (200, "application/json"));
    assert_eq!(served.header("cache-control"), "public, max-age=300");
    let committed: Value = serde_json::from_str(include_str!("../../../../docs/openapi.json")).unwrap();
    assert_eq!(served.body, committed);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_has_the_methods_that_the_description_gives_it_and_no_others() {
    let app = TestApp::start().await;
    let description = app.get("/openapi.json", "").await.body;
    for (path, operations) in description["paths"].as_object().unwrap() {
        let described: BTreeSet<String> =
            operations.as_object().unwrap().keys().map(|method| method.to_ascii_uppercase()).collect();
        let url = app.url(&path.replace("{id}", "aaaaaaaaaa"));
        for method in METHODS {
            let answer = app.http.request(method.clone(), &url).send().await.unwrap();
            let status = answer.status().as_u16();
            if described.contains(method.as_str()) {
                let documented = &operations[method.as_str().to_ascii_lowercase()]["responses"];
                assert!(documented[status.to_string()].is_object(), "{method} {path}: {status}");
                assert!(status != 404, "{method} {path}");
            } else {
                assert_eq!(status, 405, "{method} {path}");
                let allow = answer.headers()["allow"].to_str().unwrap();
                let allowed = allow.split(", ").map(str::to_owned).filter(|method| method != "HEAD");
                assert_eq!(allowed.collect::<BTreeSet<_>>(), described, "{path}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_writes_are_accepted() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    let description = app.get("/openapi.json", "").await.body;
    let example = |path: &str, method: &str| {
        description["paths"][path][method]["requestBody"]["content"]["application/vnd.api+json"]["example"]
            .clone()
    };
    let mut created = Vec::new();
    for path in ["/api/customers", "/api/customer_password_resets"] {
        let answer = app.call(Method::POST, path, &token, Some(&example(path, "post"))).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        created.push((path, answer.id().to_owned(), answer.attribute("reset_password_token").clone()));
    }
    for (path, id, reset_token) in created.into_iter().rev() {
        let mut body = example(&format!("{path}/{{id}}"), "patch");
        body["data"]["id"] = id.as_str().into();
        if reset_token.is_string() {
            body["data"]["attributes"]["_reset_password_token"] = reset_token;
        }
        let answer = app.call(Method::PATCH, &format!("{path}/{id}"), &token, Some(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_is_a_page_that_may_load_its_stylesheet_and_nothing_else() {
    let app = TestApp::start().await;
    for (path, content) in
        [("/docs", "text/html; charset=utf-8"), ("/docs/style.css", "text/css; charset=utf-8")]
    {
        let answer = app.get(path, "").await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, content));
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    }
    let refused = app.call(Method::POST, "/docs", "", None).await;
    refused.assert_error(405, "METHOD_NOT_ALLOWED", None);
    assert_eq!(refused.header("allow"), "GET, HEAD");
}
