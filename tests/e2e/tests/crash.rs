//! Kills processes (SIGKILL) while resets are requested. No accepted reset is lost, and none is mailed twice except in the one
//! window that SMTP leaves open, which the ledger counts.
//!
//! The moments follow from a seed; `REKEY_SEED=n` sets another.
#![expect(clippy::unwrap_used, reason = "a test that finds nothing is to fail")]

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    time::{Duration, Instant},
};

use rekey_e2e::{
    broker::{Broker, contents},
    client::{Api, reset},
    dice::Dice,
    mail::{Link, Mail},
    process::Program,
    shop::{OLD_PASSWORD, Shop},
    stack::Stack,
    wait::within,
};
use reqwest::{Method, StatusCode};

const CLIENTS: u64 = 5;
const RESETS_EACH: usize = 24;
/// Far more than the longest delay of a mail: 15 s for a killed node, 10 s more for a connection, 14 s for a lease, and 10 s for a
/// step of the retry ladder, more than once.
const TIMEOUT: Duration = Duration::from_mins(10);

#[derive(Debug, Clone, Copy)]
enum Victim {
    Api,
    Mailer,
    Broker,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash() {
    let seed = seed();
    say(&format!("crash: seed {seed}"));
    let broker = Broker::start();
    // Mails take some time, so that they are interrupted before and after the server has them.
    let mut stack = Stack::prepare_on(&broker.url, &["--delay-ms", "60", "--linger-ms", "120"]).await;
    for (key, seconds) in [("relay.lease_seconds", "10"), ("smtp.timeout_seconds", "9")] {
        stack.set(key, seconds);
    }
    let shop = Shop::open(stack).await;
    let stack = &shop.stack;
    let programs = (stack.start_api().await, stack.start_mailer().await);
    let token = shop.back_office.token(&stack.api).await;
    let mut clients = Vec::new();
    for n in 1..=CLIENTS {
        let customer = format!("customer-{n}@example.com");
        stack.api.create_customer(&token, &customer, OLD_PASSWORD).await;
        clients.push(tokio::spawn(ask(stack.api.clone(), token.clone(), customer, Dice::new(seed ^ n))));
    }
    let mut kills = [
        Victim::Api,
        Victim::Api,
        Victim::Api,
        Victim::Mailer,
        Victim::Mailer,
        Victim::Mailer,
        Victim::Broker,
    ];
    let (_api, _mailer) = kill(&mut kills, &mut Dice::new(seed), stack, &broker, programs).await;
    let mut accepted = BTreeSet::new();
    for client in clients {
        accepted.extend(client.await.unwrap());
    }
    let begin = Instant::now();
    let mails = settled(stack, &accepted).await;
    judge(stack, &accepted, &mails).await;
    let dead = contents(&broker.url, &format!("{}.mailer.dead", stack.namespace)).await;
    assert_eq!(dead.len(), 0, "no message was given up");
    say(&format!(
        "crash: {} kills: {kills:?}; the last mail came {:?} after the last request",
        kills.len(),
        begin.elapsed()
    ));
}

/// Requests resets, retrying while the API is down, and returns the ids of the accepted ones.
async fn ask(api: Api, token: String, customer: String, mut dice: Dice) -> BTreeSet<String> {
    let mut accepted = BTreeSet::new();
    while accepted.len() < RESETS_EACH {
        let asked = api.try_call(Method::POST, "customer_password_resets", &token, &reset(&customer)).await;
        if let Ok(answer) = asked
            && answer.status == StatusCode::CREATED
        {
            accepted.insert(answer.text("/data/id"));
        }
        tokio::time::sleep(dice.millis(100..900)).await;
    }
    accepted
}

/// Kills and restarts these in random order, each at a random moment.
async fn kill(
    victims: &mut [Victim],
    dice: &mut Dice,
    stack: &Stack,
    broker: &Broker,
    (mut api, mut mailer): (Program, Program),
) -> (Program, Program) {
    dice.shuffle(victims);
    for victim in victims {
        tokio::time::sleep(dice.millis(200..2000)).await;
        assert!(api.ended().is_none() && mailer.ended().is_none(), "no other's crash ends a program");
        match victim {
            Victim::Api => {
                api.crash();
                api = stack.spawn("rekey-api");
            }
            Victim::Mailer => {
                mailer.crash();
                mailer = stack.spawn("rekey-mailer");
            }
            Victim::Broker => {
                broker.crash();
                broker.restart();
            }
        }
    }
    (api, mailer)
}

/// Waits until every reset has its mail and nothing is in flight, and returns the mails.
async fn settled(stack: &Stack, accepted: &BTreeSet<String>) -> Vec<Mail> {
    let in_flight = "SELECT id FROM events WHERE published_at IS NULL UNION \
                     SELECT event_id FROM deliveries WHERE status IN ('queued', 'deferred')";
    within(TIMEOUT, "a mail for every reset", async || {
        let waiting = stack.texts(in_flight).await;
        let all: BTreeSet<_> = stack.texts("SELECT id FROM password_resets").await.into_iter().collect();
        let mails = stack.smtp.mails();
        let mailed: BTreeSet<_> = mails.iter().map(|mail| Link::find(&mail.text()).id).collect();
        let missing: Vec<_> = all.union(accepted).filter(|id| !mailed.contains(*id)).collect();
        if waiting.is_empty() && missing.is_empty() {
            return Ok(mails);
        }
        Err(format!("{} mails; without one: {missing:?}; in flight: {waiting:?}", mails.len()))
    })
    .await
}

/// Compares the mails with the ledger.
async fn judge(stack: &Stack, accepted: &BTreeSet<String>, mails: &[Mail]) {
    let doubts = stack.texts("SELECT event_id || ' ' || in_doubt FROM deliveries WHERE in_doubt > 0").await;
    let doubts: BTreeMap<_, usize> = doubts
        .iter()
        .map(|row| row.split_once(' ').unwrap())
        .map(|(id, n)| (id, n.parse().unwrap()))
        .collect();
    let mut copies = BTreeMap::<_, usize>::new();
    for mail in mails {
        *copies.entry((Link::find(&mail.text()).id, mail.header("Message-ID"))).or_default() += 1;
    }
    let duplicates = mails.len() - copies.len();
    let resets: BTreeSet<_> = copies.keys().map(|(reset, _)| reset).collect();
    say(&format!(
        "crash: {} resets accepted, {} made, {} mails, {duplicates} duplicates, {} in doubt",
        accepted.len(),
        resets.len(),
        mails.len(),
        doubts.values().sum::<usize>()
    ));
    assert_eq!(resets.len(), copies.len(), "every mail about a reset has the same Message-ID");
    for ((_, message_id), count) in copies {
        let doubt = doubts.iter().find(|(event, _)| message_id.starts_with(&format!("<{event}@")));
        let doubt = doubt.map_or(0, |(_, count)| *count);
        assert!(
            count <= 1 + doubt,
            "{message_id} came {count} times, and is counted as doubtful {doubt} times"
        );
    }
}

#[expect(clippy::disallowed_methods, reason = "an environment variable sets the seed")]
fn seed() -> u64 {
    std::env::var("REKEY_SEED").map_or(20_260, |seed| seed.parse().unwrap())
}

/// Prints a line also when the test passes.
fn say(line: &str) {
    let mut stderr = io::stderr().lock();
    writeln!(stderr, "{line}").unwrap();
}
