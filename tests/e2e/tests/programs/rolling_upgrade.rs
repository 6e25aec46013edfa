//! An upgrade under load: a newer version migrates the database, while the programs of this one work, restart and are replaced.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use rekey_e2e::{
    client::Api,
    process::free_ports,
    shop::{ANNA, Shop},
    stack::Stack,
    wait::eventually,
};
use rekey_testkit::backdoor::PostgresBackdoor;
use reqwest::StatusCode;
use tokio::time::sleep;

/// As a newer version would: it only adds.
const NEWER_VERSION: [&str; 5] = [
    "ALTER TABLE password_resets ADD COLUMN newer text",
    "ALTER TABLE deliveries ADD COLUMN newer bigint NOT NULL DEFAULT 0",
    "CREATE TABLE newer (id text PRIMARY KEY)",
    "CREATE INDEX CONCURRENTLY newer_index ON events (created_at, id)",
    "INSERT INTO _sqlx_migrations VALUES (9999, 'newer', now(), true, '', 0)",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_and_no_mail_is_lost_while_a_newer_version_migrates() {
    let shop = Shop::open(Stack::prepare().await).await;
    let stack = &shop.stack;
    let (api, mailer) = (stack.start_api().await, stack.start_mailer().await);
    let token = shop.register_anna().await;
    // As the proxy in front of the API sees it: the process that is ready.
    let target = Mutex::new(stack.api.clone());
    let (accepted, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let load = async {
        while !is_over.load(Ordering::Relaxed) {
            let api = target.lock().unwrap().clone();
            api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
            accepted.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(20)).await;
        }
    };
    let some_more = async || {
        let before = accepted.load(Ordering::Relaxed);
        eventually("20 more resets", async || match accepted.load(Ordering::Relaxed) {
            now if now >= before + 20 => Ok(()),
            now => Err(now),
        })
        .await;
    };
    let upgrade = async {
        some_more().await;
        let owner = PostgresBackdoor::open(&stack.database.url());
        for statement in NEWER_VERSION {
            owner.run(statement).await.unwrap();
            some_more().await;
        }
        // This version restarts on the newer schema, and an operator runs its `rekey migrate`.
        let migrated = stack.tool(&["migrate"]).await;
        assert_eq!(migrated.code, Some(0), "{migrated:?}");
        let [port, admin_port] = free_ports();
        let own = [
            ("server.listen", format!("127.0.0.1:{port}")),
            ("admin.listen", format!("127.0.0.1:{admin_port}")),
            ("database.url", stack.database.url_as("rekey_api")),
        ];
        let second_api = stack.spawn_with("rekey-api", &own);
        let second = Api::new(&format!("http://127.0.0.1:{port}"));
        second.ready().await;
        *target.lock().unwrap() = second;
        some_more().await;
        let ended = api.terminate().await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let ended = mailer.terminate().await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let second_mailer = stack.start_mailer().await;
        some_more().await;
        is_over.store(true, Ordering::Relaxed);
        (second_api, second_mailer)
    };
    let ((), _programs) = tokio::join!(load, upgrade);

    let accepted = accepted.into_inner();
    let all = async || match stack.texts("SELECT event_id FROM deliveries WHERE status = 'sent'").await.len()
    {
        sent if sent == accepted => Ok(()),
        sent => Err((sent, accepted)),
    };
    eventually("the mail of each accepted reset", all).await;
    assert!(stack.smtp.taken() >= accepted);
    println!("{accepted} resets accepted and mailed, none failed");
}
