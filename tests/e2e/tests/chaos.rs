//! Bad days: two APIs, two mailers, a sender of webhooks, and their servers are killed, stopped, cut off, slowed down and refused by their relay, while clients
//! request resets. No accepted reset is lost, none is mailed twice except in the one window that SMTP leaves open, which the ledger
//! counts, and nobody gets a mail that was not asked for. A webhook gets each reset.
//!
//! The faults follow from a seed: `REKEY_SEED=n` sets another. `REKEY_FAULTS=silence,kill api` runs only those whose name contains one of
//! these texts; the report shows the names.
#![expect(clippy::unwrap_used, reason = "a test that finds nothing is to fail")]

use std::{
    fs,
    io::{self, Write},
    path::Path,
    time::Instant,
};

use rekey_core::clock::{Clock, SystemClock};
use rekey_e2e::{
    chaos::{
        client::{Client, History, Kind},
        cluster::Cluster,
        fault::{run, schedule},
        judge::{judge, settle},
        report::Report,
    },
    client::Api,
    dice::Dice,
    shop::OLD_PASSWORD,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const CLIENTS: [Kind; 6] =
    [Kind::Integration, Kind::Integration, Kind::Impatient, Kind::Visitor, Kind::Visitor, Kind::Stranger];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos() {
    let seed = variable("REKEY_SEED").map_or(20_260, |seed| seed.parse().unwrap());
    let faults = variable("REKEY_FAULTS").unwrap_or_default();
    let filters: Vec<_> = faults.split(',').map(str::to_owned).filter(|filter| !filter.is_empty()).collect();
    say(&format!("chaos: seed {seed}\n"));
    let mut cluster = Cluster::start().await;
    let mut dice = Dice::new(seed);
    let schedule = schedule(&cluster, &mut dice, &filters);
    let stop = CancellationToken::new();
    let clients = start_clients(&cluster, &mut dice, &stop).await;

    let began = SystemClock.now();
    let faults = run(&mut cluster, &schedule, &mut dice).await;
    let lifted = Instant::now();
    stop.cancel();
    let mut history = History::default();
    for client in clients {
        let History { asked, other_answers, wrong_answers } = client.await.unwrap();
        history.asked.extend(asked);
        history.wrong_answers.extend(wrong_answers);
        for (answer, count) in other_answers {
            *history.other_answers.entry(answer).or_default() += count;
        }
    }
    let answered_after = lifted.elapsed();
    settle(&mut cluster).await;
    let settled_after = lifted.elapsed();
    cluster.stop().await;
    let verdict = judge(&cluster, &history.asked).await;
    let ends = std::mem::take(&mut cluster.ends);
    let report = Report { seed, began, faults, history, verdict, ends, answered_after, settled_after };
    say(&report.to_string());
    let failures = report.failures();
    if !failures.is_empty() {
        for (node, log) in &report.ends.logs {
            let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chaos {node}.log"));
            fs::write(&file, log).unwrap();
            say(&format!("{} has what {node} logged\n", file.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Starts the clients, each with a customer of its own.
async fn start_clients(
    cluster: &Cluster,
    dice: &mut Dice,
    stop: &CancellationToken,
) -> Vec<JoinHandle<History>> {
    let apis = cluster.apis();
    let first = Api::new(apis.first().unwrap());
    let integration = cluster.shop.back_office.token(&first).await;
    let visitor = cluster.shop.storefront.token(&first).await;
    let mut clients = Vec::new();
    for (number, kind) in CLIENTS.into_iter().enumerate() {
        let address = format!("{kind:?}-{number}@example.com").to_ascii_lowercase();
        if kind != Kind::Stranger {
            first.create_customer(&integration, &address, OLD_PASSWORD).await;
        }
        let is_integration = matches!(kind, Kind::Integration | Kind::Impatient);
        let token = if is_integration { &integration } else { &visitor };
        let dice = Dice::new(dice.roll());
        let client = Client { kind, address, token: token.clone(), apis: apis.clone(), dice };
        clients.push(tokio::spawn(client.run(stop.clone())));
    }
    clients
}

#[expect(clippy::disallowed_methods, reason = "environment variables choose the run")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Prints also when the test passes.
fn say(text: &str) {
    write!(io::stderr().lock(), "{text}").unwrap();
}
