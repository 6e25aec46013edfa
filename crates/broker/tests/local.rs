//! The bus without a broker.

use std::{
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use rekey_broker::local::{Both, LocalBus};
use rekey_core::events::{
    EventName,
    bus::{Bus, Capacity, DeadLetter, Delivery, Handler, RejectCause, Verdict},
    outbox::{ClaimedMessage, Settlement},
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

/// A handler that counts the rejections that it records.
struct Rejecting {
    script: Arc<Scripted>,
    rejections: AtomicUsize,
}

#[async_trait]
impl Handler for Rejecting {
    async fn handle(&self, delivery: Delivery) -> Verdict {
        self.script.handle(delivery).await
    }

    async fn reject(&self, _: &Delivery, cause: RejectCause, reason: String) -> Verdict {
        self.rejections.fetch_add(1, Ordering::SeqCst);
        Verdict::Reject { cause, reason }
    }
}

/// The mail's verdict is the message's, so the fan-out must be done by then.
#[tokio::test]
async fn a_mail_follows_its_fan_out_and_neither_is_rejected_for_the_other() {
    fn scripted(verdict: &'static str) -> Arc<Rejecting> {
        let script = Scripted::new(move |_| match verdict {
            "done" => Verdict::Done,
            "reject" => Verdict::Reject { cause: RejectCause::Failed, reason: "rejected".to_owned() },
            // Without the panic hook, since an intended panic should not look like a bug.
            "panic" => resume_unwind(Box::new("bomb")),
            seconds => {
                let after = time::Duration::seconds(seconds.parse().unwrap());
                Verdict::Retry { after, reason: "later".to_owned() }
            }
        });
        Arc::new(Rejecting { script, rejections: AtomicUsize::new(0) })
    }
    for (fan_out, mails, expected, mail_calls) in [
        ("done", "done", "published", 1),
        ("done", "10", "later 10", 1),
        ("done", "reject", "dead rejected", 1),
        ("done", "panic", "dead panicked", 1),
        ("60", "done", "later 60", 0),
        ("reject", "done", "dead rejected", 1),
        ("reject", "10", "later 10", 1),
        ("panic", "done", "dead panicked", 1),
    ] {
        let case = format!("{fan_out}, {mails}");
        let (fan_out, mails) = (scripted(fan_out), scripted(mails));
        let bus = LocalBus::new(Arc::new(Both { fan_out: fan_out.clone(), mails: mails.clone() }), 1);
        let claimed = ClaimedMessage { message: message(EventName::ResetCreate, b"event"), attempt: 1 };
        let settled = match bus.publish(claimed).await {
            Settlement::Published(_) => "published".to_owned(),
            Settlement::Later(_, wait) => format!("later {}", wait.whole_seconds()),
            Settlement::Dead(_, reason) => format!("dead {reason}"),
        };
        assert_eq!(settled, expected, "{case}");
        assert_eq!((fan_out.script.seen().len(), mails.script.seen().len()), (1, mail_calls), "{case}");
        // Each by the handler itself.
        let is_rejected = |handler: &Rejecting| handler.rejections.load(Ordering::SeqCst) == 1;
        let verdicts = case.split(", ").map(|verdict| ["reject", "panic"].contains(&verdict));
        assert!(verdicts.eq([is_rejected(&fan_out), is_rejected(&mails)]), "{case}");
    }
}

#[tokio::test]
async fn a_bus_of_mails_and_webhooks_is_connected_while_mails_can_be_sent() {
    let [fan_out, mails] = [(); 2].map(|()| Scripted::new(|_| Verdict::Done));
    let bus = LocalBus::new(Arc::new(Both { fan_out: fan_out.clone(), mails: mails.clone() }), 1);
    fan_out.set_capacity(Capacity::None);
    assert!(bus.is_connected());
    mails.set_capacity(Capacity::None);
    assert!(!bus.is_connected());
}
