//! The API's description is served, and matches every path and method.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Map, Value, json};

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
    let mut created = Vec::new();
    for path in ["/api/customers", "/api/customer_password_resets"] {
        let body = example(&description, path, "post");
        let answer = app.call(Method::POST, path, &token, Some(&body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        created.push((path, answer.id().to_owned(), answer.attribute("reset_password_token").clone()));
    }
    for (path, id, reset_token) in created.into_iter().rev() {
        let mut body = example(&description, &format!("{path}/{{id}}"), "patch");
        body["data"]["id"] = id.as_str().into();
        if reset_token.is_string() {
            body["data"]["attributes"]["_reset_password_token"] = reset_token;
        }
        let answer = app.call(Method::PATCH, &format!("{path}/{id}"), &token, Some(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

/// The body of an operation that tools show: made of its attributes' examples.
fn example(description: &Value, path: &str, method: &str) -> Value {
    let content = &description["paths"][path][method]["requestBody"]["content"]["application/vnd.api+json"];
    let pointer = content["schema"]["$ref"].as_str().unwrap().trim_start_matches('#');
    let data = &description.pointer(pointer).unwrap()["properties"]["data"]["properties"];
    let attributes = data["attributes"]["properties"].as_object().unwrap().iter();
    let attributes: Map<String, Value> =
        attributes.map(|(name, schema)| (name.clone(), schema["examples"][0].clone())).collect();
    json!({ "data": { "type": data["type"]["const"], "attributes": attributes, "relationships": {} } })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_is_served_whole_and_may_load_nothing_from_elsewhere() {
    let app = TestApp::start().await;
    let page = app.get("/docs", "").await;
    let script = app.get("/docs/start.js", "").await;
    let loaded = page.text.split('"').filter(|text| text.starts_with('/')).map(str::to_owned);
    let loaded: Vec<String> = loaded.collect();
    assert_eq!(loaded.len(), 5, "{loaded:?}");
    assert!(script.text.contains("url: '/openapi.json'") && script.text.contains("validatorUrl: null"));
    for text in [&page.text, &script.text] {
        assert!(!text.contains("http"), "{text}");
    }
    for path in [vec!["/docs".to_owned(), "/docs/".to_owned()], loaded].concat() {
        for method in [Method::GET, Method::HEAD] {
            let answer = app.http.request(method.clone(), app.url(&path)).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{method} {path}");
            let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
            let expected = match path.rsplit_once('.').map(|(_, extension)| extension) {
                Some("js") => "text/javascript",
                Some("css") => "text/css",
                Some("png") => "image/png",
                _ => "text/html; charset=utf-8",
            };
            assert!(header("content-type").starts_with(expected), "{path}");
            assert_eq!(header("x-frame-options"), "DENY");
            assert_eq!(header("x-content-type-options"), "nosniff");
            assert_eq!(
                header("content-security-policy"),
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                 connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
            );
            let is_empty = answer.bytes().await.unwrap().is_empty();
            assert_eq!(is_empty, method == Method::HEAD, "{method} {path}");
        }
    }
    for path in ["/docs/oauth2-redirect.html", "/docs/nowhere.js"] {
        app.get(path, "").await.assert_error(404, "RECORD_NOT_FOUND", None);
    }
    let refused = app.call(Method::POST, "/docs", "", None).await;
    refused.assert_error(405, "METHOD_NOT_ALLOWED", None);
    assert_eq!(refused.header("allow"), "GET, HEAD");
}
