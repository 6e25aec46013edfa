//! Publishing: which messages count as published.

use std::collections::HashSet;

use futures_util::future::join_all;
use lapin::{
    options::{QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::FieldTable,
};
use rekey_core::events::{EventName, bus::Bus, outbox::Settlement};
use rekey_testkit::conformance::bus::{eventually, message};

use crate::stage::{Stage, event, publish, relay};

#[tokio::test]
async fn a_message_is_persistent_and_says_what_it_is() {
    let mut stage = Stage::new().await;
    let bus = stage.bus().await;
    let event = event(b"payload");
    assert_eq!(publish(&bus, &event, 1).await, Settlement::Published(event.id));
    let delivery = stage.next(&stage.topology().queue()).await;
    assert_eq!(delivery.data, b"payload");
    assert_eq!(delivery.exchange.as_str(), stage.topology().exchange());
    assert_eq!(delivery.routing_key.as_str(), "customer_password_resets.create");
    let properties = &delivery.properties;
    assert_eq!(*properties.delivery_mode(), Some(2));
    assert_eq!(properties.content_type().as_ref().unwrap().as_str(), "application/x-protobuf");
    assert_eq!(properties.message_id().as_ref().unwrap().as_str(), event.id.as_str());
    assert_eq!(properties.kind().as_ref().unwrap().as_str(), "customer_password_resets.create");
    assert!(properties.timestamp().unwrap() > 1_700_000_000);
    stage.strike().await;
}

#[tokio::test]
async fn an_unroutable_publish_is_seen_and_not_marked_sent_and_the_way_is_repaired() {
    let mut stage = Stage::new().await;
    let bus = stage.bus().await;
    unbind_mailer(&stage).await;
    let event = event(b"where to?");
    let settlement = publish(&bus, &event, 1).await;
    assert!(matches!(settlement, Settlement::Later(id, _) if id == event.id), "{settlement:?}");
    assert_eq!(stage.count(&stage.topology().queue()).await, 0);
    relay(&bus, &event).await;
    assert_eq!(stage.drain(&stage.topology().queue()).await, HashSet::from([event.id.to_string()]));
    stage.strike().await;
}

/// A returned message must be distinguished from those that were confirmed with it: with many in flight, the broker
/// acknowledges several at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn among_routable_ones_an_unroutable_publish_is_seen_and_not_marked_sent() {
    let mut stage = Stage::new().await;
    let bus = stage.bus().await;
    // One of two kinds of events has its own queue, so that it stays routable without the mailer's queue.
    let (other, exchange) = (format!("{}.other", stage.topology().namespace()), stage.topology().exchange());
    let (declare, none) = (QueueDeclareOptions::default(), FieldTable::default());
    stage.channel.queue_declare(other.as_str().into(), declare, none.clone()).await.unwrap();
    let (key, bind) = (EventName::CustomerCreate.as_str().into(), QueueBindOptions::default());
    stage.channel.queue_bind(other.as_str().into(), exchange.into(), key, bind, none).await.unwrap();

    let (mut published, mut returned) = (HashSet::new(), 0);
    for _ in 0..10 {
        unbind_mailer(&stage).await;
        let messages: Vec<_> = (0..200)
            .map(|n| [EventName::CustomerCreate, EventName::ResetCreate][n % 2])
            .map(|name| message(name, b"one of many"))
            .collect();
        for settlement in join_all(messages.iter().map(|message| publish(&bus, message, 1))).await {
            match settlement {
                Settlement::Published(id) => assert!(published.insert(id.to_string())),
                _ => returned += 1,
            }
        }
    }
    let mut arrived = stage.drain(&stage.topology().queue()).await;
    arrived.extend(stage.drain(&other).await);
    let lost: Vec<_> = published.difference(&arrived).collect();
    assert!(lost.is_empty(), "{} marked as sent, but in no queue", lost.len());
    assert!(returned > 0 && !published.is_empty(), "{returned} returned, {} published", published.len());
    stage.channel.queue_delete(other.into(), QueueDeleteOptions::default()).await.unwrap();
    stage.strike().await;
}

#[tokio::test]
async fn a_queue_that_somebody_else_declared_otherwise_is_waited_out() {
    let mut stage = Stage::new().await;
    let dead = stage.topology().dead();
    let (declare, none) = (QueueDeclareOptions::default(), FieldTable::default());
    stage.channel.queue_declare(dead.as_str().into(), declare, none).await.unwrap();
    let bus = stage.disconnected_bus();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert!(!bus.is_connected());
    stage.channel.queue_delete(dead.into(), QueueDeleteOptions::default()).await.unwrap();
    eventually(|| bus.is_connected(), "the bus's connection").await;
    stage.strike().await;
}

async fn unbind_mailer(stage: &Stage) {
    let (queue, exchange) = (stage.topology().queue().into(), stage.topology().exchange().into());
    stage.channel.queue_unbind(queue, exchange, "#".into(), FieldTable::default()).await.unwrap();
}
