//! Two consumers of the same events: the mailer, and the program that sends webhooks.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use lapin::{
    Connection, ConnectionProperties,
    options::{QueueDeclareOptions, QueueDeleteOptions},
    types::FieldTable,
};
use rekey_broker::rabbitmq::{Consumer, DeadLetters, Inspector};
use rekey_core::events::bus::{Delivery, RejectCause, Verdict};
use rekey_testkit::conformance::bus::Scripted;
use time::Duration;

use crate::stage::{Stage, event, eventually_async, relay, url};

#[tokio::test]
async fn each_consumer_gets_each_event_once_and_its_retries_and_dead_letters_are_its_own() {
    let mut stage = Stage::new().await;
    let webhooks_config = stage.config.clone().for_consumer(Consumer::Webhooks);
    let (mailer, webhooks) = (stage.topology().clone(), webhooks_config.topology().clone());
    let mails = Scripted::new(|_| Verdict::Done);
    let is_repaired = Arc::new(AtomicBool::new(false));
    let repaired = is_repaired.clone();
    let fan_out = Scripted::new(move |delivery| match (delivery.payload.as_slice(), delivery.attempt) {
        (b"again", 1) => Verdict::Retry { after: Duration::ZERO, reason: "not yet".to_owned() },
        (b"bad", _) if !repaired.load(Ordering::SeqCst) => {
            Verdict::Reject { cause: RejectCause::Failed, reason: "no receiver".to_owned() }
        }
        _ => Verdict::Done,
    });
    stage.consumer(mails.clone(), 1).await;
    let bus = stage.bus().await;
    relay(&bus, &event(b"before")).await;
    mails.wait_for(1).await;
    assert!(!exists(&webhooks.queue()).await, "nobody but its consumer declares it");

    stage.consumer_of(Consumer::Webhooks, fan_out.clone(), 1).await;
    for payload in [&b"good"[..], b"again", b"bad"] {
        relay(&bus, &event(payload)).await;
    }
    fan_out.wait_for(4).await;
    mails.wait_for(4).await;
    eventually_async(async || stage.count(&webhooks.dead()).await == 1, "the dead letter").await;
    assert_eq!(stage.count(&mailer.dead()).await, 0);

    let mut letters = DeadLetters::connect(&webhooks_config).await.unwrap();
    let letter = letters.next().await.unwrap().unwrap();
    assert_eq!((letter.payload(), letter.reason().as_str()), (&b"bad"[..], "no receiver"));
    is_repaired.store(true, Ordering::SeqCst);
    letters.replay(&letter).await.unwrap();
    letters.close().await;
    fan_out.wait_for(5).await;
    assert_eq!(calls(&fan_out.seen()), ["again 1", "again 2", "bad 1", "bad 1", "good 1"]);
    assert_eq!(calls(&mails.seen()), ["again 1", "bad 1", "before 1", "good 1"]);
    for queue in [mailer.queues(), webhooks.queues()].concat() {
        eventually_async(async || stage.count(&queue).await == 0, &format!("{queue} to be empty")).await;
    }
    stage.strike().await;
}

#[tokio::test]
async fn doctor_looks_at_the_queues_of_webhooks_where_there_are_any() {
    let mut stage = Stage::new().await;
    let bus = stage.bus().await;
    let inspector = Inspector::connect(&stage.config, 0).await.unwrap();
    let names = async || {
        let queues = inspector.queues().await.into_iter();
        queues.map(|queue| queue.map(|state| state.name)).collect::<Result<Vec<_>, _>>()
    };
    let mailer = stage.topology().queues();
    assert_eq!(names().await, Ok(mailer.clone()));

    stage.consumer_of(Consumer::Webhooks, Scripted::new(|_| Verdict::Done), 1).await;
    stage.stop_last().await;
    let webhooks = stage.topology().clone().for_consumer(Consumer::Webhooks);
    assert_eq!(names().await, Ok([mailer, webhooks.queues()].concat()));
    // What is left when they are switched off.
    relay(&bus, &event(b"unread")).await;
    let looked_up = inspector.queues().await;
    let unread = looked_up.iter().flatten().find(|queue| queue.name == webhooks.queue()).unwrap();
    assert_eq!((unread.message_count, unread.consumer_count, unread.is_as_declared), (1, 0, Some(true)));
    let retry = webhooks.retry(Duration::ZERO);
    stage.channel.queue_delete(retry.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
    let problem = names().await.unwrap_err();
    assert_eq!(problem.found, format!("the queue {retry} does not exist"));
    assert!(problem.advice.starts_with("start rekey-webhooks"), "{}", problem.advice);
    inspector.close().await;
    stage.strike().await;
}

/// Returns the payloads and attempts of deliveries, sorted.
fn calls(seen: &[Delivery]) -> Vec<String> {
    let text = |one: &Delivery| format!("{} {}", String::from_utf8_lossy(&one.payload), one.attempt);
    let mut calls: Vec<_> = seen.iter().map(text).collect();
    calls.sort();
    calls
}

/// Whether a queue is there. On a connection of its own: the broker closes the channel if it is not.
async fn exists(queue: &str) -> bool {
    let connection = Connection::connect(&url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let exists = channel.queue_declare(queue.into(), options, FieldTable::default()).await.is_ok();
    connection.close(200, "bye".into()).await.unwrap();
    exists
}
