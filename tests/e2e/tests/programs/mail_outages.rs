//! Mails wait while the relay or the broker can take none, and are sent soon after.

use std::time::{Duration, Instant};

use rekey_e2e::{
    broker::{Broker, waiting},
    shop::{ANNA, OLD_PASSWORD, Shop},
    smtp::SmtpServer,
    stack::{Stack, amqp_url},
    wait::{eventually, within},
};
use rekey_testkit::smtp::{Act, ScriptedSmtp};
use reqwest::StatusCode;
use serde_json::json;
use tempfile::TempDir;
use tokio::{net::TcpSocket, time::sleep};

/// What the mailer writes of a mail, and when it was last written.
const LEDGER: &str = "SELECT concat_ws(' ', event_id, status, attempts, xmin) FROM deliveries ORDER BY 1";

/// B5 and B9.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_no_relay_can_be_reached_broker_and_database_are_idle_and_its_return_is_noticed_in_seconds() {
    const MAILS: usize = 300;
    let mut stack = Stack::prepare().await;
    // Keeps a port on which nobody listens.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    stack.set("smtp.relays", &format!("smtp://127.0.0.1:{port}?tls=none"));
    let shop = Shop::open(stack).await;
    let stack = &shop.stack;
    let (_api, mailer) = (stack.start_api().await, stack.start_mailer().await);
    let token = shop.register_anna().await;
    for _ in 0..MAILS {
        stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    }
    // Those that were on their way when the first mail failed come back from the retry queue.
    let queue = format!("{}.mailer", stack.namespace);
    let all_wait = async || match waiting(&amqp_url(), &queue).await {
        (count, 0) if count as usize == MAILS => Ok(()),
        other => Err(other),
    };
    eventually("every mail in the queue, without a consumer", all_wait).await;
    let before = stack.texts(LEDGER).await;
    // More than two checks of the relay, and the shortest wait of the ladder.
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(12) {
        assert_eq!(all_wait().await, Ok(()));
        sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(stack.texts(LEDGER).await, before);
    assert!(before.iter().all(|row| !row.contains(" sent ")), "{before:?}");

    drop(socket);
    let folder = TempDir::new().unwrap();
    let relay = SmtpServer::start(folder.path().join("mails"), &["--port", &port.to_string()]).await;
    let started = Instant::now();
    let first = async || if relay.taken() > 0 { Ok(()) } else { Err("no mail") };
    within(Duration::from_secs(15), "the first mail", first).await;
    println!("first mail {:?} after the relay's return", started.elapsed());
    let all = async || if relay.taken() == MAILS { Ok(()) } else { Err(relay.taken()) };
    eventually("all mails", all).await;
    mailer.terminate().await;
}

/// B3: a relay that denies relaying.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_is_set_up_wrongly_costs_no_customer_the_mail() {
    let relay = ScriptedSmtp::start(&[&[("RCPT", Act::Reply("554 5.7.1 Relay access denied"))]]).await;
    let mut stack = Stack::prepare().await;
    stack.set("smtp.relays", &format!("smtp://127.0.0.1:{}?tls=none", relay.port));
    stack.set("resets.self_service_cooldown_seconds", "0");
    let shop = Shop::open(stack).await;
    let stack = &shop.stack;
    let (_api, mailer) = (stack.start_api().await, stack.start_mailer().await);
    let (token, guest) = (shop.register_anna().await, shop.storefront.token(&stack.api).await);
    // Anna tries five times, each after the mail before was refused.
    for tries in 1..=5 {
        stack.api.create_reset(&guest, ANNA).await.expect(StatusCode::CREATED);
        let refused = async || match relay.commands().iter().filter(|line| line.starts_with("RCPT")).count() {
            count if count >= tries => Ok(()),
            count => Err(count),
        };
        eventually("the refusal", refused).await;
        let settled = "SELECT event_id FROM deliveries WHERE lease_until IS NOT NULL";
        eventually("its record", async || match stack.texts(settled).await.as_slice() {
            [] => Ok(()),
            claimed => Err(claimed.to_vec()),
        })
        .await;
    }
    for n in 1..5 {
        let address = format!("customer-{n}@example.com");
        stack.api.create_customer(&token, &address, OLD_PASSWORD).await;
        stack.api.create_reset(&guest, &address).await.expect(StatusCode::CREATED);
    }
    let alarmed = async || {
        let (log, body) = (mailer.stderr(), stack.mailer().readiness().await);
        let is_named =
            log.lines().any(|line| line.contains("ERROR") && line.contains("5.7.1 Relay access denied"));
        if is_named && body["failed"] == json!(["mail"]) { Ok(()) } else { Err((log, body)) }
    };
    eventually("an ERROR with the reply, and readiness", alarmed).await;

    relay.repair();
    let started = Instant::now();
    let all = async || if relay.messages().len() >= 5 { Ok(()) } else { Err(relay.messages().len()) };
    // A minute on a machine that has nothing else to do.
    within(Duration::from_mins(2), "the five mails", all).await;
    println!("all mails {:?} after the repair", started.elapsed());
    // The budget is five.
    stack.api.create_reset(&guest, ANNA).await.expect(StatusCode::CREATED);
    let sixth = async || if relay.messages().len() == 6 { Ok(()) } else { Err(relay.messages().len()) };
    eventually("Anna's mail after the repair", sixth).await;
    mailer.terminate().await;
}

/// B16.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_of_the_broker_is_logged_as_such_and_requests_are_accepted() {
    let broker = Broker::start();
    let stack = Stack::prepare_on(&broker.url, &[]).await;
    let shop = Shop::open(stack).await;
    let stack = &shop.stack;
    let (api, _mailer) = (stack.start_api().await, stack.start_mailer().await);
    let token = shop.register_anna().await;
    let is_ready = async || {
        let body = stack.api.readiness().await;
        if body == json!({ "status": "ready" }) { Ok(()) } else { Err(body) }
    };
    eventually("readiness", is_ready).await;
    broker.ctl(&["set_vm_memory_high_watermark", "absolute", "1"]);
    // The broker blocks a connection at its next message.
    let blocked = async || {
        stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
        let body = stack.api.readiness().await;
        if body == json!({ "status": "ready", "degraded": ["broker"] }) { Ok(()) } else { Err(body) }
    };
    eventually("the alarm", blocked).await;
    let said = "blocked by an alarm of the broker";
    eventually("its line", async || api.stderr().contains(said).then_some(()).ok_or(api.stderr())).await;
    assert!(!api.stderr().contains("RabbitMQ can't be used"), "{}", api.stderr());
    assert_eq!(api.stderr().matches(said).count(), 1, "{}", api.stderr());
    stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);

    broker.ctl(&["set_vm_memory_high_watermark", "0.6"]);
    let unsent = "SELECT event_id FROM deliveries WHERE status <> 'sent'";
    let all = async || match stack.texts(unsent).await.len() {
        0 => Ok(()),
        count => Err(count),
    };
    eventually("every mail", all).await;
    eventually("readiness", is_ready).await;
}

/// B16: the broker does not read from a connection that publishes during an alarm, acknowledgements included.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn during_an_alarm_mails_are_sent_and_those_to_be_tried_again_wait() {
    const MAILS: usize = 40;
    let broker = Broker::start();
    let relay = ScriptedSmtp::start(&[&[("RCPT", Act::ReplyAndClose("450 4.2.0 later"))], &[]]).await;
    let mut stack = Stack::prepare_on(&broker.url, &[]).await;
    stack.set("smtp.relays", &format!("smtp://127.0.0.1:{}?tls=none", relay.port));
    let shop = Shop::open(stack).await;
    let stack = &shop.stack;
    let _api = stack.start_api().await;
    let token = shop.register_anna().await;
    for _ in 0..MAILS {
        stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    }
    eventually("every message in the queue", async || {
        let unpublished = stack.texts("SELECT id FROM events WHERE published_at IS NULL").await;
        if unpublished.is_empty() { Ok(()) } else { Err(unpublished) }
    })
    .await;
    broker.ctl(&["set_vm_memory_high_watermark", "absolute", "1"]);
    let mailer = stack.start_mailer().await;
    let others = async || match relay.messages().len() {
        count if count == MAILS - 1 => Ok(()),
        count => Err(count),
    };
    eventually("every mail but the one that was deferred", others).await;
    broker.ctl(&["set_vm_memory_high_watermark", "0.6"]);
    let all = async || if relay.messages().len() == MAILS { Ok(()) } else { Err(relay.messages().len()) };
    eventually("that one, too", all).await;
    let exit = mailer.terminate().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
}
