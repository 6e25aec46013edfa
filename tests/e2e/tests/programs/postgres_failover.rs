//! PostgreSQL fails over, as in the overlay `ha`: two servers have each commit, the primary is killed under load, and the standby takes its place.

use std::time::{Duration, Instant};

use rekey_e2e::{
    load::Load,
    postgres::Postgres,
    shop::Shop,
    stack::{Stack, amqp_url},
    wait::{eventually, within},
};
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor},
    postgres::TestDatabase,
    proxy::Proxy,
};
use tokio::time::sleep;

/// How long there is no primary: an orchestrator needs seconds to notice, and to promote another one.
const OUTAGE: Duration = Duration::from_secs(5);

/// How long requests and mails may wait once there is a primary again. A request that the fault has cut off keeps its Idempotency-Key in use for
/// as long, from that request on.
const FAILOVER: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_delays_requests_and_mails_for_seconds_and_loses_none() {
    let primary = Postgres::start();
    let standby = primary.start_standby();
    require_two_servers(&primary).await;
    // Like the service `postgres-rw`, it leads to the primary.
    let service = Proxy::start(primary.url()).await;
    let database = TestDatabase::create_on(service.url(primary.url()).parse().unwrap()).await;
    let mut stack = Stack::prepare_with(database, &amqp_url(), &[]).await;
    // A mail that the fault interrupts is claimed for little longer.
    stack.set("smtp.timeout_seconds", "4");
    let shop = Shop::open(stack).await;
    let stack = &shop.stack;
    let (api, mailer) = (stack.start_api().await, stack.start_mailer().await);
    let load = Load::new(&stack.api, &shop.register_anna().await);
    let failover = async {
        load.some_more_mailed(stack).await;
        assert_eq!(*load.refused(), [""; 0]);
        let killed_at = Instant::now();
        primary.signal("KILL");
        sleep(OUTAGE).await;
        standby.execute("SELECT pg_promote()").await;
        service.redirect(standby.url());
        let (promoted_at, before) = (Instant::now(), load.accepted().len());
        within(FAILOVER, "an accepted reset", async || {
            if load.accepted().len() > before { Ok(()) } else { Err(load.refused().last().cloned()) }
        })
        .await;
        println!("requests are accepted {:?} after the promotion", promoted_at.elapsed());
        let first = load.accepted()[before].id.clone();
        let mail = format!("SELECT event_id FROM deliveries WHERE reset_id = '{first}' AND status = 'sent'");
        within(FAILOVER.saturating_sub(promoted_at.elapsed()), "its mail", async || {
            if stack.texts(&mail).await.is_empty() { Err(first.clone()) } else { Ok(()) }
        })
        .await;
        println!("mails are sent {:?} after the promotion", promoted_at.elapsed());
        load.end();
        promoted_at - killed_at
    };
    let ((), outage) = tokio::join!(load.run(), failover);

    let longest = load.accepted().iter().map(|reset| reset.waited).max().unwrap();
    assert!(longest < outage + FAILOVER, "a request took {longest:?}, with {outage:?} without a primary");
    let is_explained = |refused: &String| refused.starts_with("503") || refused.starts_with("409");
    let wrong: Vec<_> = load.refused().iter().filter(|refused| !is_explained(refused)).cloned().collect();
    assert_eq!(wrong, [""; 0]);
    let accepted = load.all_mailed(stack).await;
    let resets = stack.texts("SELECT id FROM password_resets").await.len();
    assert_eq!(resets, accepted, "each request made one reset");
    println!(
        "{accepted} resets accepted and mailed, {} tries refused, the longest request {longest:?}",
        load.refused().len()
    );
    api.stop().await;
    mailer.stop().await;
}

/// Commits wait for the standby, as with `synchronous: { method: any, number: 1 }`.
async fn require_two_servers(primary: &Postgres) {
    primary.execute("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'").await;
    primary.execute("SELECT pg_reload_conf()").await;
    let server = PostgresBackdoor::open(primary.url());
    eventually("the standby", async || {
        let state = server.text("SELECT sync_state FROM pg_stat_replication").await;
        if state.as_deref() == Some("quorum") { Ok(()) } else { Err(state) }
    })
    .await;
}
