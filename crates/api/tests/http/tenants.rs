//! Records of other tenants, and forged tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use rekey_core::clients::ClientKind;
use rekey_testkit::seed;
use reqwest::Method;
use rsa::{
    RsaPrivateKey,
    pkcs8::{DecodePrivateKey, EncodePublicKey, LineEnding},
};
use serde_json::{Value, json};

use crate::app::{RESETS, TestApp, new_signing_key, other_mode, signing_key};

#[tokio::test(flavor = "multi_thread")]
async fn tenant_another_organizations_or_modes_record_is_not_found() {
    let app = TestApp::start().await;
    let customer = app.customer("john@example.com", "the first password").await;
    let reset = app.ask(&app.integration().await, "john@example.com").await;
    let foreign = seed::scope(&app.store, "other").await;
    for scope in [foreign, other_mode(app.scope)] {
        let token = app.access_token(&app.client_in(scope, ClientKind::Integration, false).await).await;
        let path = format!("{RESETS}/{}", reset.id());
        app.get(&path, &token).await.assert_error(404, "RECORD_NOT_FOUND", None);
        app.patch(&token, reset.id(), json!({ "reference": "x" })).await.assert_error(
            404,
            "RECORD_NOT_FOUND",
            None,
        );
        app.call(Method::DELETE, &path, &token, None).await.assert_error(404, "RECORD_NOT_FOUND", None);
        app.get(&format!("/api/customers/{}", customer.id()), &token).await.assert_error(
            404,
            "RECORD_NOT_FOUND",
            None,
        );
        assert_eq!(app.get(RESETS, &token).await.body["data"], json!([]));
        app.ask(&token, "john@example.com").await.assert_error(
            422,
            "VALIDATION_ERROR",
            Some("/data/attributes/customer_email"),
        );
        // Even a known token can't be used from another scope.
        let attributes = json!({ "customer_password": "the second password", "_reset_password_token": reset.attribute("reset_password_token") });
        app.patch(&token, reset.id(), attributes).await.assert_error(404, "RECORD_NOT_FOUND", None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_forged_tokens_are_invalid() {
    let app = TestApp::start().await;
    let token = app.integration().await;
    let [head, payload, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).unwrap()).unwrap();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let ours = EncodingKey::from_rsa_pem(signing_key().as_bytes()).unwrap();
    let theirs = EncodingKey::from_rsa_pem(new_signing_key(2048).as_bytes()).unwrap();
    let change = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        encode(&header, &claims, &ours).unwrap()
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        encode(&header, &claims, &ours).unwrap()
    };
    let jwks: Value =
        app.http.get(app.url("/.well-known/jwks.json")).send().await.unwrap().json().await.unwrap();
    let public = RsaPrivateKey::from_pkcs8_pem(signing_key()).unwrap().to_public_key();
    let public = public.to_public_key_pem(LineEnding::LF).unwrap();
    let swapped = |algorithm, secret: &str| {
        let header = Header { alg: algorithm, ..header.clone() };
        encode(&header, &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    };
    let kid = |kid: &str| Header { kid: Some(kid.to_owned()), ..header.clone() };
    assert_eq!(app.get(RESETS, &change("rand", json!(0.5))).await.status, 200, "the key signs here too");
    let mut foreign_organization = claims["organization"].clone();
    foreign_organization["id"] = json!("aaaaaaaaaa");
    let mut elevated = claims["application"].clone();
    elevated["kind"] = json!("sales_channel");
    for (name, forged) in [
        ("none", format!("{}.{payload}.", part(json!({ "alg": "none", "typ": "JWT" })))),
        ("None", format!("{}.{payload}.{signature}", part(json!({ "alg": "None" })))),
        ("hs modulus", swapped(Algorithm::HS512, jwks["keys"][0]["n"].as_str().unwrap())),
        ("hs pem", swapped(Algorithm::HS512, &public)),
        ("hs pem trimmed", swapped(Algorithm::HS256, public.trim())),
        ("hs jwk", swapped(Algorithm::HS384, &jwks["keys"][0].to_string())),
        ("hs empty", swapped(Algorithm::HS512, "")),
        ("rs256", encode(&Header { alg: Algorithm::RS256, ..header.clone() }, &claims, &ours).unwrap()),
        ("another key", encode(&header, &claims, &theirs).unwrap()),
        ("kid path", encode(&kid("../../dev/null"), &claims, &theirs).unwrap()),
        ("kid sql", encode(&kid("' UNION SELECT 'x"), &claims, &theirs).unwrap()),
        ("kid of nobody", encode(&kid("another"), &claims, &ours).unwrap()),
        ("no kid", encode(&Header { kid: None, ..header.clone() }, &claims, &ours).unwrap()),
        (
            "jku",
            encode(
                &Header { jku: Some("https://evil.test/jwks.json".to_owned()), ..header.clone() },
                &claims,
                &theirs,
            )
            .unwrap(),
        ),
        (
            "jwk",
            encode(
                &Header {
                    jwk: Some(Jwk::from_encoding_key(&theirs, Algorithm::RS512).unwrap()),
                    ..header.clone()
                },
                &claims,
                &theirs,
            )
            .unwrap(),
        ),
        ("payload", format!("{head}.{}.{signature}", part(json!({ "exp": 9_999_999_999_i64 })))),
        ("cut", format!("{head}.{payload}")),
        ("iss", change("iss", json!("https://auth.evil.test"))),
        ("iss list", change("iss", json!(["https://auth.rekey.localhost", "https://auth.evil.test"]))),
        ("jti", change("jti", json!("' OR 1=1"))),
        ("no jti", without("jti")),
        ("expired", change("exp", json!(1))),
        ("no exp", without("exp")),
        ("no iss", without("iss")),
        ("mode", change("test", json!(false))),
        ("organization", change("organization", foreign_organization)),
        ("kind", change("application", elevated)),
        ("owner", change("owner", json!({ "id": "aaaaaaaaaa", "type": "Customer" }))),
        ("empty", String::new()),
        ("garbage", "a.b.c".to_owned()),
    ] {
        let answer = app.get(RESETS, &forged).await;
        assert_eq!(answer.status, 401, "{name}: {}", answer.text);
        answer.assert_error(401, "INVALID_TOKEN", None);
    }
    for header in ["", "Basic YTpi", "Bearer"] {
        let answer = app.http.get(app.url(RESETS)).header("authorization", header).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{header}");
    }
}
