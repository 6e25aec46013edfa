//! Finding B2: the programs behind PgBouncer, with its defaults.

use rekey_e2e::{
    shop::{ANNA, Shop},
    stack::Stack,
    wait::eventually,
};
use rekey_testkit::pgbouncer::PgBouncer;
use reqwest::StatusCode;

#[tokio::test]
async fn b2_session_mode_works_from_the_migration_to_the_mail() {
    let mut stack = Stack::prepare().await;
    let pooler = PgBouncer::start(&stack.database.url(), "session");
    stack.set("database.url", &pooler.url(&stack.database.url()));
    stack.migrate().await;
    let shop = Shop::open(stack).await;
    let stack = &shop.stack;
    let (api, mailer) = (stack.start_api().await, stack.start_mailer().await);
    let token = shop.register_anna().await;
    stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    eventually("the mail", async || if stack.smtp.mails().is_empty() { Err(0) } else { Ok(()) }).await;
    for program in [api, mailer] {
        let ended = program.terminate().await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(!ended.stderr.contains("prepared statement"), "{ended:?}");
    }
}

#[tokio::test]
async fn b2_transaction_mode_without_prepared_statements_is_refused_in_one_line() {
    let mut stack = Stack::prepare().await;
    let pooler = PgBouncer::start(&stack.database.url(), "transaction");
    stack.set("database.url", &pooler.url(&stack.database.url()));
    for (program, ended) in [
        ("rekey-api", stack.spawn("rekey-api").end().await),
        ("rekey-mailer", stack.spawn("rekey-mailer").end().await),
        ("rekey", stack.tool(&["migrate"]).await),
    ] {
        assert_eq!(ended.code, Some(1), "{program}: {ended:?}");
        let last = ended.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with(&format!("{program}: ")), "{ended:?}");
        assert!(last.contains("database.url") && last.contains("use its session mode"), "{ended:?}");
        assert!(!ended.stderr.contains("ERROR"), "{ended:?}");
    }
}
