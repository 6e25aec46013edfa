//! late: a mail that is not wanted any more is not sent, and that is recorded.

use rekey_core::{
    attributes::CommonAttributes,
    events::{EventBody, EventName, audit::Action, bus::Verdict},
    resets::ResetOrigin,
    resets::store::Completion,
    resets::store::{ResetStore, TokenStore},
    secrets::AddressDigest,
};
use rekey_testkit::{backdoor::Backdoor, seed};
use time::Duration;

use crate::world::{World, handle};

async fn expect_discarded(world: &World, recorded: &str) {
    let events = world.events().await;
    assert_eq!(handle(&world.mailer(1), &events[0]).await, Verdict::Done);
    assert_eq!(world.delivery().await.unwrap(), recorded);
    assert_eq!(world.mails().len(), 0);
}

/// Requests a reset and uses it.
async fn use_reset(world: &World) {
    seed::customer(&world.store, world.test, "john@example.com", None).await;
    let reset = seed::reset(&world.store, world.test, "john@example.com", ResetOrigin::Integration).await;
    let token = reset.token.digest();
    let holder = world.store.find_token_holder(reset.id, &token).await.unwrap().unwrap();
    let event = seed::event(
        world.test,
        EventBody::ResetUsed { reset: reset.id, customer: holder.customer, address: None },
    );
    let completion = Completion {
        address_digest: AddressDigest::new(holder.scope, &holder.email, &seed::keys()),
        holder: &holder,
        token: &token,
        password: &seed::hash("new"),
        changes: &CommonAttributes::default(),
        event: &event,
        audit: &seed::audit(Action::Update),
    };
    assert!(world.store.complete_reset(&completion).await.unwrap());
}

#[tokio::test]
async fn late_a_used_reset_is_not_mailed() {
    let world = World::new().await;
    use_reset(&world).await;
    expect_discarded(&world, "expired: reset used").await;
}

#[tokio::test]
async fn late_a_deleted_reset_is_not_mailed() {
    let world = World::new().await;
    seed::customer(&world.store, world.test, "john@example.com", None).await;
    let reset = seed::reset(&world.store, world.test, "john@example.com", ResetOrigin::Integration).await;
    let event = seed::event(world.test, EventBody::ResetDestroyed { reset: reset.id });
    assert!(
        world.store.delete_reset(world.test, reset.id, &event, &seed::audit(Action::Destroy)).await.unwrap()
    );
    expect_discarded(&world, "expired: reset deleted").await;
}

#[tokio::test]
async fn late_an_expired_reset_is_not_mailed() {
    let world = World::new().await;
    seed::customer(&world.store, world.test, "john@example.com", None).await;
    seed::reset(&world.store, world.test, "john@example.com", ResetOrigin::Integration).await;
    world.clock.advance(seed::TOKEN_TTL + Duration::SECOND);
    expect_discarded(&world, "expired: reset expired").await;
}

#[tokio::test]
async fn late_a_superseded_reset_is_not_mailed() {
    let world = World::new().await;
    seed::customer(&world.store, world.test, "john@example.com", None).await;
    for _ in 0..2 {
        seed::reset(&world.store, world.test, "john@example.com", ResetOrigin::SelfService).await;
    }
    expect_discarded(&world, "expired: reset superseded").await;
}

#[tokio::test]
async fn a_decoy_is_not_mailed() {
    let world = World::new().await;
    seed::reset(&world.store, world.test, "nobody@example.com", ResetOrigin::SelfService).await;
    expect_discarded(&world, "discarded: decoy").await;
}

#[tokio::test]
async fn late_word_of_a_changed_password_is_no_news_after_a_day() {
    let world = World::new().await;
    use_reset(&world).await;
    let events = world.events().await;
    world.clock.advance(Duration::DAY + Duration::SECOND);
    let used = events.iter().find(|event| event.name == EventName::ResetPassword).unwrap();
    assert_eq!(handle(&world.mailer(1), used).await, Verdict::Done);
    assert_eq!(
        world
            .backdoor()
            .text("SELECT status || ': ' || detail FROM deliveries WHERE mail = 'password_changed'")
            .await
            .unwrap(),
        "expired: too late: older than 24 hours"
    );
    assert_eq!(world.mails().len(), 0);
}
