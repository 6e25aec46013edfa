//! The bus without a broker.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use rekey_broker::local::LocalBus;
use rekey_core::events::{
    EventName,
    bus::{Bus, Capacity, DeadLetter, Delivery, Handler, Verdict},
    outbox::ClaimedMessage,
};
use rekey_testkit::{
    bus_conformance,
    conformance::bus::{BusUnderTest, Scripted, eventually, message},
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

struct Local(LocalBus);

#[async_trait]
impl BusUnderTest for Local {
    async fn start(handler: Arc<dyn Handler>, concurrency: u16) -> Self {
        Self(LocalBus::new(handler, concurrency.into()))
    }

    fn bus(&self) -> &dyn Bus {
        &self.0
    }

    async fn parked(&self) -> Vec<DeadLetter> {
        Vec::new()
    }

    async fn stop(self) {}
}

bus_conformance!(Local);

/// A handler that finishes when the test allows it.
#[derive(Default)]
struct Gated {
    started: Notify,
    gate: Notify,
    ended: AtomicBool,
}

#[async_trait]
impl Handler for Gated {
    async fn handle(&self, _: Delivery) -> Verdict {
        self.started.notify_one();
        self.gate.notified().await;
        self.ended.store(true, Ordering::SeqCst);
        Verdict::Done
    }
}

#[tokio::test]
async fn a_caller_that_loses_interest_does_not_cut_a_mail_in_half() {
    let handler = Arc::new(Gated::default());
    let bus = LocalBus::new(handler.clone(), 1);
    let claimed = ClaimedMessage { message: message(EventName::ResetCreate, b"mail"), attempt: 1 };
    tokio::select! {
        settlement = bus.publish(claimed.clone()) => panic!("settled before it was handled: {settlement:?}"),
        () = handler.started.notified() => {}
    }
    // The handler keeps its permit while it works, although its caller is gone.
    assert!(timeout(Duration::from_millis(50), bus.publish(claimed)).await.is_err());
    assert!(!handler.ended.load(Ordering::SeqCst));
    handler.gate.notify_one();
    eventually(|| handler.ended.load(Ordering::SeqCst), "the end of the work").await;
    sleep(Duration::ZERO).await;
}

/// B5: the relay claims nothing from the outbox meanwhile.
#[tokio::test]
async fn a_bus_is_not_connected_while_its_handler_can_take_nothing() {
    let handler = Scripted::new(|_| Verdict::Done);
    let bus = LocalBus::new(handler.clone(), 1);
    for (capacity, is_connected) in [(Capacity::Full, true), (Capacity::None, false), (Capacity::One, true)] {
        handler.set_capacity(capacity);
        assert_eq!(bus.is_connected(), is_connected, "{capacity:?}");
    }
}
