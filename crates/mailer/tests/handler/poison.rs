//! poison: an event that can't be trusted or read becomes a dead letter with its reason, and later events are handled.

use prost::Message;
use rekey_core::{
    events::bus::{Delivery, Handler, Verdict},
    resets::ResetOrigin,
};
use rekey_events::v1;
use rekey_testkit::seed;

use crate::world::{World, handle, rejection};

#[tokio::test]
async fn poison_is_parked_and_the_others_flow() {
    let world = World::new().await;
    seed::customer(&world.store, world.test, "john@example.com", None).await;
    seed::reset(&world.store, world.test, "john@example.com", ResetOrigin::Integration).await;
    let (mailer, good) = (world.mailer(1), world.events().await.remove(0));

    let mut edited = good.payload.clone();
    edited[20] ^= 1;
    let stranger = seed::other_keys("test");
    let forged =
        rekey_core::events::Event::verify(&good.payload, &seed::keys()).unwrap().sign(&stranger).payload;
    for (payload, reasons) in [
        (Vec::new(), &["forged event: the tag does not match"][..]),
        (b"not protobuf".to_vec(), &["malformed event"]),
        (vec![0xff; 5 << 20], &["malformed event: 5242880 bytes"]),
        (edited, &["forged event: the tag does not match", "malformed event"]),
        (forged, &["forged event: the tag does not match"]),
    ] {
        let reason = rejection(mailer.handle(Delivery { id: Some(good.id), payload, attempt: 1 }).await);
        assert!(reasons.contains(&reason.as_str()), "{reason}");
    }
    assert_eq!(world.deliveries().await, 0);
    assert_eq!(handle(&mailer, &good).await, Verdict::Done);
    assert_eq!(world.mails().len(), 1);
}

/// During an upgrade: an older mailer leaves it to a newer one, and its mail waits.
#[tokio::test]
async fn an_event_of_a_newer_version_is_left_to_another_mailer() {
    let world = World::new().await;
    seed::customer(&world.store, world.test, "john@example.com", None).await;
    seed::reset(&world.store, world.test, "john@example.com", ResetOrigin::Integration).await;
    let (mailer, good) = (world.mailer(1), world.events().await.remove(0));
    // Of the fields of the event, all but its body.
    let signed = v1::SignedEvent::decode(&*good.payload).unwrap();
    let newer = v1::Event { body: None, ..v1::Event::decode(&*signed.event).unwrap() }.encode_to_vec();
    let (key_id, tag) = seed::keys().sign(&newer);
    let payload = v1::SignedEvent { event: newer, key_id, tag: tag.to_vec() }.encode_to_vec();
    let message = |attempt| Delivery { id: Some(good.id), payload: payload.clone(), attempt };
    for attempt in [1, 27] {
        let verdict = mailer.handle(message(attempt)).await;
        assert!(matches!(verdict, Verdict::Retry { .. }), "{verdict:?}");
    }
    let reason = rejection(mailer.handle(message(28)).await);
    assert_eq!(reason, "an event that this version does not know");
}

#[tokio::test]
async fn poison_of_another_tenant_finds_nothing() {
    let world = World::new().await;
    seed::customer(&world.store, world.test, "john@example.com", None).await;
    let reset = seed::reset(&world.store, world.test, "john@example.com", ResetOrigin::Integration).await;
    let other = seed::scope(&world.store, "other").await;
    for scope in [other, world.live] {
        let (body, _) = seed::new_reset(scope, "john@example.com", ResetOrigin::Integration);
        let token = body.sealed_token;
        let event =
            seed::event(scope, rekey_core::events::EventBody::ResetCreated(seed::created(reset.id, token)));
        assert_eq!(handle(&world.mailer(1), &event.message).await, Verdict::Done);
    }
    assert_eq!(world.mails().len(), 0);
}
