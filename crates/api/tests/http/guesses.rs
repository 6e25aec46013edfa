//! A1: the throttle of guesses at customers' passwords.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration as StdDuration,
};

use rekey_core::{clients::ClientKind, sessions::guesses::FREE_GUESSES};
use serde_json::json;
use time::Duration;
use tokio::{task::spawn_blocking, time::timeout};

use crate::app::{Answer, TestApp, TestClient};

const JOHN: &str = "john@example.com";
const RIGHT: &str = "the first password";
const WRONG: &str = "another password";

/// Logs in from that network.
async fn log_in_from(app: &TestApp, client: &TestClient, address: &str, password: &str) -> Answer {
    let grant =
        json!({ "grant_type": "password", "client_id": client.id, "username": JOHN, "password": password });
    let request = app.http.post(app.url("/oauth/token")).header("x-forwarded-for", address).json(&grant);
    Answer::read(request.send().await.unwrap()).await
}

fn assert_throttled(answer: &Answer, wait: &str) {
    answer.assert_oauth_error(429, "too_many_requests", "TOO_MANY_REQUESTS");
    assert_eq!(answer.header("retry-after"), wait);
}

#[tokio::test(flavor = "multi_thread")]
async fn login_guess_known_and_unknown_accounts_wait_alike_on_all_replicas() {
    let app = TestApp::start().await;
    let replica = app.replica();
    app.customer(JOHN, RIGHT).await;
    let sales = app.client(ClientKind::SalesChannel, false).await;
    let mut bodies = Vec::new();
    for address in [JOHN, "nobody@example.com"] {
        for n in 0..5 {
            let on = if n % 2 == 0 { &app } else { &replica };
            on.log_in(&sales, address, WRONG).await.assert_oauth_error(400, "invalid_grant", "INVALID_GRANT");
        }
        for on in [&app, &replica] {
            for password in [WRONG, RIGHT] {
                let refused = on.log_in(&sales, &address.to_uppercase(), password).await;
                assert_throttled(&refused, "1");
                bodies.push(refused.text);
            }
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    app.clock.forward(Duration::SECOND);
    assert_eq!(replica.log_in(&sales, JOHN, RIGHT).await.status, 200);
    for _ in 0..5 {
        assert_eq!(app.log_in(&sales, JOHN, WRONG).await.status, 400, "in a row, so from zero again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn login_guess_a_reset_by_mail_unlocks_an_account() {
    let app = TestApp::start_with(&[("auth.password_guesses", "6")], Vec::new()).await;
    app.customer(JOHN, RIGHT).await;
    let sales = app.client(ClientKind::SalesChannel, false).await;
    for _ in 0..6 {
        assert_eq!(app.log_in(&sales, JOHN, WRONG).await.status, 400);
        app.clock.forward(Duration::HOUR);
    }
    assert_throttled(&app.log_in(&sales, JOHN, RIGHT).await, "86400");
    app.clock.forward(Duration::weeks(4));
    assert_throttled(&app.log_in(&sales, JOHN, RIGHT).await, "86400");

    let reset = app.ask(&app.integration().await, JOHN).await;
    let token = reset.attribute("reset_password_token").as_str().unwrap();
    let guest = app.guest(false).await;
    let used = json!({ "customer_password": "the second password", "_reset_password_token": token });
    assert_eq!(app.patch(&guest, reset.id(), used).await.status, 200);
    assert_eq!(app.log_in(&sales, JOHN, "the second password").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn login_guess_strangers_do_not_lock_a_customer_out_at_home() {
    let settings = [("auth.password_guesses", "6"), ("server.trusted_proxies", "127.0.0.1")];
    let app = TestApp::start_with(&settings, Vec::new()).await;
    app.customer(JOHN, RIGHT).await;
    let sales = app.client(ClientKind::SalesChannel, false).await;
    let (home, stranger) = ("2001:db8:1:2::1", "192.0.2.1");
    assert_eq!(log_in_from(&app, &sales, home, RIGHT).await.status, 200);
    for n in 0..6 {
        assert_eq!(log_in_from(&app, &sales, &format!("192.0.2.{n}"), WRONG).await.status, 400);
        app.clock.forward(Duration::HOUR);
    }
    assert_throttled(&log_in_from(&app, &sales, stranger, RIGHT).await, "86400");
    // Another address of the same subscriber.
    assert_eq!(log_in_from(&app, &sales, "2001:db8:1:2::ffff", RIGHT).await.status, 200);
    assert_throttled(&log_in_from(&app, &sales, "2001:db8:1:3::1", RIGHT).await, "86400");
}

/// As in a flood of other accounts' log-ins.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_not_compared_is_no_guess() {
    let settings = [("passwords.hashing_threads", "1"), ("passwords.hashing_queue", "1")];
    let app = TestApp::start_with(&settings, Vec::new()).await;
    app.customer(JOHN, RIGHT).await;
    let sales = app.client(ClientKind::SalesChannel, false).await;
    let ((reached, is_hashing), (go_on, wait)) = (mpsc::channel(), mpsc::channel::<()>());
    let wait = Mutex::new(wait);
    *app.hashing_fault.0.lock().unwrap() = Some(Arc::new(move || {
        reached.send(()).unwrap();
        // Ends when the sender is dropped.
        wait.lock().unwrap().recv().unwrap_err();
    }));
    let log_ins = async {
        spawn_blocking(move || is_hashing.recv().unwrap()).await.unwrap();
        let mut refused = 0;
        while refused <= FREE_GUESSES {
            // The one that gets the place in the queue keeps it, also when its caller has hung up.
            let log_in = timeout(StdDuration::from_secs(1), app.log_in(&sales, JOHN, RIGHT));
            if let Ok(answer) = log_in.await {
                assert_eq!(answer.status, 503, "{}", answer.text);
                refused += 1;
            }
        }
        drop(go_on);
    };
    tokio::join!(app.customer("jane@example.com", RIGHT), log_ins);
    assert_eq!(app.log_in(&sales, JOHN, RIGHT).await.status, 200);
}
