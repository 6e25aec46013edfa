//! Webhooks: from a change of a record to the receiver, with the real programs.
#![cfg(test)]

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
    time::Duration,
};

use rekey_e2e::{
    process::{Exit, Program, free_ports, project},
    receiver::{Received, Receiver, Reply},
    shop::{ANNA, Shop},
    stack::Stack,
    wait::{eventually, within},
    webhook_signature::is_genuine,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const TOPIC: &str = "customer_password_resets.create";
/// How many events wait for a webhook with an open circuit.
const WAITING: usize = 120;

/// A shop with receivers on this machine.
async fn shop() -> Shop {
    let mut stack = Stack::prepare().await;
    stack.set("webhooks.allowed_networks", "127.0.0.0/8");
    Shop::open(stack).await
}

/// Starts `rekey-webhooks`.
async fn start_webhooks(stack: &Stack) -> Program {
    stack.start_another("rekey-webhooks").await.0
}

/// Creates a webhook, and returns its id and its secret.
async fn webhook(shop: &Shop, token: &str, url: &str, attributes: Value) -> (String, String) {
    let mut all = json!({ "topic": TOPIC, "callback_url": url });
    all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    let made = shop.stack.api.call(Method::POST, "webhooks", token, &document("webhooks", None, &all)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let data = &made.body["data"];
    (
        data["id"].as_str().unwrap().to_owned(),
        data["attributes"]["shared_secret"].as_str().unwrap().to_owned(),
    )
}

fn document(kind: &str, id: Option<&str>, attributes: &Value) -> Value {
    json!({ "data": { "type": kind, "id": id, "attributes": attributes } })
}

/// Whether one of the signatures is by that secret.
fn is_signed(request: &Received, secret: &str) -> bool {
    let header = |name: &str| request.headers[name].as_str();
    let (id, timestamp, signatures) =
        (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    is_genuine(secret, id, timestamp, signatures, request.body.as_bytes())
}

/// The code of the guide verifies a request, and refuses another body, in each language.
fn assert_guide_verifies(request: &Received, secret: &str) {
    let guide = fs::read_to_string(project().join("docs/webhooks.md")).unwrap();
    let code = |language: &str| {
        let rest = guide.split_once(&format!("```{language}\n")).unwrap().1;
        rest.split_once("```").unwrap().0.to_owned()
    };
    let rust = fs::read_to_string(project().join("tests/e2e/src/webhook_signature.rs")).unwrap();
    assert!(rust.ends_with(&code("rust")), "the guide's code is what is tested");
    let python =
        "import sys\nr = json.load(sys.stdin)\nverify(r['secret'], r['headers'], r['body'].encode())";
    let php = "$r = json_decode(stream_get_contents(STDIN), true); verify($r['secret'], $r['headers'], $r['body']);";
    let node = "import { readFileSync } from 'node:fs'\nconst r = JSON.parse(readFileSync(0))\nverify(r.secret, r.headers, r.body)";
    for (program, arguments, code) in [
        ("python3", &["-c"][..], format!("{}{python}", code("python"))),
        ("php", &["-r"], format!("{}{php}", code("php"))),
        ("node", &["--input-type=module", "--eval"], format!("{}{node}", code("js"))),
    ] {
        for (body, is_genuine) in [(request.body.clone(), true), (format!("{} ", request.body), false)] {
            let mut command = Command::new(program);
            command.args(arguments).arg(&code).current_dir(project().join("tests/clients"));
            let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let input = json!({ "secret": secret, "headers": request.headers, "body": body });
            child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
            let ended = child.wait_with_output().unwrap();
            let errors = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.success(), is_genuine, "{program}: {errors}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_reaches_its_receiver_signed_and_again_until_it_is_taken() {
    let shop = shop().await;
    let stack = &shop.stack;
    let (_api, _webhooks) = (stack.start_api().await, start_webhooks(stack).await);
    let token = shop.register_anna().await;
    let receiver = Receiver::start().await;
    let (id, secret) =
        webhook(&shop, &token, &receiver.url, json!({ "include_resources": ["customer"] })).await;
    let redirect = Reply { headers: "location: http://127.0.0.1:1/\r\n", ..Reply::status(302) };
    receiver.reply([redirect, Reply::status(500)]);
    let reset = stack.api.create_reset(&token, ANNA).await;
    assert_eq!(reset.status, StatusCode::CREATED);

    let first = receiver.requests(1).await.remove(0);
    assert_eq!(first.line, "POST /hook HTTP/1.1");
    for (name, value) in [("content-type", "application/vnd.api+json"), ("x-commercelayer-topic", TOPIC)] {
        assert_eq!(first.headers[name], value);
    }
    assert!(is_signed(&first, &secret), "{first:?}");
    let body: Value = serde_json::from_str(&first.body).unwrap();
    let (data, reset) = (&body["data"], &reset.body["data"]);
    assert_eq!((&data["id"], &data["attributes"]["customer_email"]), (&reset["id"], &json!(ANNA)));
    assert_eq!(data["attributes"]["reset_password_token"], Value::Null);
    assert!(!first.body.contains(reset["attributes"]["reset_password_token"].as_str().unwrap()));
    assert_eq!(
        data["links"]["self"],
        format!("/api/customer_password_resets/{}", reset["id"].as_str().unwrap())
    );
    assert_eq!(body["included"][0]["type"], "customers");

    // Nobody waits five seconds, and five minutes, here.
    for count in 2..=3 {
        answered(stack, if count == 2 { "302" } else { "500" }).await;
        stack.texts("UPDATE event_callbacks SET due_at = now() RETURNING id").await;
        let requests = receiver.requests(count).await;
        let again = requests.last().unwrap();
        assert_eq!((&again.body, &again.headers["webhook-id"]), (&first.body, &first.headers["webhook-id"]));
        assert!(is_signed(again, &secret));
    }
    assert_guide_verifies(&first, &secret);
    answered(stack, "200").await;
    let path = format!("webhooks/{id}/last_event_callbacks");
    let listed = stack.api.call(Method::GET, &path, &token, &Value::Null).await;
    let attributes = &listed.body["data"][0]["attributes"];
    assert_eq!(attributes["payload"], body, "{listed:?}");
    assert_eq!(
        (&attributes["response_code"], &attributes["response_message"]),
        (&json!("200"), &json!("an answer"))
    );
    assert_eq!(receiver.received().len(), 3);

    // A new secret signs along with the former one.
    let change = document("webhooks", Some(&id), &json!({ "_regenerate_shared_secret": true }));
    let changed = stack.api.call(Method::PATCH, &format!("webhooks/{id}"), &token, &change).await;
    let next = changed.body["data"]["attributes"]["shared_secret"].as_str().unwrap();
    let event = &first.headers["webhook-id"];
    let trigger = document("events", Some(event), &json!({ "_trigger": true }));
    stack.api.call(Method::PATCH, &format!("events/{event}"), &token, &trigger).await;
    let last = receiver.requests(4).await.remove(3);
    assert!(
        is_signed(&last, next) && is_signed(&last, &secret) && last.headers["webhook-id"] == *event,
        "{last:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_claimed_by_a_process_that_dies_is_sent_by_another() {
    let shop = shop().await;
    let stack = &shop.stack;
    let _api = stack.start_api().await;
    let token = shop.register_anna().await;
    let receiver = Receiver::start().await;
    webhook(&shop, &token, &receiver.url, json!({})).await;
    // Events wait in the queue once it is there.
    let doomed = start_webhooks(stack).await;
    let slow = Reply { after: Duration::from_secs(30), ..Reply::status(200) };
    receiver.reply([slow]);
    stack.api.create_reset(&token, ANNA).await;
    let first = receiver.requests(1).await.remove(0);
    doomed.crash();
    stack.api.create_reset(&token, ANNA).await;
    stack.texts("UPDATE event_callbacks SET lease_until = now() RETURNING id").await;
    let _webhooks = start_webhooks(stack).await;
    let requests = receiver.requests(3).await;
    let ids: Vec<_> = requests.iter().map(|request| &request.headers["webhook-id"]).collect();
    assert_eq!(ids.iter().filter(|id| **id == &first.headers["webhook-id"]).count(), 2, "{ids:?}");
}

/// An open circuit keeps events, and nothing is added when it is closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_webhook_follows_as_soon_as_an_attempt_has_ended() {
    let mut stack = Stack::prepare().await;
    stack.set("webhooks.allowed_networks", "127.0.0.0/8");
    stack.set("webhooks.webhook_concurrency", "1");
    let shop = Shop::open(stack).await;
    let stack = &shop.stack;
    let (_api, _webhooks) = (stack.start_api().await, start_webhooks(stack).await);
    let token = shop.register_anna().await;
    let receiver = Receiver::start().await;
    webhook(&shop, &token, &receiver.url, json!({})).await;
    stack.texts("UPDATE webhooks SET circuit_opened_at = now() RETURNING id").await;
    for _ in 0..WAITING {
        stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    }
    eventually("the callbacks", async || {
        let recorded = stack.texts("SELECT id FROM event_callbacks").await.len();
        if recorded == WAITING { Ok(()) } else { Err(recorded) }
    })
    .await;
    stack.texts("UPDATE webhooks SET circuit_opened_at = NULL RETURNING id").await;
    // One a second would take twice as long.
    within(Duration::from_mins(1), "all that waited", async || match receiver.count() {
        WAITING => Ok(()),
        count => Err(count),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_that_are_not_public_are_refused_in_words() {
    let shop = Shop::open(Stack::prepare().await).await;
    let stack = &shop.stack;
    let (_api, _webhooks) = (stack.start_api().await, start_webhooks(stack).await);
    let token = shop.register_anna().await;
    let receiver = Receiver::start().await;
    webhook(&shop, &token, &receiver.url, json!({})).await;
    let [port] = free_ports();
    webhook(&shop, &token, &format!("http://localhost:{port}/"), json!({})).await;
    stack.api.create_reset(&token, ANNA).await;
    eventually("the refusals", async || {
        let messages = stack
            .texts("SELECT response_message FROM event_callbacks WHERE response_message IS NOT NULL")
            .await;
        let are_refused =
            messages.len() == 2 && messages.iter().all(|message| message.contains("not at a public address"));
        if are_refused { Ok(()) } else { Err(messages) }
    })
    .await;
    assert!(receiver.received().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_creates_tests_and_repairs_webhooks() {
    let shop = shop().await;
    let stack = &shop.stack;
    let (_api, _webhooks) = (stack.start_api().await, start_webhooks(stack).await);
    let token = shop.register_anna().await;
    let receiver = Receiver::start().await;
    let tool = async |arguments: &[&str]| {
        let scope: &[&str] = if arguments == ["reseal"] { &[] } else { &["--organization", "shop"] };
        stack.tool(&[&["--json", "webhook"], arguments, scope].concat()).await
    };
    let json = |exit: Exit| -> Vec<Value> {
        assert_eq!(exit.code, Some(0), "{exit:?}");
        exit.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let create = ["create", "--topic", TOPIC, "--url", &receiver.url, "--name", "Back office"];
    let made = json(tool(&create).await).remove(0);
    let (id, secret) = (made["id"].as_str().unwrap(), made["shared_secret"].as_str().unwrap());
    assert_eq!(made["whsec"], format!("whsec_{secret}"));
    let twice = tool(&create).await;
    assert!(twice.code == Some(1) && twice.stderr.contains("has that name"), "{twice:?}");
    let wrong = tool(&["create", "--topic", "orders.place", "--url", &receiver.url]).await;
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    let unknown = tool(&["show", "aaaaaaaaaa"]).await;
    assert_eq!(unknown.code, Some(3), "{unknown:?}");

    receiver.reply([Reply::status(200), Reply::status(500)]);
    let tested = json(tool(&["test", id]).await).remove(0);
    assert_eq!((&tested["status"], &tested["body"]), (&json!(200), &json!("an answer")));
    assert!(is_signed(&receiver.received()[0], secret));
    assert_eq!(tool(&["test", id]).await.code, Some(1), "the receiver answers 500");
    assert!(stack.texts("SELECT id FROM event_callbacks").await.is_empty(), "nothing is recorded");

    stack.api.create_reset(&token, ANNA).await;
    let event = receiver.requests(3).await[2].headers["webhook-id"].clone();
    assert_eq!(json(tool(&["trigger", &event]).await)[0]["webhooks"], 1);
    receiver.requests(4).await;
    let shown = async || json(tool(&["show", id]).await);
    eventually("both callbacks", async || {
        let shown = shown().await;
        let codes: Vec<_> = shown.iter().skip(1).map(|callback| callback["response_code"].clone()).collect();
        if codes == ["200", "200"] { Ok(()) } else { Err(codes) }
    })
    .await;
    replays(&shop, &receiver).await;
    let open = "UPDATE webhooks SET circuit_opened_at = now(), circuit_failure_count = 30 RETURNING id";
    stack.texts(open).await;
    assert_eq!(json(tool(&["list"]).await)[0]["state"], "open");
    json(tool(&["reset-circuit", id]).await);
    assert_eq!(json(tool(&["list"]).await)[0]["state"], "closed");

    let needs = async || {
        let keys = json(stack.tool(&["--json", "key", "list"]).await);
        keys.iter().find(|key| key["kind"] == "sealing").unwrap()["webhooks"].clone()
    };
    assert_eq!(needs().await, 1);
    let before = stack.texts("SELECT encode(sealed_secret, 'hex') FROM webhooks").await;
    assert_eq!(json(tool(&["reseal"]).await)[0]["resealed"], 1);
    assert_ne!(stack.texts("SELECT encode(sealed_secret, 'hex') FROM webhooks").await, before);
    let next = json(tool(&["rotate-secret", id]).await).remove(0);
    assert_ne!(next["shared_secret"], secret);
    assert_eq!(needs().await, 2, "the former secret signs along");
    stack.api.create_reset(&token, ANNA).await;
    let last = receiver.requests(8).await.remove(7);
    assert!(is_signed(&last, secret) && is_signed(&last, next["shared_secret"].as_str().unwrap()));
}

/// Lists and replays the two callbacks that were delivered by the third and the fourth request.
async fn replays(shop: &Shop, receiver: &Receiver) {
    let stack = &shop.stack;
    let tool = async |arguments: &[&str]| {
        stack.tool(&[&["--json", "webhook"], arguments, &["--organization", "shop"]].concat()).await
    };
    let listed = async |arguments: &[&str]| -> Vec<Value> {
        let exit = tool(&[&["callbacks"], arguments].concat()).await;
        assert_eq!(exit.code, Some(0), "{exit:?}");
        exit.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let delivered = listed(&["--since", "1h"]).await;
    assert_eq!(delivered.len(), 2);
    assert_eq!(
        (&delivered[0]["topic"], &delivered[0]["attempts"], &delivered[0]["response_message"]),
        (&json!(TOPIC), &json!(1), &json!("an answer"))
    );
    assert_eq!(listed(&["--since", "2100-01-01T00:00:00Z"]).await.len(), 0);
    let webhook = delivered[0]["webhook"].as_str().unwrap();
    let id = delivered[0]["id"].as_str().unwrap();

    for (arguments, code, message) in [
        (&["--failed"][..], 3, "no callback that has ended fulfils these conditions"),
        (&["aaaaaaaaaa"], 3, "no callback of this organization and mode has the id aaaaaaaaaa"),
        (&["--all", "--webhook", "aaaaaaaaaa"], 3, "no webhook of this organization and mode has the id"),
        (&["--webhook", webhook], 2, "required"),
        (&[id, "--failed"], 2, "cannot be used with"),
        (&["--failed", "--since", "yesterday"], 2, "such as 2026-11-29T03:00:00Z, or an age such as 2h"),
    ] {
        let refused = tool(&[&["replay"], arguments].concat()).await;
        assert!(refused.code == Some(code) && refused.stderr.contains(message), "{arguments:?}: {refused:?}");
    }
    let counted = tool(&["replay", "--all", "--since", "1h", "--dry-run"]).await;
    assert_eq!(counted.stdout, "{\"count\":2,\"dry_run\":true,\"more_since\":null}\n");
    assert_eq!(receiver.received().len(), 4);

    let (before, replayed) = (receiver.received(), tool(&["replay", id]).await);
    assert_eq!(replayed.code, Some(0), "{replayed:?}");
    let again = receiver.requests(5).await.remove(4);
    assert_eq!(again.body, before[3].body, "what is newest comes first in the list");
    assert_eq!(again.headers["webhook-id"], before[3].headers["webhook-id"]);
    delivered_again(stack).await;
    stack.texts("UPDATE event_callbacks SET response_code = '500' RETURNING id").await;
    assert_eq!(tool(&["replay", "--failed", "--webhook", webhook]).await.code, Some(0));
    receiver.requests(7).await;
    delivered_again(stack).await;
    let erased = format!("UPDATE event_callbacks SET sealed_payload = NULL WHERE id = '{id}' RETURNING id");
    stack.texts(&erased).await;
    let refused = tool(&["replay", id]).await;
    assert!(refused.code == Some(1) && refused.stderr.contains("its payload was erased"), "{refused:?}");
    let actions = "SELECT action FROM audit_entries WHERE action = 'replay' AND actor = 'operator'";
    assert_eq!(stack.texts(actions).await.len(), 2);
}

async fn delivered_again(stack: &Stack) {
    eventually("both to be delivered", async || {
        let states = stack.texts("SELECT state FROM logged_callbacks").await;
        if states == ["delivered", "delivered"] { Ok(()) } else { Err(states) }
    })
    .await;
}

/// Waits until an attempt was recorded with that status.
async fn answered(stack: &Stack, code: &str) {
    eventually("the outcome to be recorded", async || {
        let codes = stack
            .texts("SELECT response_code FROM event_callbacks WHERE lease_until IS NULL AND attempts > 0")
            .await;
        if codes == [code] { Ok(()) } else { Err(codes) }
    })
    .await;
}
