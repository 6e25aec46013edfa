//! token-nowhere: where a token, a password or a client's secret must not be found, in production's shape.
#![expect(clippy::indexing_slicing, reason = "a test that finds nothing is to fail")]

use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use rekey_e2e::{
    broker::contents,
    patience::eventually,
    shop::{ANNA, OLD_PASSWORD, Shop},
    stack::{Stack, amqp_url},
};
use reqwest::StatusCode;

const NEW_PASSWORD: &str = "a password that nobody else has";

#[tokio::test]
async fn token_nowhere() {
    let mut stack = Stack::prepare().await;
    stack.set("telemetry.log", "trace");
    let shop = Shop::open(stack).await;
    let (stack, api_client) = (&shop.stack, &shop.stack.api);
    let api = stack.start_api().await;
    let token = shop.register_anna().await;

    // Without a mailer, the first event stays in its queue.
    let reset = api_client.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    let (id, reset_token) = (reset.text("/data/id"), reset.text("/data/attributes/reset_password_token"));
    let queue = format!("{}.mailer", stack.namespace);
    let queued = eventually("two events in the mailer's queue", async || {
        let queued = contents(&amqp_url(), &queue).await;
        if queued.len() == 2 { Ok(queued) } else { Err(queued.len()) }
    });
    let queued = queued.await.concat();
    let pending = dump(stack).await;

    let mailer = stack.start_mailer().await;
    stack.smtp.mail_to(ANNA, 1).await;
    let refused = api_client.complete(&token, &id, &reset_token, "short").await;
    refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
    api_client.complete(&token, &id, &reset_token, NEW_PASSWORD).await.expect(StatusCode::OK);
    api_client.log_in(&shop.storefront.client_id, ANNA, NEW_PASSWORD).await.expect(StatusCode::OK);
    stack.smtp.mail_to(ANNA, 2).await;

    let done = dump(stack).await;
    let arguments =
        [api.pid(), mailer.pid()].map(|pid| fs::read(format!("/proc/{pid}/cmdline")).unwrap()).concat();
    let endings = [api.terminate().await, mailer.terminate().await];
    let logs: String =
        endings.iter().flat_map(|ending| [ending.stdout.as_str(), ending.stderr.as_str()]).collect();
    assert!(
        logs.contains("\"level\":\"DEBUG\"") && logs.contains("handed over"),
        "the logs are those of the whole flow"
    );

    let secrets =
        [reset_token.as_str(), OLD_PASSWORD, NEW_PASSWORD, shop.back_office.secret.as_ref().unwrap(), &token];
    for (place, bytes) in [
        ("the database before", pending.as_bytes()),
        ("the database after", done.as_bytes()),
        ("the queue", &queued),
        ("the logs", logs.as_bytes()),
        ("the arguments", &arguments),
    ] {
        for (number, secret) in secrets.iter().enumerate() {
            assert!(!holds(bytes, secret), "secret {number} is in {place}: {}", around(bytes, secret));
        }
    }
    assert!(!holds(logs.as_bytes(), ANNA), "an address is in the logs: {}", around(logs.as_bytes(), ANNA));
    // The search finds what is there.
    assert!(holds(done.as_bytes(), ANNA) && holds(&queued, &event(stack).await));
}

/// The id of the reset's event.
async fn event(stack: &Stack) -> String {
    stack.texts("SELECT id FROM events WHERE name = 'customer_password_resets.create'").await.remove(0)
}

/// Every row of every table, as text; bytes as hexadecimal digits.
async fn dump(stack: &Stack) -> String {
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
    let mut rows = Vec::new();
    for table in stack.texts(tables).await {
        rows.extend(stack.texts(&format!("SELECT t::text FROM {table} t")).await);
    }
    rows.join("\n")
}

/// Whether a text is found as it is, as hexadecimal digits, or in Base64 at whatever offset.
fn holds(bytes: &[u8], text: &str) -> bool {
    forms(text).iter().any(|form| find(bytes, form).is_some())
}

fn forms(text: &str) -> Vec<String> {
    let hex = text
        .bytes()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|half| char::from_digit(half.into(), 16));
    // The first and the last digits depend on what stands before and after.
    let shifted = (0..3).map(|offset| {
        let encoded = STANDARD_NO_PAD.encode([&vec![0; offset], text.as_bytes()].concat());
        encoded[offset + 1..encoded.len() - 2].to_owned()
    });
    [text.to_owned(), hex.collect()].into_iter().chain(shifted).collect()
}

fn find(bytes: &[u8], text: &str) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text.as_bytes())
}

/// Where a text was found, for whoever has to mend it.
fn around(bytes: &[u8], text: &str) -> String {
    let at = forms(text).iter().find_map(|form| find(bytes, form)).unwrap_or_default();
    String::from_utf8_lossy(&bytes[at.saturating_sub(200)..bytes.len().min(at + 100)]).into_owned()
}
