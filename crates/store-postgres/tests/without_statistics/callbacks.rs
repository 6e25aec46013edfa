//! The claims of what webhooks are sent, when a receiver is far behind.

use std::time::Duration;

use rekey_core::{
    events::{EventName, audit::Action},
    ids::WebhookId,
    scope::Scope,
    webhooks::{
        queue::{AttemptResult, CallbackQueue, ClaimLimits, Next},
        replay::{CallbackReplay, CallbackState, Replay, Since},
        store::WebhookStore,
    },
};
use rekey_store_postgres::{CallbackFilter, PostgresStore};
use rekey_testkit::{backdoor::PostgresBackdoor, postgres::TestDatabase, seed};

use crate::{ROUNDS, close, tables_read};

/// How many callbacks are due.
const DUE: usize = 20_000;
/// The rows that a claim of eight may read: they, those under way before them, and earlier ones about their records, each twice.
const ROWS: u64 = 200;

/// A shop with a webhook, in tables without statistics.
struct Shop {
    database: TestDatabase,
    store: PostgresStore,
    backdoor: PostgresBackdoor,
    scope: Scope,
    webhook: WebhookId,
}

async fn shop() -> Shop {
    let database = TestDatabase::create().await;
    let store = PostgresStore::connect(&database.url(), 1, Duration::from_secs(30)).unwrap();
    store.migrate().await.unwrap();
    let backdoor = PostgresBackdoor::open(&database.url());
    for table in ["webhooks", "event_callbacks"] {
        backdoor.run(&format!("ALTER TABLE {table} SET (autovacuum_enabled = off)")).await.unwrap();
    }
    let scope = seed::scope(&store, "shop").await;
    let webhook = seed::new_webhook(scope, EventName::CustomerCreate);
    store.create_webhook(scope, &webhook, &seed::audit(Action::Create)).await.unwrap();
    Shop { database, store, backdoor, scope, webhook: webhook.id }
}

#[tokio::test]
async fn claims_do_not_read_all_that_is_due() {
    let Shop { database: _database, store, backdoor, scope, webhook } = shop().await;
    let fill = format!(
        "INSERT INTO event_callbacks (id, organization_id, mode, webhook_id, event_id, trigger_id, topic, resource_id, callback_url,
             sealed_payload)
         SELECT id, '{}', 'test', '{}', id, '', 'customers.create', id, '', '' FROM (
             SELECT reverse(lpad(n::text, 10, '0')) AS id FROM generate_series(1, {DUE}) n
         ) one",
        scope.organization, webhook
    );
    backdoor.run(&fill).await.unwrap();
    backdoor.run("SELECT pg_stat_reset()").await.unwrap();
    let limits = ClaimLimits { total: 8, per_webhook: 100, per_organization: 100 };
    for _ in 0..ROUNDS {
        let claimed = store.claim_callbacks(time::Duration::MINUTE, limits).await.unwrap();
        assert_eq!(claimed.len(), 8);
        let result = AttemptResult {
            response_code: Some(200),
            response_message: String::new(),
            next: Next::Delivered,
        };
        let callback = &claimed[0];
        assert!(store.settle_callback(callback.id, callback.attempt, &result).await.unwrap().was_recorded);
    }
    close(store, &backdoor).await;
    let most = u64::try_from(ROUNDS).unwrap() * ROWS;
    assert_eq!(tables_read(&backdoor, most, "t.relname = 'event_callbacks'").await, None);
}

/// Most were delivered, a few failed long ago, and a few wait: neither a page nor a replay reads them all.
#[tokio::test]
async fn operators_pages_and_replays_do_not_read_all_callbacks() {
    let Shop { database: _database, store, backdoor, scope, webhook } = shop().await;
    let fill = format!(
        "INSERT INTO event_callbacks (id, organization_id, mode, webhook_id, event_id, trigger_id, topic, resource_id, callback_url,
             sealed_payload, due_at, response_code, created_at)
         SELECT id, '{}', 'test', '{}', id, '', 'customers.create', id, '', '', CASE WHEN n <= 10 THEN now() + interval '1 day' END,
             CASE WHEN n <= 20 THEN '500' ELSE '200' END, now() - interval '1 day' + n * interval '1 second'
         FROM (SELECT n, reverse(lpad(n::text, 10, '0')) AS id FROM generate_series(1, {DUE}) n) one",
        scope.organization, webhook
    );
    backdoor.run(&fill).await.unwrap();
    backdoor.run("SELECT pg_stat_reset()").await.unwrap();
    for _ in 0..ROUNDS {
        for (webhook, state, expected) in [
            (None, None, 50),
            (Some(webhook), None, 50),
            (Some(webhook), Some(CallbackState::Failed), 10),
            (None, Some(CallbackState::Failed), 10),
            (Some(webhook), Some(CallbackState::Waiting), 10),
        ] {
            let filter = CallbackFilter { webhook, state, since: Since::default() };
            let listed = store.logged_callbacks(scope, &filter, 50).await.unwrap();
            assert_eq!(listed.len(), expected, "{filter:?}");
        }
        for (webhook, with_delivered, is_dry_run, expected) in [
            (None, false, true, 10),
            (Some(webhook), true, true, 50),
            (Some(webhook), false, true, 10),
            (Some(webhook), false, false, 10),
        ] {
            let replay = Replay { webhook, since: Since::default(), with_delivered, max: 50, is_dry_run };
            let audit = seed::audit(Action::Replay);
            let replayed = store.replay_callbacks(scope, &replay, &audit).await.unwrap();
            assert_eq!(replayed.count, expected, "{replay:?}");
        }
        let ended = "UPDATE event_callbacks SET due_at = NULL WHERE due_at <= now()";
        backdoor.run(ended).await.unwrap();
    }
    close(store, &backdoor).await;
    let most = u64::try_from(ROUNDS).unwrap() * 2 * ROWS;
    assert_eq!(tables_read(&backdoor, most, "t.relname = 'event_callbacks'").await, None);
}
