//! The upgrade from an older version's real programs to this version's, under load. `scripts/upgrade-check.sh` builds the older ones, and
//! starts this.
#![cfg(test)]

use std::path::PathBuf;

use rekey_e2e::{
    client::Api,
    load::Load,
    process::{Program, programs},
    shop::{ANNA, OLD_PASSWORD, Shop},
    stack::Stack,
    wait::eventually,
};
use reqwest::StatusCode;

const NEW_PASSWORD: &str = "the second of all passwords";

#[derive(Debug, Clone, Copy)]
enum Version {
    Old,
    New,
}

/// The versions of the API and of the mailer that are started after the migration, one after the other.
const STEPS: [[Version; 2]; 4] = [
    // As after a crash.
    [Version::Old, Version::Old],
    // The newer API's events go to the older mailer.
    [Version::New, Version::Old],
    // The API is rolled back, and its events go to the newer mailer.
    [Version::Old, Version::New],
    [Version::New, Version::New],
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_and_no_mail_is_lost_while_older_programs_are_replaced() {
    let mut shop = Shop::open(Stack::prepare_from(Version::Old.programs()).await).await;
    let mut running = [shop.stack.start_api().await, shop.stack.start_mailer().await];
    let token = shop.register_anna().await;
    let load = Load::new(&shop.stack.api, &token);
    let upgrade = async {
        load.some_more_mailed(&shop.stack).await;
        let before = newest_migration(&shop.stack).await;
        shop.stack.programs = Version::New.programs();
        shop.stack.migrate().await;
        load.some_more_mailed(&shop.stack).await;
        println!("migrated from {before} to {}", newest_migration(&shop.stack).await);
        use_older_tool(&mut shop.stack).await;
        for (n, step) in (1..).zip(STEPS) {
            let api;
            (running, api) = replace(&mut shop.stack, &load, running, step).await;
            load.some_more_mailed(&shop.stack).await;
            change_password(&shop, &api, &token, n).await;
            println!("API and mailer {step:?}: {} resets accepted so far", load.accepted().len());
        }
        load.end();
        running
    };
    let ((), running) = tokio::join!(load.run(), upgrade);

    let accepted = load.all_mailed(&shop.stack).await;
    assert_eq!(*load.refused(), [""; 0]);
    for program in running {
        program.stop().await;
    }
    assert_eq!(shop.stack.smtp.mails_to(ANNA).len(), accepted, "a mail for each");
    println!("{accepted} resets accepted and mailed, none refused");
}

impl Version {
    #[expect(clippy::disallowed_methods, reason = "the script passes the folder by the environment")]
    fn programs(self) -> PathBuf {
        match self {
            Self::Old => std::env::var("REKEY_PREVIOUS_PROGRAMS").unwrap().into(),
            Self::New => programs(),
        }
    }
}

/// Replaces the API, then the mailer, as an orchestrator does: the new process is ready before the former one is stopped.
async fn replace(
    stack: &mut Stack,
    load: &Load,
    [api, mailer]: [Program; 2],
    [api_version, mailer_version]: [Version; 2],
) -> ([Program; 2], Api) {
    stack.programs = api_version.programs();
    let (next_api, address) = stack.start_another("rekey-api").await;
    load.switch(address.clone()).await;
    api.stop().await;
    stack.programs = mailer_version.programs();
    let (next_mailer, _) = stack.start_another("rekey-mailer").await;
    mailer.stop().await;
    ([next_api, next_mailer], address)
}

/// The older `rekey` leaves the newer schema as it is, and deletes old records in it.
async fn use_older_tool(stack: &mut Stack) {
    stack.programs = Version::Old.programs();
    stack.migrate().await;
    let purged = stack.spawn_tool("rekey_maintenance", &["purge"]).end().await;
    assert_eq!(purged.code, Some(0), "{purged:?}");
}

/// The `n`th customer sets a new password, logs in with it, and gets the notice.
async fn change_password(shop: &Shop, api: &Api, token: &str, n: usize) {
    let email = format!("customer-{n}@example.com");
    api.create_customer(token, &email, OLD_PASSWORD).await;
    let reset = api.create_reset(token, &email).await.expect(StatusCode::CREATED);
    let (id, reset_token) = (reset.text("/data/id"), reset.text("/data/attributes/reset_password_token"));
    api.complete(token, &id, &reset_token, NEW_PASSWORD).await.expect(StatusCode::OK);
    api.log_in(&shop.storefront.client_id, &email, NEW_PASSWORD).await.expect(StatusCode::OK);
    let notices = "SELECT event_id FROM deliveries WHERE mail = 'password_changed' AND status = 'sent'";
    eventually("the notice of the new password", async || match shop.stack.texts(notices).await.len() {
        sent if sent == n => Ok(()),
        sent => Err((sent, n)),
    })
    .await;
}

async fn newest_migration(stack: &Stack) -> String {
    stack.texts("SELECT max(version)::text FROM _sqlx_migrations").await.remove(0)
}
