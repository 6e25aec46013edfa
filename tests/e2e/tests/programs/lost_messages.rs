//! Finding B7: an accepted reset is mailed, whatever made its message vanish from the broker.

use rekey_e2e::{
    broker::{move_all, purge},
    shop::{ANNA, Shop},
    stack::{Stack, amqp_url},
    wait::eventually,
};
use reqwest::StatusCode;

#[tokio::test]
async fn b7_accepted_means_mailed_when_the_queue_is_purged() {
    mailed_despite(async |_, queue| {
        assert_eq!(purge(&amqp_url(), queue).await, 2, "the customer's and the reset's");
    })
    .await;
}

/// As when mailers crash until the broker's delivery limit is used up.
#[tokio::test]
async fn b7_accepted_means_mailed_when_the_message_is_among_the_dead_letters() {
    mailed_despite(async |stack, queue| move_all(&amqp_url(), queue, &stack.topology().dead()).await).await;
}

async fn mailed_despite(loss: impl AsyncFnOnce(&Stack, &str)) {
    let shop = Shop::open(Stack::prepare().await).await;
    let stack = &shop.stack;
    let _api = stack.start_api().await;
    let token = shop.register_anna().await;
    stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    eventually("the events in the queue", async || {
        let waiting = stack.texts("SELECT id FROM events WHERE published_at IS NULL").await;
        if waiting.is_empty() { Ok(()) } else { Err(waiting) }
    })
    .await;
    loss(stack, &stack.topology().queue()).await;

    // An hour later, without the hour.
    for (table, column) in [("deliveries", "created_at"), ("events", "published_at")] {
        let aged = format!("UPDATE {table} SET {column} = {column} - interval '1 hour' RETURNING 'aged'");
        assert!(!stack.texts(&aged).await.is_empty());
    }
    let _mailer = stack.start_mailer().await;
    eventually("the mail", async || if stack.smtp.mails().is_empty() { Err(0) } else { Ok(()) }).await;
    let state =
        "SELECT d.status || ' ' || (e.payload IS NULL) FROM deliveries d JOIN events e ON e.id = d.event_id";
    eventually("the settlement", async || {
        let states = stack.texts(state).await;
        if states == ["sent true"] { Ok(()) } else { Err(states) }
    })
    .await;
    assert_eq!(stack.smtp.mails().len(), 1);
}
