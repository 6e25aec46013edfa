//! `rekey-api` and `rekey-mailer` on PostgreSQL, RabbitMQ and an SMTP server, set up by `rekey`.

use rekey_e2e::{
    client::Api,
    mail::Link,
    shop::{ANNA, OLD_PASSWORD, Shop},
    stack::{Stack, amqp_url},
    wait::eventually,
};
use reqwest::{Method, StatusCode};
use serde_json::Value;

const NEW_PASSWORD: &str = "quite another one, später";

#[tokio::test]
async fn from_the_request_to_a_log_in_with_the_new_password() {
    let shop = Shop::open(Stack::prepare().await).await;
    let (stack, api) = (&shop.stack, &shop.stack.api);
    let (_api, _mailer) = (stack.start_api().await, stack.start_mailer().await);
    let token = shop.register_anna().await;
    let session = api.log_in(&shop.storefront.client_id, ANNA, OLD_PASSWORD).await.expect(StatusCode::OK);

    let reset = api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    let mail = stack.smtp.mail_to(ANNA, 1).await;
    let link = Link::find(&mail.text());
    assert_eq!(
        (&link.id, &link.token),
        (&reset.text("/data/id"), &reset.text("/data/attributes/reset_password_token"))
    );
    assert!(link.url.starts_with(&api.url) && mail.html().contains(&link.token));

    api.complete(&token, &link.id, &link.token, NEW_PASSWORD).await.expect(StatusCode::OK);
    api.log_in(&shop.storefront.client_id, ANNA, NEW_PASSWORD).await.expect(StatusCode::OK);
    let refused = api.log_in(&shop.storefront.client_id, ANNA, OLD_PASSWORD).await;
    assert_eq!(refused.text("/error"), "invalid_grant");
    let account = format!("customers/{}", session.text("/owner_id"));
    let dead = api.call(Method::GET, &account, &session.text("/access_token"), &Value::Null).await;
    dead.expect(StatusCode::UNAUTHORIZED);
    let notification = stack.smtp.mail_to(ANNA, 2).await;
    let text = notification.text();
    assert!(notification.subject().contains("changed") && !text.contains("token="), "{text}");
}

#[tokio::test]
async fn headers() {
    let shop = Shop::open(Stack::prepare().await).await;
    let stack = &shop.stack;
    let (_api, _mailer) = (stack.start_api().await, stack.start_mailer().await);
    let token = shop.register_anna().await;
    stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    let mail = stack.smtp.mail_to(ANNA, 1).await;

    let event = stack.texts("SELECT id FROM events WHERE name = 'customer_password_resets.create'").await;
    assert!(
        mail.header("Message-ID").starts_with(&format!("<{}", event[0])),
        "{}",
        mail.header("Message-ID")
    );
    assert_eq!(mail.header("To"), ANNA);
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert!(mail.header("From").contains("<no-reply@shop.example>"));
    assert!(!mail.header("Content-Language").is_empty() && !mail.header("Subject").is_empty());
    assert!(mail.parsed().date().is_some_and(mail_parser::DateTime::is_valid), "{}", mail.header("Date"));
    let parts: Vec<_> = mail.parsed().parts.iter().filter_map(content_type).collect();
    assert_eq!(parts, ["multipart/alternative", "text/plain", "text/html"]);
}

fn content_type(part: &mail_parser::MessagePart<'_>) -> Option<String> {
    use mail_parser::MimeHeaders;
    let kind = part.content_type()?;
    Some(format!("{}/{}", kind.ctype(), kind.subtype()?))
}

#[tokio::test]
async fn an_unknown_address_gets_the_same_answer_and_no_mail() {
    let shop = Shop::open(Stack::prepare().await).await;
    let stack = &shop.stack;
    let (_api, _mailer) = (stack.start_api().await, stack.start_mailer().await);
    shop.register_anna().await;
    let guest = shop.storefront.token(&stack.api).await;
    let unknown = stack.api.create_reset(&guest, "nobody@example.com").await.expect(StatusCode::CREATED);
    let known = stack.api.create_reset(&guest, ANNA).await.expect(StatusCode::CREATED);
    assert_eq!(shape(&unknown.body), shape(&known.body));

    stack.smtp.mail_to(ANNA, 1).await;
    eventually("the decoy to be discarded", async || {
        let states = stack.texts("SELECT status || coalesce(' ' || detail, '') FROM deliveries").await;
        if states.iter().any(|state| state == "discarded decoy") { Ok(()) } else { Err(states) }
    })
    .await;
    assert_eq!(stack.smtp.mails().len(), 1, "no mail but Anna's");
}

#[tokio::test]
async fn smtp_5xx_an_address_that_bounced_gets_no_mail_until_an_operator_says_so() {
    let refusing = format!("{ANNA}:1");
    let shop = Shop::open(Stack::prepare_on(&amqp_url(), &["--unknown", &refusing]).await).await;
    let (stack, api) = (&shop.stack, &shop.stack.api);
    let (_api, _mailer) = (stack.start_api().await, stack.start_mailer().await);
    let token = shop.register_anna().await;

    let bounced = delivered(api, &token, "bounced").await;
    assert_eq!(
        (bounced["smtp_code"].as_i64(), bounced["smtp_enhanced_code"].as_str()),
        (Some(550), Some("5.1.1"))
    );
    let detail = bounced["detail"].as_str().unwrap();
    assert!(detail.contains("no such user") && !detail.contains(ANNA), "{detail}");
    let suppressed = delivered(api, &token, "suppressed").await;
    assert_eq!(suppressed["detail"], format!("address suppressed: {detail}"));
    let refused = api.call(Method::GET, "deliveries?filter[q][smtp_code_eq]=550", &token, &Value::Null).await;
    assert_eq!(refused.body["meta"]["record_count"], 1, "{}", refused.body);

    let known = stack.tool(&["suppression", "list", "--organization", "shop", "--mode", "live"]).await;
    assert_eq!(known.code, Some(0), "{known:?}");
    let line = known.stdout.lines().find(|line| line.contains(ANNA)).unwrap();
    assert!(line.contains("no such user") && line.starts_with("shop "), "{line}");
    let lift = ["suppression", "lift", "ANNA@example.com", "--organization", "shop"];
    let lifted = stack.tool(&lift).await;
    assert_eq!((lifted.code, lifted.stdout.as_str()), (Some(0), "Lifted.\n"), "{lifted:?}");
    let again = stack.tool(&lift).await;
    assert_eq!(again.code, Some(3), "{again:?}");
    assert!(again.stderr.contains("anna@example.com is not suppressed"), "{again:?}");
    let nowhere = stack.tool(&["suppression", "list", "--organization", "nowhere"]).await;
    assert!(nowhere.code == Some(3) && nowhere.stderr.contains("no organization has the slug nowhere"));

    let sent = delivered(api, &token, "sent").await;
    assert_eq!((sent["smtp_code"].as_i64(), sent["attempts"].as_i64()), (Some(250), Some(1)));
    assert_eq!(stack.smtp.mails_to(ANNA).len(), 1);
}

/// Requests a reset for Anna, waits until its delivery has that status, and returns its attributes.
async fn delivered(api: &Api, token: &str, status: &str) -> Value {
    let reset = api.create_reset(token, ANNA).await.expect(StatusCode::CREATED).text("/data/id");
    let path = format!("customer_password_resets/{reset}?include=deliveries");
    eventually(&format!("a delivery that is {status}"), async || {
        let answer = api.call(Method::GET, &path, token, &Value::Null).await.expect(StatusCode::OK);
        let attributes = answer.body.pointer("/included/0/attributes").cloned().unwrap_or_default();
        let is_there = attributes.get("status").is_some_and(|shown| shown == status);
        if is_there { Ok(attributes) } else { Err(attributes) }
    })
    .await
}

/// Replaces all texts in a document by their kinds.
fn shape(document: &Value) -> Value {
    match document {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::String(_) => "a text".into(),
        other => other.clone(),
    }
}
