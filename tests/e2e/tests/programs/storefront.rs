//! The demo storefront's files and policy; `tests/browser` tests it in a browser.

use std::process::Command;

use rekey_e2e::{
    client::http,
    dev::Dev,
    page::{Browser, header},
    process::project,
    wait::eventually,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

#[test]
fn the_bundle_is_built_from_its_sources() {
    let folder = project().join("examples/storefront");
    assert!(folder.join("node_modules").exists(), "esbuild is not there: scripts/setup.sh installs it");
    let checked = Command::new("node").args(["build.js", "--check"]).current_dir(folder).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[tokio::test]
async fn its_files_are_served_under_a_strict_policy_and_never_cached() {
    let data = TempDir::new().unwrap();
    let dev = Dev::start(data.path()).await;
    let files = [
        ("/", "text/html; charset=utf-8", "Demo Shop"),
        ("/new-password", "text/html; charset=utf-8", "autocomplete=\"new-password\""),
        ("/shop/style.css", "text/css; charset=utf-8", "prefers-color-scheme: dark"),
        ("/shop/shop.js", "text/javascript; charset=utf-8", "MIT License"),
        ("/shop/icon.svg", "image/svg+xml", "<svg"),
    ];
    for (path, content_type, part) in files {
        let url = format!("{}{path}", dev.api.url);
        let file = Browser::default().get(&url).await;
        assert_eq!((file.status(), header(&file, "content-type")), (StatusCode::OK, content_type), "{path}");
        assert_eq!(header(&file, "cache-control"), "no-store", "{path}");
        assert_eq!(header(&file, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header(&file, "referrer-policy"), "no-referrer", "{path}");
        let policy = header(&file, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert!(file.text().await.unwrap().contains(part), "{path}: {part}");
        assert_eq!(Browser::default().head(&url).await.status(), StatusCode::OK, "HEAD {path}");
    }
}

#[tokio::test]
async fn its_settings_hold_no_secret() {
    let data = TempDir::new().unwrap();
    let dev = Dev::start_with(data.path(), &[("auth.domain", "shop.example")]).await;
    let settings =
        http(|builder| builder).get(format!("{}/dev/shop.json", dev.api.url)).send().await.unwrap();
    let settings: Value = settings.json().await.unwrap();
    assert_eq!(settings["client_id"], dev.env["SELF_SERVICE_CLIENT_ID"].as_str());
    assert_eq!((&settings["domain"], &settings["organization"]), (&"shop.example".into(), &"demo".into()));
    let shown = settings.to_string();
    for secret in ["CLIENT_ID", "CLIENT_SECRET"] {
        assert!(!shown.contains(&format!("\"{}\"", dev.env[secret])), "{secret} in {shown}");
    }
}

#[tokio::test]
async fn webhooks_are_received_next_to_it_and_forged_ones_are_refused() {
    let data = TempDir::new().unwrap();
    let dev = Dev::start(data.path()).await;
    dev.reset(1).await;
    let requests = async || -> Vec<Value> {
        Browser::default().get(&format!("{}/dev/webhooks.json", dev.api.url)).await.json().await.unwrap()
    };
    let genuine = eventually("the webhook's request", async || {
        let all = requests().await;
        if all.len() == 1 { Ok(all[0].clone()) } else { Err(all) }
    })
    .await;
    let topic = "customer_password_resets.create";
    assert_eq!((&genuine["topic"], &genuine["verified"]), (&json!(topic), &json!(true)));
    assert!(genuine["body"].as_str().unwrap().contains("john@example.com"));

    let forged = http(|builder| builder)
        .post(format!("{}/dev/webhooks", dev.api.url))
        .header("x-commercelayer-topic", topic)
        .header("webhook-id", genuine["event"].as_str().unwrap())
        .header("webhook-timestamp", "1614265330")
        .header("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        .body("<script>");
    assert_eq!(forged.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let newest = requests().await.remove(0);
    assert_eq!((&newest["verified"], &newest["body"]), (&json!(false), &json!("<script>")));

    // At another port after the next start, the same webhooks lead there.
    assert_eq!(dev.program.terminate().await.code, Some(0));
    let dev = Dev::start(data.path()).await;
    let token = dev.integration().await;
    let webhooks = dev.api.call(Method::GET, "webhooks", &token, &Value::Null).await;
    let webhooks = webhooks.body["data"].as_array().unwrap();
    assert_eq!(webhooks.len(), 2, "{webhooks:?}");
    for webhook in webhooks {
        assert_eq!(webhook["attributes"]["callback_url"], format!("{}/dev/webhooks", dev.api.url));
    }
}

#[tokio::test]
async fn a_mail_is_framed_without_scripts_and_without_our_origin() {
    let data = TempDir::new().unwrap();
    let dev = Dev::start(data.path()).await;
    let link = dev.reset(1).await;
    let id = dev.mails(1).await[0]["id"].as_str().unwrap().to_owned();
    let mail = Browser::default().get(&format!("{}/dev/mailbox/{id}", dev.api.url)).await;
    let policy = header(&mail, "content-security-policy");
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(policy.contains("frame-ancestors 'self'; sandbox allow-popups "), "{policy}");
    assert!(!policy.contains("allow-scripts") && !policy.contains("allow-same-origin"), "{policy}");
    assert!(mail.text().await.unwrap().contains(&link.token));
    for unknown in ["nobodynobo", "..%2fdemo.env", "%2e%2e%2fdemo"] {
        let answer = Browser::default().get(&format!("{}/dev/mailbox/{unknown}", dev.api.url)).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{unknown}");
    }
}
