//! token-nowhere: searches a deployment for tokens, passwords and clients' secrets, which must not be found.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds nothing is to fail")]

use std::fs;

use crate::collector::Collector;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest,
};
use prost::Message;
use rekey_e2e::{
    broker::contents,
    shop::{ANNA, OLD_PASSWORD, Shop},
    stack::{Stack, amqp_url},
    wait::eventually,
};
use reqwest::{Method, StatusCode};
use serde_json::json;

/// A customer whose address is changed.
const BOB: &str = "bob@example.com";
const NEW_PASSWORD: &str = "a password that nobody else has";

#[tokio::test]
async fn token_nowhere() {
    let mut stack = Stack::prepare().await;
    let collector = Collector::start();
    stack.set("telemetry.log", "trace");
    stack.set("resets.code", "true");
    stack.set("telemetry.otlp_endpoint", &collector.url);
    let shop = Shop::open(stack).await;
    let Evidence { secrets, reset, mut places } = go_through(&shop).await;
    places.push(("the exported spans and logs", exported(&collector)));
    let event =
        shop.stack.texts("SELECT id FROM events WHERE name = 'customer_password_resets.create'").await;

    for (place, bytes) in &places {
        for (number, secret) in secrets.iter().enumerate() {
            assert!(!holds(bytes, secret), "secret {number} is in {place}: {}", around(bytes, secret));
        }
        // Shows that the place is the right one, and that the search works.
        let (expected, address) = match *place {
            "the queue" => (event[0].as_str(), false),
            "the arguments" => ("rekey-mailer", false),
            "the logs" | "the exported spans and logs" => (reset.as_str(), false),
            _ => (reset.as_str(), true),
        };
        assert!(holds(bytes, expected), "{place} holds nothing of the reset");
        assert_eq!(holds(bytes, ANNA), address, "an address in {place}: {}", around(bytes, ANNA));
        assert!(address || !holds(bytes, BOB), "an address in {place}: {}", around(bytes, BOB));
    }
    assert!(collector.paths().contains(&"/v1/traces".to_owned()));
}

/// The secrets of a whole flow.
struct Evidence {
    secrets: Vec<String>,
    /// The reset's id, which is not secret.
    reset: String,
    places: Vec<(&'static str, Vec<u8>)>,
}

/// Runs a flow from a reset to a log-in, and searches everywhere on the way.
async fn go_through(shop: &Shop) -> Evidence {
    let (stack, client) = (&shop.stack, &shop.stack.api);
    let api = stack.start_api().await;
    let token = shop.register_anna().await;

    // Without a mailer, the events stay in the queue.
    let reset = client.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    let (id, reset_token) = (reset.text("/data/id"), reset.text("/data/attributes/reset_password_token"));
    let queue = format!("{}.mailer", stack.namespace);
    let bob = client.create_customer(&token, BOB, OLD_PASSWORD).await;
    let moved =
        json!({"data": {"type": "customers", "id": bob, "attributes": {"email": "robert@example.com"}}});
    client.call(Method::PATCH, &format!("customers/{bob}"), &token, &moved).await.expect(StatusCode::OK);
    let queued = eventually("four events in the mailer's queue", async || {
        let queued = contents(&amqp_url(), &queue).await;
        if queued.len() == 4 { Ok(queued) } else { Err(queued.len()) }
    });
    let mut places = vec![("the queue", queued.await.concat()), ("the database before", dump(stack).await)];

    let mailer = stack.start_mailer().await;
    let code = short_code(&stack.smtp.mail_to(ANNA, 1).await.text());
    let refused = client.complete(&token, &id, &code, "short").await;
    refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let refused = client.complete(&token, &id, &reset_token, "short").await;
    refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
    client.complete(&token, &id, &reset_token, NEW_PASSWORD).await.expect(StatusCode::OK);
    let session = stay_logged_in(shop).await;
    let undo_token = undo_token(&stack.smtp.mail_to(BOB, 1).await.text());
    stack.smtp.mail_to(ANNA, 2).await;

    places.push(("the database after", dump(stack).await));
    let arguments =
        [&api, &mailer].map(|program| fs::read(format!("/proc/{}/cmdline", program.pid())).unwrap());
    places.push(("the arguments", arguments.concat()));
    let exits = [api.terminate().await, mailer.terminate().await];
    places.push(("the logs", exits.map(|exit| exit.stdout + &exit.stderr).concat().into_bytes()));
    let passwords =
        [OLD_PASSWORD, NEW_PASSWORD, shop.back_office.secret.as_ref().unwrap()].map(str::to_owned);
    let secrets =
        [vec![reset_token, token, code.replace('-', ""), code, undo_token], session, passwords.to_vec()]
            .concat();
    Evidence { secrets, reset: id, places }
}

/// Finds the code in a mail, on a line of its own: `CDFH-JKMN`.
fn short_code(text: &str) -> String {
    let is_code = |line: &&str| line.len() == 9 && line.find('-') == Some(4) && line.to_uppercase() == **line;
    text.lines().map(str::trim).find(is_code).unwrap_or_else(|| panic!("no code in: {text}")).to_owned()
}

/// Finds the token of the link that restores an address in a mail.
fn undo_token(text: &str) -> String {
    let (_, link) = text.split_once("/restore-email?").unwrap_or_else(|| panic!("no link in: {text}"));
    let (_, token) = link.split_once("token=").unwrap();
    token.chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// Logs in, refreshes, ends the session, and returns its tokens.
async fn stay_logged_in(shop: &Shop) -> Vec<String> {
    let (api, client_id) = (&shop.stack.api, &shop.storefront.client_id);
    let first = api.log_in(client_id, ANNA, NEW_PASSWORD).await.expect(StatusCode::OK);
    let refresh = json!({"grant_type": "refresh_token", "client_id": client_id, "refresh_token": first.text("/refresh_token")});
    let second = api.grant(&refresh).await.expect(StatusCode::OK);
    api.grant(&refresh).await.expect(StatusCode::BAD_REQUEST);
    let tokens = ["/access_token", "/refresh_token"];
    [first, second].iter().flat_map(|answer| tokens.map(|token| answer.text(token))).collect()
}

/// Returns everything that was sent to the collector.
fn exported(collector: &Collector) -> Vec<u8> {
    let traces = collector.bodies::<ExportTraceServiceRequest>("/v1/traces");
    let logs = collector.bodies::<ExportLogsServiceRequest>("/v1/logs");
    let traces = traces.iter().flat_map(Message::encode_to_vec);
    traces.chain(logs.iter().flat_map(Message::encode_to_vec)).collect()
}

/// Returns every row of every table as text, with bytes in hexadecimal.
async fn dump(stack: &Stack) -> Vec<u8> {
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
    let mut rows = Vec::new();
    for table in stack.texts(tables).await {
        rows.extend(stack.texts(&format!("SELECT t::text FROM {table} t")).await);
    }
    rows.join("\n").into_bytes()
}

/// Whether a text is found in clear, in hexadecimal, or in Base64 at any offset.
fn holds(bytes: &[u8], text: &str) -> bool {
    forms(text).iter().any(|form| find(bytes, form).is_some())
}

fn forms(text: &str) -> Vec<String> {
    let hex = text
        .bytes()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|half| char::from_digit(half.into(), 16));
    // The first and last digits depend on the neighbouring bytes.
    let shifted = (0..3).map(|offset| {
        let encoded = STANDARD_NO_PAD.encode([&vec![0; offset], text.as_bytes()].concat());
        encoded[offset + 1..encoded.len() - 2].to_owned()
    });
    [text.to_owned(), hex.collect()].into_iter().chain(shifted).collect()
}

fn find(bytes: &[u8], text: &str) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text.as_bytes())
}

/// Describes where a text was found.
fn around(bytes: &[u8], text: &str) -> String {
    let at = forms(text).iter().find_map(|form| find(bytes, form)).unwrap_or_default();
    String::from_utf8_lossy(&bytes[at.saturating_sub(200)..bytes.len().min(at + 100)]).into_owned()
}

#[test]
fn a_text_is_found_in_every_form() {
    for bytes in
        ["x hunter22 y", "\\x0068756e7465723232ff", "aHVudGVyMjI=", "AGh1bnRlcjIy", "AABodW50ZXIyMg=="]
    {
        assert!(holds(bytes.as_bytes(), "hunter22"), "{bytes}");
        assert!(!holds(bytes.as_bytes(), "hunted22"), "{bytes}");
    }
}
