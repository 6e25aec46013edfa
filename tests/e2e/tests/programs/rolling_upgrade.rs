//! The next upgrade, under load: a newer version changes the schema in ways that no migration did yet, while the programs of this one work
//! and restart. `tests/e2e/tests/previous_version.rs` has the upgrade to this version.

use rekey_e2e::{load::Load, shop::Shop, stack::Stack};
use rekey_testkit::backdoor::PostgresBackdoor;

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
    let load = Load::new(&stack.api, &shop.register_anna().await);
    let upgrade = async {
        load.some_more().await;
        let owner = PostgresBackdoor::open(&stack.database.url());
        for statement in NEWER_VERSION {
            owner.run(statement).await.unwrap();
            load.some_more().await;
        }
        // This version restarts on the newer schema, and an operator runs its `rekey migrate`.
        stack.migrate().await;
        let (second_api, address) = stack.start_another("rekey-api").await;
        load.switch(address).await;
        api.stop().await;
        let (second_mailer, _) = stack.start_another("rekey-mailer").await;
        mailer.stop().await;
        load.some_more().await;
        load.end();
        (second_api, second_mailer)
    };
    let ((), _programs) = tokio::join!(load.run(), upgrade);
    let accepted = load.all_mailed(stack).await;
    assert_eq!(*load.refused(), [""; 0]);
    println!("{accepted} resets accepted and mailed, none refused");
}
