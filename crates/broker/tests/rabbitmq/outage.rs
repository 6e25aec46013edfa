//! Outages: the broker can't be reached, or its connection is lost.

use std::time::Duration;

use futures_util::FutureExt;
use rekey_core::events::{
    bus::{Bus, Verdict},
    outbox::Settlement,
};
use rekey_testkit::{
    conformance::bus::{Scripted, eventually},
    proxy::Proxy,
};
use tokio::time::sleep;

use crate::stage::{Stage, event, publish, relay, url};

#[tokio::test]
async fn broker_down_at_the_start_hinders_nobody_and_is_over_when_it_is_over() {
    let proxy = Proxy::start(&url()).await;
    proxy.down().await;
    let mut stage = Stage::connect(&proxy.url(&url()), &url()).await;
    let bus = stage.disconnected_bus();
    let event = event(b"early");
    for attempt in 1..=20 {
        let settlement = publish(&bus, &event, attempt).now_or_never().expect("nothing is waited for");
        assert!(matches!(settlement, Settlement::Later(..)), "{settlement:?}");
    }
    assert!(!bus.is_connected());
    proxy.up().await;
    relay(&bus, &event).await;
    assert_eq!(stage.next(&stage.topology().queue()).await.data, b"early");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broker_down_again_and_again_loses_nothing_on_either_side() {
    const EVENTS: u32 = 300;
    let proxy = Proxy::start(&url()).await;
    let mut stage = Stage::connect(&proxy.url(&url()), &url()).await;
    let handler = Scripted::new(|_| Verdict::Done);
    let consumer = stage.consumer(handler.clone(), 8).await;
    let bus = stage.bus().await;
    let relaying = tokio::spawn(async move {
        for number in 0..EVENTS {
            relay(&bus, &event(&number.to_be_bytes())).await;
            sleep(Duration::from_millis(2)).await;
        }
        bus
    });
    for _ in 0..3 {
        sleep(Duration::from_millis(300)).await;
        proxy.reset();
    }
    proxy.down().await;
    eventually(|| !consumer.is_connected(), "the outage to be noticed").await;
    proxy.up().await;
    let bus = relaying.await.unwrap();
    let all = || {
        let mut payloads: Vec<_> = handler.seen().into_iter().map(|delivery| delivery.payload).collect();
        payloads.sort();
        payloads.dedup();
        payloads.len() == usize::try_from(EVENTS).unwrap()
    };
    eventually(all, "every event").await;
    assert!(bus.is_connected() && consumer.is_connected());
    stage.strike().await;
}
