//! Requests that are repeated with an `Idempotency-Key`.

use std::{
    fs,
    sync::{Arc, Mutex, mpsc},
    time::Duration as StdDuration,
};

use futures_util::future::join_all;
use rekey_core::{
    clients::ClientKind,
    clock::{Clock, to_unix_microseconds},
    idempotency::LEASE,
};
use rekey_testkit::backdoor::{Backdoor, SqliteBackdoor};
use serde_json::{Value, json};
use time::Duration;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::app::{Answer, MEDIA_TYPE, RESETS, TestApp, other_mode};

const JOHN: &str = "john@example.com";
const CUSTOMERS: &str = "/api/customers";
const REPLAYED: &str = "idempotency-replayed";
/// How long a test waits for something that must happen, and the time between two checks.
const TIMEOUT: StdDuration = StdDuration::from_mins(1);
const LOOK: StdDuration = StdDuration::from_millis(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_call_gets_the_first_answer_byte_for_byte() {
    let app = app_with_john().await;
    let token = app.integration().await;
    let first = post(&app, &token, RESETS, "\"8e03978e\"", &reset(JOHN)).await;
    assert_eq!((first.status.as_u16(), first.header(REPLAYED)), (201, ""));
    assert!(first.attribute("reset_password_token").is_string());
    // Without quotes it is the same key. Later changes of the reset are not shown.
    app.call(reqwest::Method::DELETE, &format!("{RESETS}/{}", first.id()), &token, None).await;
    for key in ["8e03978e", "\"8e03978e\"", " 8e03978e "] {
        let again = post(&app, &token, RESETS, key, &reset(JOHN)).await;
        assert_eq!((again.status, &again.text), (first.status, &first.text));
        assert_eq!(again.header(REPLAYED), "true");
        let mut headers = again.headers.clone();
        headers.remove(REPLAYED);
        let undated = |mut headers: reqwest::header::HeaderMap| {
            headers.remove("date");
            headers.remove("x-ratelimit-remaining");
            headers
        };
        assert_eq!(undated(headers), undated(first.headers.clone()), "location and all");
    }
    assert_eq!(count(&app, "password_resets").await, 0);

    let second = post(&app, &token, RESETS, "another", &reset(JOHN)).await;
    assert_eq!((second.status.as_u16(), second.header(REPLAYED)), (201, ""));
    assert_ne!(second.id(), first.id());

    // A permanent error is an answer like any other.
    let jane = customer("not an address", "the first password");
    let refused = post(&app, &token, CUSTOMERS, "jane", &jane).await;
    refused.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/email"));
    let again = post(&app, &token, CUSTOMERS, "jane", &jane).await;
    assert_eq!((again.header(REPLAYED), &again.text), ("true", &refused.text));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_used_for_another_request_is_refused() {
    let app = app_with_john().await;
    let token = app.integration().await;
    let first = post(&app, &token, RESETS, "k", &reset(JOHN)).await;
    assert_eq!(first.status, 201);
    for (path, body) in [
        (RESETS, reset("jane@example.com")),
        (&*format!("{RESETS}?x=1"), reset(JOHN)),
        (CUSTOMERS, customer("jane@example.com", "the first password")),
    ] {
        let answer = post(&app, &token, path, "k", &body).await;
        assert_key_error(&answer, 422, "IDEMPOTENCY_KEY_REUSED");
    }
    assert_eq!((count(&app, "password_resets").await, count(&app, "customers").await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_simultaneous_calls_one_runs() {
    let app = app_with_john().await;
    let token = app.integration().await;
    let body = customer("jane@example.com", "the first password");
    let answers = join_all((0..20).map(|_| post(&app, &token, CUSTOMERS, "k", &body))).await;
    let mut ran = 0;
    for answer in &answers {
        match answer.status.as_u16() {
            201 if answer.header(REPLAYED).is_empty() => ran += 1,
            201 => assert_eq!(answer.id(), created(&answers).id()),
            _ => {
                assert_key_error(answer, 409, "IDEMPOTENCY_KEY_IN_USE");
                assert_eq!(answer.header("retry-after"), "1");
            }
        }
    }
    assert_eq!((ran, count(&app, "customers").await), (1, 2));
    let after = post(&app, &token, CUSTOMERS, "k", &body).await;
    assert_eq!((after.header(REPLAYED), &after.text), ("true", &created(&answers).text));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_none_is_refused() {
    let app = app_with_john().await;
    let token = app.integration().await;
    let send = async |keys: &[&[u8]]| {
        let mut request = app.http.post(app.url(RESETS)).bearer_auth(&token);
        for key in keys {
            request = request.header("idempotency-key", *key);
        }
        let request = request.header("content-type", MEDIA_TYPE).body(reset(JOHN).to_string());
        Answer::read(request.send().await.unwrap()).await
    };
    let long = "k".repeat(256);
    for keys in [
        &[&b""[..]][..],
        &[b"\"\""],
        &[b"\"k"],
        &[b"k k"],
        &[b"k,k"],
        &[b"k\xc3\xa9"],
        &[b"k\xff"],
        &[long.as_bytes()],
        &[b"k", b"k"],
    ] {
        assert_key_error(&send(keys).await, 400, "INVALID_IDEMPOTENCY_KEY");
    }
    assert_eq!(count(&app, "password_resets").await, 0);
    assert_eq!(send(&[&long.as_bytes()[1..]]).await.status, 201);
    // An unauthorized caller learns nothing else.
    let stranger = post(&app, "nobody", RESETS, "k", &reset(JOHN)).await;
    stranger.assert_error(401, "INVALID_TOKEN", None);
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_a_key_belongs_to_its_caller() {
    let app = app_with_john().await;
    let first = post(&app, &app.integration().await, RESETS, "k", &reset(JOHN)).await;
    let other = app.client_in(other_mode(app.scope), ClientKind::Integration, false).await;
    let live = app.access_token(&other).await;
    post(&app, &live, RESETS, "k", &reset(JOHN)).await.assert_error(
        422,
        "VALIDATION_ERROR",
        Some("/data/attributes/customer_email"),
    );
    for token in [app.integration().await, app.guest(true).await] {
        let theirs = post(&app, &token, RESETS, "k", &reset(JOHN)).await;
        assert_eq!((theirs.status.as_u16(), theirs.header(REPLAYED)), (201, ""));
        assert_ne!(theirs.id(), first.id());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_not_kept() {
    let app = app_with_john().await;
    let (guest, token) = (app.guest(false).await, app.integration().await);
    for _ in 0..2 {
        let refused = post(&app, &guest, RESETS, "k", &reset(JOHN)).await;
        refused.assert_error(401, "UNAUTHORIZED", None);
        assert_eq!(refused.header(REPLAYED), "");
    }
    let backdoor = backdoor(&app);
    backdoor.text("ALTER TABLE audit_entries RENAME TO elsewhere").await;
    post(&app, &token, RESETS, "k", &reset(JOHN)).await.assert_error(500, "INTERNAL_SERVER_ERROR", None);
    backdoor.text("ALTER TABLE elsewhere RENAME TO audit_entries").await;
    let done = post(&app, &token, RESETS, "k", &reset(JOHN)).await;
    assert_eq!((done.status.as_u16(), done.header(REPLAYED)), (201, ""));
    // Nor is the refusal of a body that the handler never saw.
    for (content, size, status) in [("application/json", 1, 415), (MEDIA_TYPE, 70_000, 413)] {
        let request = app.http.post(app.url(RESETS)).bearer_auth(&token).header("idempotency-key", "j");
        let request = request.header("content-type", content).body(" ".repeat(size));
        assert_eq!(request.send().await.unwrap().status(), status);
    }
    assert_eq!(post(&app, &token, RESETS, "j", &reset(JOHN)).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn crash_a_call_whose_answer_was_lost_creates_nothing_twice() {
    let app = app_with_john().await;
    let (guest, token) = (app.guest(true).await, app.integration().await);
    let calls = [
        (&token, RESETS, reset(JOHN)),
        (&guest, RESETS, reset(JOHN)),
        (&guest, RESETS, reset("nobody@example.com")),
        (&token, CUSTOMERS, customer("jane@example.com", "the first password")),
    ];
    for (n, (token, path, body)) in calls.iter().enumerate() {
        let key = format!("key-{n}");
        let first = post(&app, token, path, &key, body).await;
        assert_eq!(first.status, 201, "{}", first.text);
        let before = [
            count(&app, "password_resets").await,
            count(&app, "customers").await,
            count(&app, "events").await,
        ];
        // The state that a process leaves that dies after its commit.
        lose_answer(&app, 30).await;
        let waiting = post(&app, token, path, &key, body).await;
        assert_key_error(&waiting, 409, "IDEMPOTENCY_KEY_IN_USE");
        lose_answer(&app, -1).await;
        let again = post(&app, token, path, &key, body).await;
        assert_eq!((again.status.as_u16(), again.id(), again.header(REPLAYED)), (201, first.id(), ""));
        assert_eq!(again.header("location"), first.header("location"));
        for name in ["reset_password_token", "customer_email", "email"] {
            assert_eq!(again.attribute(name), first.attribute(name));
        }
        let after = [
            count(&app, "password_resets").await,
            count(&app, "customers").await,
            count(&app, "events").await,
        ];
        assert_eq!(before, after, "{path}");
        assert_eq!(post(&app, token, path, &key, body).await.header(REPLAYED), "true");
    }
    // A taken address stays taken, also for a request with a key.
    let refused = post(&app, &token, CUSTOMERS, "j", &customer(JOHN, "the first password")).await;
    refused.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/email"));
}

/// B9.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_outlives_its_lease_creates_one_record_with_the_call_that_takes_over() {
    let app = TestApp::start_with(&[("passwords.hashing_threads", "2")], Vec::new()).await;
    let token = app.integration().await;
    let body = customer("jane@example.com", "the first password");
    let ((reached, is_hashing), (go_on, wait)) = (mpsc::channel(), mpsc::channel::<()>());
    let wait = Mutex::new(wait);
    *app.hashing_fault.0.lock().unwrap() = Some(Arc::new(move || {
        reached.send(()).unwrap();
        wait.lock().unwrap().recv().unwrap();
    }));
    let run_others = async {
        tokio::task::spawn_blocking(move || is_hashing.recv().unwrap()).await.unwrap();
        *app.hashing_fault.0.lock().unwrap() = None;
        let waiting = post(&app, &token, CUSTOMERS, "k", &body).await;
        assert_key_error(&waiting, 409, "IDEMPOTENCY_KEY_IN_USE");
        app.clock.forward(LEASE);
        let second = post(&app, &token, CUSTOMERS, "k", &body).await;
        go_on.send(()).unwrap();
        second
    };
    let (first, second) = tokio::join!(post(&app, &token, CUSTOMERS, "k", &body), run_others);
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201), "{} {}", first.text, second.text);
    assert_eq!(first.id(), second.id());
    let written = [count(&app, "customers").await, count(&app, "events").await];
    assert_eq!(written, [1, 1]);
    let again = post(&app, &token, CUSTOMERS, "k", &body).await;
    assert_eq!((again.header(REPLAYED), &again.text), ("true", &second.text));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_hangs_up_finds_its_answer_later() {
    let app = app_with_john().await;
    let token = app.integration().await;
    let body = customer("jane@example.com", "the first password");
    let (text, head) = (
        body.to_string(),
        format!(
            "POST {CUSTOMERS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nidempotency-key: k\r\ncontent-type: {MEDIA_TYPE}\r\n"
        ),
    );
    let request = format!("{head}content-length: {}\r\n\r\n{text}", text.len());
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let written = async {
        while count(&app, "idempotency_keys").await == 0 {
            sleep(LOOK).await;
        }
    };
    timeout(TIMEOUT, written).await.unwrap();
    // A TCP reset makes the server drop the connection's work.
    stream.set_zero_linger().unwrap();
    drop(stream);
    let answered = async {
        loop {
            let answer = post(&app, &token, CUSTOMERS, "k", &body).await;
            if answer.status != 409 {
                return answer;
            }
            sleep(LOOK).await;
        }
    };
    let answer = timeout(TIMEOUT, answered).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.header(REPLAYED)), (201, "true"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_forgotten_after_its_life() {
    let app = app_with_john().await;
    let client = app.client(ClientKind::Integration, false).await;
    let first = post(&app, &app.access_token(&client).await, RESETS, "k", &reset(JOHN)).await;
    app.clock.forward(Duration::hours(24) - Duration::seconds(30));
    let again = post(&app, &app.access_token(&client).await, RESETS, "k", &reset(JOHN)).await;
    assert_eq!((again.header(REPLAYED), again.id()), ("true", first.id()));
    app.clock.forward(Duration::seconds(31));
    let token = app.access_token(&client).await;
    let new = post(&app, &token, RESETS, "k", &reset(JOHN)).await;
    assert_eq!((new.status.as_u16(), new.header(REPLAYED)), (201, ""));
    assert_ne!(new.id(), first.id());
}

#[tokio::test(flavor = "multi_thread")]
async fn enum_body_a_replay_is_the_same_for_known_and_unknown_addresses() {
    let app = app_with_john().await;
    let guest = app.guest(true).await;
    let mut shapes = Vec::new();
    for (key, email) in [("known", JOHN), ("unknown", "jane@example.com")] {
        let first = post(&app, &guest, RESETS, key, &reset(email)).await;
        let again = post(&app, &guest, RESETS, key, &reset(email)).await;
        assert_eq!((&again.text, again.header(REPLAYED)), (&first.text, "true"));
        let at = again.attribute("created_at").as_str().unwrap();
        // The rest of a limit depends on the number of requests, not on the address.
        let mut headers: Vec<_> = again
            .headers
            .iter()
            .filter(|(name, _)| *name != "date" && *name != "x-ratelimit-remaining")
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap().replace(again.id(), "ID")))
            .collect();
        headers.sort_unstable();
        shapes.push((again.text.replace(again.id(), "ID").replace(at, "AT"), headers));
    }
    assert_eq!(shapes[0], shapes[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_nowhere_in_what_is_kept() {
    let app = app_with_john().await;
    let token = app.integration().await;
    let shown = post(&app, &token, RESETS, "the-key-itself", &reset(JOHN)).await;
    let secret = shown.attribute("reset_password_token").as_str().unwrap().to_owned();
    let jane = customer("jane@example.com", "correct horse battery");
    assert_eq!(post(&app, &token, CUSTOMERS, "the-key-itself-2", &jane).await.status, 201);
    assert_eq!(count(&app, "idempotency_keys WHERE answer IS NOT NULL AND true").await, 2);

    let mut seen_john = false;
    for file in fs::read_dir(app.folder.path()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        for hidden in [&*secret, "correct horse battery", "the-key-itself", &token] {
            assert!(!holds(hidden), "{hidden}");
        }
        seen_john |= holds(JOHN);
    }
    assert!(seen_john, "this looks into the database");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_key_keeps_nothing() {
    let app = app_with_john().await;
    app.ask(&app.integration().await, JOHN).await;
    assert_eq!(count(&app, "idempotency_keys").await, 0);
}

async fn app_with_john() -> TestApp {
    let app = TestApp::start().await;
    app.customer(JOHN, "the first password").await;
    app
}

fn reset(email: &str) -> Value {
    json!({ "data": { "type": "customer_password_resets", "attributes": { "customer_email": email } } })
}

fn customer(email: &str, password: &str) -> Value {
    json!({ "data": { "type": "customers", "attributes": { "email": email, "password": password } } })
}

pub async fn post(app: &TestApp, token: &str, path: &str, key: &str, body: &Value) -> Answer {
    let request = app.http.post(app.url(path)).bearer_auth(token).header("idempotency-key", key);
    Answer::read(request.header("content-type", MEDIA_TYPE).body(body.to_string()).send().await.unwrap())
        .await
}

/// Returns the only answer that is neither a replay nor an error.
fn created(answers: &[Answer]) -> &Answer {
    answers.iter().find(|answer| answer.status == 201 && answer.header(REPLAYED).is_empty()).unwrap()
}

#[track_caller]
fn assert_key_error(answer: &Answer, status: u16, code: &str) {
    answer.assert_error(status, code, None);
    assert_eq!(answer.body["errors"][0]["source"]["header"], "Idempotency-Key");
    assert_eq!(answer.header(REPLAYED), "");
}

/// Puts the database into the state between the commit of a request and the storing of its answer, that many seconds before the lease
/// ends.
pub async fn lose_answer(app: &TestApp, left: i64) {
    let lease = to_unix_microseconds(app.clock.now() + Duration::seconds(left));
    backdoor(app).text(&format!("UPDATE idempotency_keys SET answer = NULL, lease_until = {lease} WHERE answer IS NOT NULL OR lease_until IS NOT NULL")).await;
}

async fn count(app: &TestApp, table: &str) -> u64 {
    let (table, condition) = table.split_once(" WHERE ").unwrap_or((table, "true"));
    backdoor(app).count(table, condition).await
}

fn backdoor(app: &TestApp) -> SqliteBackdoor {
    SqliteBackdoor::open(&app.folder.path().join("rekey.db"))
}
