//! `/api/organization`: a storefront's own shop.

use std::fs;

use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use crate::app::{Answer, PUBLIC_URL, TestApp};

async fn retrieve(app: &TestApp, languages: &str, query: &str) -> Answer {
    let url = app.url(&format!("/api/organization{query}"));
    let request = app.http.get(url).bearer_auth(app.guest(false).await);
    Answer::read(request.header("accept-language", languages).send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storefront_learns_what_a_new_password_must_be_before_one_is_typed() {
    let folder = TempDir::new().unwrap();
    let own = folder.path().join("demo");
    fs::create_dir(&own).unwrap();
    let settings = "[passwords]\nprofile = 'single_factor'\n[brand]\ncolor = '#0a7d5a'\nsupport = 'help@shop.example'\n\
                    support_phone = '+39 02 1234567'\nlogo_url = 'https://cdn.example/logo.svg'";
    fs::write(own.join("organization.toml"), settings).unwrap();
    let directory = folder.path().to_str().unwrap();
    let app = TestApp::start_with(&[("organizations.directory", directory)], Vec::new()).await;

    let shown = retrieve(&app, "de-AT", "").await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    let at = shown.attribute("created_at").clone();
    let rules = shown.attribute("password_rules").as_str().unwrap().to_owned();
    let mut shown = shown.body["data"].clone();
    // The vendor's other attributes.
    shown["attributes"].as_object_mut().unwrap().retain(|_, value| !value.is_null());
    assert_eq!(
        shown,
        json!({
            "id": app.scope.organization.as_str(), "type": "organizations", "links": { "self": format!("{PUBLIC_URL}/api/organization") },
            "attributes": {
                "name": "The demo shop", "slug": "demo", "domain": "demo.rekey.localhost", "primary_color": "#0a7d5a",
                "support_email": "help@shop.example", "support_phone": "+39 02 1234567",
                "logo_url": "https://cdn.example/logo.svg", "password_min_length": 15, "password_rules": rules,
                "created_at": at, "updated_at": at,
            },
            "relationships": {}, "meta": { "mode": "test", "organization_id": app.scope.organization.as_str() },
        })
    );
    assert!(rules.starts_with("Mindestens 15 Zeichen"), "{rules}");
    let english = retrieve(&app, "sv", "").await;
    assert!(english.attribute("password_rules").as_str().unwrap().starts_with("At least 15 characters"));

    let sparse = retrieve(&app, "", "?fields[organizations]=password_min_length").await;
    assert_eq!(sparse.body["data"]["attributes"], json!({ "password_min_length": 15 }));
    let attributes = json!({ "email": "j@example.com", "password": "fourteen marks" });
    let refused = app.create("customers", &app.guest(false).await, attributes).await;
    refused.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/password"));
    assert_eq!(refused.body["errors"][0]["meta"], json!({ "error": "too_short", "count": 15 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_only_read_and_only_with_a_token() {
    let app = TestApp::start().await;
    app.get("/api/organization", "nonsense").await.assert_error(401, "INVALID_TOKEN", None);
    let integration = app.integration().await;
    for (method, status) in
        [(Method::POST, 405), (Method::PATCH, 405), (Method::DELETE, 405), (Method::HEAD, 200)]
    {
        assert_eq!(app.call(method, "/api/organization", &integration, None).await.status, status);
    }
    for (query, code) in
        [("?include=events", "INVALID_INCLUDE"), ("?fields[organizations]=secret", "INVALID_FIELD")]
    {
        let refused = app.get(&format!("/api/organization{query}"), &integration).await;
        assert_eq!((refused.status.as_u16(), &refused.body["errors"][0]["code"]), (400, &json!(code)));
    }
}

/// C8: the vendor's hosted identity app shows no form after a 400.
#[tokio::test(flavor = "multi_thread")]
async fn the_vendors_attributes_can_be_asked_for_and_have_no_value_where_they_mean_nothing() {
    let app = TestApp::start_with(
        &[("brand.favicon_url", "https://cdn.example/favicon.ico"), ("brand.domain", "shop.example")],
        Vec::new(),
    )
    .await;
    let identity = "id,logo_url,slug,gtm_id,gtm_id_test,name,primary_color,favicon_url,support_phone,support_email,config";
    let shown = retrieve(&app, "", &format!("?fields[organizations]={identity}")).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert_eq!(
        shown.body["data"]["attributes"],
        json!({
            "name": "The demo shop", "slug": "demo", "primary_color": "#1f5fbf", "favicon_url": "https://cdn.example/favicon.ico",
            "logo_url": null, "support_phone": null, "support_email": null, "gtm_id": null, "gtm_id_test": null, "config": null,
        })
    );
    for name in [
        "orders_sales_channel_guest_only",
        "gift_cards_exact_code_matching",
        "imports_trigger_webhooks",
        "external_prices_errors",
        "reference",
    ] {
        let shown = retrieve(&app, "", &format!("?fields[organizations]=domain,{name}")).await;
        assert_eq!(shown.body["data"]["attributes"], json!({ "domain": "shop.example", name: null }));
    }
}
