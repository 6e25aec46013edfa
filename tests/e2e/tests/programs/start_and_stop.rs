//! Starting and stopping `rekey-api` and `rekey-mailer`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds nothing is to fail")]

use std::{fs, net::TcpListener, process::Command, time::Duration};

use rekey_e2e::{
    client::{Api, reset},
    process::Exit,
    shop::{ANNA, Shop},
    stack::{Stack, amqp_url},
    wait::eventually,
};
use reqwest::{Method, StatusCode};

/// More than a stop can interrupt, and few enough for every rate limit.
const RESETS: usize = 150;

#[tokio::test]
async fn a_stop_drains_what_was_accepted_claimed_and_half_sent() {
    // Slow enough that the mailer is stopped while it sends mails and many more wait.
    let mut stack = Stack::prepare_on(&amqp_url(), &["--delay-ms", "1000"]).await;
    stack.set("mailer.concurrency", "4");
    let mut shop = Shop::open(stack).await;
    let stack = &shop.stack;
    let (first_api, first_mailer) = (stack.start_api().await, stack.start_mailer().await);
    let token = shop.register_anna().await;

    let storefront = tokio::spawn(ask(stack.api.clone(), token));
    eventually("mails on their way", async || if stack.smtp.mails().is_empty() { Err(0) } else { Ok(()) })
        .await;
    drained(&first_mailer.terminate().await);
    drained(&first_api.terminate().await);
    let accepted = storefront.await.unwrap();
    let doubtful =
        stack.texts("SELECT event_id FROM deliveries WHERE lease_until IS NOT NULL OR in_doubt > 0").await;
    assert_eq!(doubtful, [""; 0], "no mail was let go of before its fate was known");
    let before = stack.smtp.mails().len();
    assert!(before < accepted, "the stop came too late to show anything: {before} of {accepted}");

    for key in ["mailer.concurrency", "smtp.connections"] {
        shop.stack.set(key, "32");
    }
    let stack = &shop.stack;
    let (_api, _mailer) = (stack.start_api().await, stack.start_mailer().await);
    // One whose response was cut off may be among them.
    let resets = stack.texts("SELECT id FROM password_resets").await.len();
    assert!(resets >= accepted, "{resets} of {accepted}");
    eventually("a mail for every reset", async || {
        let mails = stack.smtp.mails().len();
        if mails >= resets { Ok(()) } else { Err(format!("{mails} of {resets}")) }
    })
    .await;
    let mut ids: Vec<_> = stack.smtp.mails().iter().map(|mail| mail.header("Message-ID")).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), stack.smtp.mails().len()), (resets, resets), "each mail once");
}

/// Requests resets one after another until the API is down, and counts the accepted ones.
async fn ask(api: Api, token: String) -> usize {
    for accepted in 0..RESETS {
        let asked = api.try_call(Method::POST, "customer_password_resets", &token, &reset(ANNA)).await;
        match asked {
            Ok(answer) => drop(answer.expect(StatusCode::CREATED)),
            Err(_) => return accepted,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    RESETS
}

fn drained(exit: &Exit) {
    assert_eq!(exit.code, Some(0), "{exit:?}");
}

#[tokio::test]
async fn a_wrong_configuration_is_one_clear_line_and_no_start() {
    let mut stack = Stack::prepare().await;
    for key in
        ["server.public_url", "auth.signing_key_file", "keys.sealing_file", "broker.url", "database.url"]
    {
        refused(&mut stack, "rekey-api", key, None).await;
    }
    for key in ["server.public_url", "keys.sealing_file", "mail.from", "smtp.relays", "broker.url"] {
        refused(&mut stack, "rekey-mailer", key, None).await;
    }
    let weak_key = weak_signing_key();
    let weak = ["k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "k1:c2hvcnQ="];
    for program in ["rekey-api", "rekey-mailer"] {
        refused(&mut stack, program, "server.publik_url", Some("http://127.0.0.1")).await;
        for key in weak {
            refused(&mut stack, program, "keys.sealing", Some(key)).await;
        }
    }
    refused(&mut stack, "rekey-api", "auth.signing_key", Some(&weak_key)).await;
    refused(&mut stack, "rekey-api", "auth.signing_key", Some("hunter2")).await;
    // A12: next to the key of the file.
    refused(&mut stack, "rekey-api", "auth.signing_keys", Some(&weak_key)).await;
    let file = stack.unset("auth.signing_key_file").unwrap().1;
    let key = fs::read_to_string(&file).unwrap();
    refused(&mut stack, "rekey-api", "auth.signing_keys", Some(&key.repeat(2))).await;
    refused(&mut stack, "rekey-api", "auth.signing_keys", Some(&format!("{key}{weak_key}"))).await;
}

#[tokio::test]
async fn an_admin_address_that_is_in_use_is_named_and_off_needs_none() {
    let stack = Stack::prepare().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for program in ["rekey-api", "rekey-mailer"] {
        let refused = stack.spawn_with(program, &[("admin.listen", address.clone())]).end().await;
        let line = refused.stderr.lines().last().unwrap_or_default();
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(line.contains(&format!("can't listen on {address}: set admin.listen to")), "{refused:?}");
        assert!(line.contains("Address already in use"), "{refused:?}");
    }
    let api = stack.spawn_with("rekey-api", &[("admin.listen", "off".to_owned())]);
    stack.api.ready().await;
    let admin = stack.api_admin().url;
    assert!(reqwest::get(format!("{admin}/readyz")).await.is_err(), "nothing listens at {admin}");
    drained(&api.terminate().await);
}

/// Starts a program with a missing (`None`) or wrong key, which the program must name in its only line.
async fn refused(stack: &mut Stack, program: &str, key: &str, value: Option<&str>) {
    let name = key.trim_end_matches("_file");
    // A secret has either its own variable or its file's, never both.
    let kept = [name.to_owned(), format!("{name}_file")].map(|key| stack.unset(&key));
    if let Some(value) = value {
        stack.set(key, value);
    }
    let started = stack.spawn(program);
    let exit = started.end().await;
    let lines: Vec<_> = exit.stderr.lines().collect();
    assert!(exit.code.is_some_and(|code| code != 0), "{program}, {key}: {exit:?}");
    assert!(lines.len() == 1 && lines[0].contains(name), "{program}, {key}: {exit:?}");
    assert!(value.is_none_or(|value| !name.contains("key") || !exit.stderr.contains(value)), "{exit:?}");
    stack.unset(key);
    for (key, value) in kept.into_iter().flatten() {
        stack.set(&key, &value);
    }
}

/// Creates an RSA key of 1024 bits, which is too short.
fn weak_signing_key() -> String {
    let bits = ["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"];
    let made = Command::new("openssl").args(bits).output().unwrap();
    String::from_utf8(made.stdout).unwrap()
}
