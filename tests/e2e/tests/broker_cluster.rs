//! A cluster of three RabbitMQ nodes, of which one is killed under load.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rekey_e2e::{
    broker::Broker,
    shop::{ANNA, Shop},
    stack::Stack,
    wait::{eventually, within},
};
use reqwest::StatusCode;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How many mails are sent before the first fault.
const WARM_UP: usize = 200;
/// The age of the queue at the first fault. When RabbitMQ 3.10 loses the leader of a queue that was declared about 15 s before, it often
/// refuses everything on the next connection.
const QUEUE_AGE: Duration = Duration::from_secs(15);
/// How long mails may wait for another node.
const FAILOVER: Duration = Duration::from_secs(15);

/// The API is connected to the node that leads the queue, the mailer to another one. First the leader is killed, then the node that
/// both of them use afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_node_of_the_cluster_delays_mails_for_seconds_and_loses_none() {
    let first = Broker::start();
    // Dropped in this order.
    let nodes = [first.start_another(), first.start_another(), first];
    let [second, third, first] = nodes.each_ref();
    let urls = [&first.url, &second.url, &third.url].map(String::as_str).join(",");
    let mut stack = Stack::prepare_on(&urls, &[]).await;
    let api_urls = stack.get("broker.url").unwrap().to_owned();
    let shop = {
        // The mailer begins with another node.
        stack.set("broker.url", &[&second.url, &first.url, &third.url].map(String::as_str).join(","));
        Shop::open(stack).await
    };
    let stack = &shop.stack;
    let role = stack.database.url_as("rekey_api");
    let api = stack.spawn_with("rekey-api", &[("broker.url", api_urls), ("database.url", role)]);
    stack.api.ready().await;
    let queue = format!("{}.mailer", stack.namespace);
    let leader = || second.ctl(&["--silent", "list_queues", "name", "leader"]);
    let led_by =
        |node: &Broker| leader().lines().any(|line| line.split_whitespace().eq([&*queue, &node.node()]));
    eventually("the queue", async || if led_by(first) { Ok(()) } else { Err(leader()) }).await;
    let declared = Instant::now();
    let mailer = stack.start_mailer().await;
    let token = shop.register_anna().await;

    let (accepted, load_end) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
    let load = tokio::spawn({
        let (api, accepted, load_end) = (stack.api.clone(), accepted.clone(), load_end.clone());
        async move {
            while !load_end.is_cancelled() {
                api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
                accepted.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(50)).await;
            }
        }
    });
    for (killed, what) in [(first, "the leader"), (second, "the node of both programs")] {
        // The queues of a cluster that was just formed are being copied to its nodes.
        eventually("mails before the fault", async || match stack.smtp.taken() {
            count if count >= WARM_UP && declared.elapsed() >= QUEUE_AGE => {
                flowing_since(stack, "-infinity").await
            }
            count => Err(vec![format!("{count} mails")]),
        })
        .await;
        killed.signal("KILL");
        let (killed_at, started) = (database_time(stack).await, Instant::now());
        within(FAILOVER, "mails after the fault", async || flowing_since(stack, &killed_at).await).await;
        println!("mails flow {:?} after {what} was killed", started.elapsed());
        // Two of three must run.
        if what == "the leader" {
            killed.restart();
        }
    }
    load_end.cancel();
    load.await.unwrap();

    let accepted = accepted.load(Ordering::Relaxed);
    let all = async || {
        let statuses = stack.texts("SELECT status FROM deliveries").await;
        let sent = statuses.iter().filter(|status| *status == "sent").count();
        if sent == accepted && stack.smtp.taken() >= accepted { Ok(()) } else { Err((sent, statuses.len())) }
    };
    eventually("the mail of each accepted reset", all).await;
    println!("{accepted} resets accepted, {} mails", stack.smtp.taken());
    let log = api.stderr();
    for node in [first, second] {
        let address = node.url.rsplit_once('@').unwrap().1.trim_end_matches("/%2f").to_owned();
        let is_named =
            log.lines().any(|line| line.contains("RabbitMQ can't be used") && line.contains(&address));
        assert!(is_named, "{address} is in no line of {log}");
    }
    mailer.terminate().await;
    api.terminate().await;
}

/// Whether all mails of before that time are sent, and one of after it.
async fn flowing_since(stack: &Stack, time: &str) -> Result<(), Vec<String>> {
    let query = format!(
        "SELECT status || CASE WHEN created_at > '{time}' THEN ' after' ELSE ' before' END FROM deliveries ORDER BY created_at"
    );
    let mails = stack.texts(&query).await;
    let is_late = |mail: &String| mail.ends_with("before") && !mail.starts_with("sent");
    if mails.iter().any(|mail| mail == "sent after") && !mails.iter().any(is_late) {
        Ok(())
    } else {
        Err(mails)
    }
}

async fn database_time(stack: &Stack) -> String {
    stack.texts("SELECT clock_timestamp()::text").await.remove(0)
}
