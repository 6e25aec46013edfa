//! Consuming: the ways of a message after it arrives in the mailer's queue.

use std::{
    collections::HashSet,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration as StdDuration,
};

use async_trait::async_trait;
use lapin::{BasicProperties, options::QueueDeleteOptions};
use rekey_core::events::bus::{Capacity, Delivery, Handler, RejectCause, Verdict};
use rekey_testkit::conformance::bus::{Scripted, eventually};
use time::Duration;
use tokio::{
    sync::{Semaphore, watch},
    time::sleep,
};

use crate::stage::{Stage, event, eventually_async, header, relay};

#[tokio::test]
async fn a_retry_waits_in_the_shortest_queue_that_is_long_enough() {
    let mut stage = Stage::new().await;
    let handler =
        Scripted::new(|_| Verdict::Retry { after: Duration::seconds(20), reason: "greylisted".to_owned() });
    stage.consumer(handler.clone(), 1).await;
    let bus = stage.bus().await;
    let event = event(b"wait");
    relay(&bus, &event).await;
    let waiting = stage.next(&format!("{}.mailer.retry.1m", stage.topology().namespace())).await;
    assert_eq!(waiting.data, b"wait");
    assert_eq!(header(&waiting, "x-rekey-attempt"), "2");
    assert_eq!(header(&waiting, "x-rekey-reason"), "greylisted");
    assert_eq!(header(&waiting, "x-rekey-routing-key"), "customer_password_resets.create");
    assert_eq!(waiting.properties.message_id().as_ref().unwrap().as_str(), event.id.as_str());
    assert_eq!(*waiting.properties.delivery_mode(), Some(2));
    stage.strike().await;
}

#[tokio::test]
async fn poison_is_parked_with_where_it_came_from_however_long_the_reason() {
    let mut stage = Stage::new().await;
    let handler = Scripted::new(|delivery| match delivery.attempt {
        1 => Verdict::Retry { after: Duration::ZERO, reason: "once more".to_owned() },
        _ => Verdict::Reject { cause: RejectCause::Failed, reason: "é".repeat(300_000) },
    });
    stage.consumer(handler, 1).await;
    let bus = stage.bus().await;
    relay(&bus, &event(b"poison")).await;
    let dead = stage.next(&stage.topology().dead()).await;
    assert_eq!(dead.data, b"poison");
    assert_eq!(header(&dead, "x-rekey-attempt"), "2");
    assert_eq!(header(&dead, "x-rekey-routing-key"), "customer_password_resets.create");
    assert_eq!(header(&dead, "x-rekey-reason"), "é".repeat(500));
    stage.strike().await;
}

#[tokio::test]
async fn poison_of_5_mb_is_parked_unseen_and_the_others_flow() {
    let mut stage = Stage::new().await;
    let handler = Scripted::new(|_| Verdict::Done);
    stage.consumer(handler.clone(), 1).await;
    stage.put(&vec![0; 5 << 20], BasicProperties::default()).await;
    stage.put(b"good", BasicProperties::default()).await;
    let seen = handler.wait_for(1).await;
    assert_eq!(seen[0].payload, b"good");
    let dead = stage.next(&stage.topology().dead()).await;
    assert_eq!(dead.data.len(), 5 << 20);
    assert!(header(&dead, "x-rekey-reason").starts_with("larger than"));
    stage.strike().await;
}

#[tokio::test]
async fn a_message_that_can_not_be_put_aside_is_kept() {
    let mut stage = Stage::new().await;
    let again = Duration::seconds(20);
    let handler = Scripted::new(move |_| Verdict::Retry { after: again, reason: "later".to_owned() });
    stage.consumer(handler.clone(), 1).await;
    let (retry_queue, now) = (stage.topology().retry(again), QueueDeleteOptions::default());
    stage.channel.queue_delete(retry_queue.as_str().into(), now).await.unwrap();
    stage.put(b"keep me", BasicProperties::default()).await;
    // It is given back and delivered again, and the queue is repaired by then.
    handler.wait_for(2).await;
    assert_eq!(stage.next(&retry_queue).await.data, b"keep me");
    assert!(handler.seen().iter().all(|delivery| delivery.attempt == 1), "{:?}", handler.seen());
    stage.strike().await;
}

#[tokio::test]
async fn crash_of_a_mailer_before_its_ack_brings_the_message_to_another() {
    let mut stage = Stage::new().await;
    let stuck = Arc::new(Gated::new(0));
    stage.consumer(stuck.clone(), 1).await;
    stage.put(b"survivor", BasicProperties::default()).await;
    eventually(|| stuck.started.load(Ordering::SeqCst) == 1, "the first mailer at work").await;
    stage.crash_last().await;
    let handler = Scripted::new(|_| Verdict::Done);
    stage.consumer(handler.clone(), 1).await;
    assert_eq!(handler.wait_for(1).await[0].payload, b"survivor");
    stage.strike().await;
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_work_and_leaves_the_rest() {
    let mut stage = Stage::new().await;
    let handler = Arc::new(Gated::new(0));
    stage.consumer(handler.clone(), 2).await;
    for _ in 0..5 {
        stage.put(b"work", BasicProperties::default()).await;
    }
    eventually(|| handler.started.load(Ordering::SeqCst) == 2, "two at work").await;
    let opener = handler.clone();
    let opening = tokio::spawn(async move {
        sleep(StdDuration::from_millis(300)).await;
        opener.gate.add_permits(100);
    });
    stage.stop_last().await;
    assert!(opening.is_finished(), "stopped without waiting for what is in work");
    assert_eq!(handler.ended.load(Ordering::SeqCst), 2);
    assert_eq!(stage.count(&stage.topology().queue()).await, 3);
    stage.strike().await;
}

/// B5: the broker is idle while nothing can be handled.
#[tokio::test]
async fn while_the_handler_can_take_nothing_the_messages_stay_in_their_queue() {
    const WAITING: u32 = 1_000;
    let mut stage = Stage::new().await;
    let (verdict, work) = watch::channel(Verdict::Done);
    let handler = Scripted::new(move |_| work.borrow().clone());
    let queue = stage.topology().queue();
    let consumer = stage.consumer(handler.clone(), 8).await;
    stage.put(b"first", BasicProperties::default()).await;
    handler.wait_for(1).await;

    handler.set_capacity(Capacity::None);
    eventually_async(async || stage.consumers(&queue).await == 0, "the consumer's end").await;
    for _ in 0..WAITING {
        stage.put(b"waits", BasicProperties::default()).await;
    }
    sleep(StdDuration::from_secs(2)).await;
    assert_eq!((handler.seen().len(), stage.count(&queue).await), (1, WAITING));
    assert!(consumer.is_connected(), "the broker has done nothing wrong");

    // One message at a time, until one shows that all can be handled.
    verdict.send_replace(Verdict::Retry { after: Duration::ZERO, reason: "not yet".to_owned() });
    handler.set_capacity(Capacity::One);
    handler.wait_for(3).await;
    handler.set_capacity(Capacity::None);
    eventually_async(async || stage.consumers(&queue).await == 0, "the consumer's end").await;
    verdict.send_replace(Verdict::Done);
    handler.set_capacity(Capacity::Full);
    handler.wait_for(usize::try_from(WAITING).unwrap() + 3).await;
    let delivered: HashSet<_> = handler.seen().iter().map(|delivery| delivery.attempt).collect();
    assert_eq!(delivered, HashSet::from([1, 2]), "those of the one-at-a-time phase came once more");
    stage.strike().await;
}

/// B5: what was on its way is left to the handler, which puts it aside once; giving it back would count towards the delivery limit.
#[tokio::test]
async fn no_more_than_were_on_their_way_come_when_a_handler_can_take_no_further_message() {
    let mut stage = Stage::new().await;
    let itself = Arc::new(OnceLock::<Arc<Scripted>>::new());
    let pausing = Arc::clone(&itself);
    let handler = Scripted::new(move |_| {
        pausing.get().unwrap().set_capacity(Capacity::None);
        Verdict::Done
    });
    itself.set(handler.clone()).unwrap_or_default();
    handler.set_capacity(Capacity::None);
    stage.consumer(handler.clone(), 8).await;
    for _ in 0..40 {
        stage.put(b"work", BasicProperties::default()).await;
    }
    handler.set_capacity(Capacity::Full);
    handler.wait_for(1).await;
    let queue = stage.topology().queue();
    eventually_async(async || stage.consumers(&queue).await == 0, "the last acknowledgement").await;
    let count = handler.seen().len();
    assert!((1..=16).contains(&count), "{count}");
    assert_eq!(usize::try_from(stage.count(&queue).await).unwrap() + count, 40, "none is given back");
    stage.strike().await;
}

/// A handler that waits until the gate is opened.
struct Gated {
    started: AtomicUsize,
    ended: AtomicUsize,
    gate: Semaphore,
}

impl Gated {
    fn new(permits: usize) -> Self {
        Self { started: AtomicUsize::new(0), ended: AtomicUsize::new(0), gate: Semaphore::new(permits) }
    }
}

#[async_trait]
impl Handler for Gated {
    async fn handle(&self, _: Delivery) -> Verdict {
        self.started.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        self.ended.fetch_add(1, Ordering::SeqCst);
        Verdict::Done
    }
}
