//! Bad days: two APIs, two mailers, a sender of webhooks, and their servers are killed, stopped, cut off, slowed down and refused by their relay, while clients
//! request resets and set new passwords. No accepted reset is lost, none is mailed twice except in the one window that SMTP leaves open, which
//! the ledger counts, and nobody gets a mail that was not asked for. Of several uses of a token one wins. A webhook gets each reset.
//!
//! The faults follow from a seed: `REKEY_SEED=n` sets another. `REKEY_FAULTS=silence,kill api` runs only those whose name contains one of
//! these texts; the report shows the names. `REKEY_CHAOS=long` is the long form (`make chaos`).
#![expect(clippy::unwrap_used, reason = "a test that finds nothing is to fail")]

use std::{
    fs,
    io::{self, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rekey_core::clock::{Clock, SystemClock};
use rekey_e2e::{
    chaos::{
        caller::Caller,
        client::{Client, History, Kind},
        cluster::Cluster,
        fault::run,
        judge::{judge, settle},
        report::Report,
        schedule::schedule,
        uses::Customer,
    },
    client::Api,
    dice::Dice,
    evidence,
    shop::OLD_PASSWORD,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Half of the load sets new passwords.
const CLIENTS: [Kind; 8] = [
    Kind::Completer,
    Kind::Integration,
    Kind::Completer,
    Kind::Impatient,
    Kind::Completer,
    Kind::Visitor,
    Kind::Completer,
    Kind::Stranger,
];
/// When RabbitMQ 3.10 loses the leader of a queue that was declared about 15 s before, it often refuses everything on the next connection.
const QUEUE_AGE: Duration = Duration::from_secs(15);

/// How large a run is.
struct Form {
    /// How many clients there are of each of [`CLIENTS`].
    clients: usize,
    /// A customer uses the token of one reset of that many.
    uses_every: usize,
    /// The least number of faults.
    faults: usize,
    /// The least number of acknowledged resets.
    acknowledged: usize,
}

/// A fault of each kind, in five minutes.
const SHORT: Form = Form { clients: 1, uses_every: 2, faults: 6, acknowledged: 1 };
/// About an hour.
const LONG: Form = Form { clients: 20, uses_every: 8, faults: 500, acknowledged: 100_000 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos() {
    let seed = variable("REKEY_SEED").map_or(20_260, |seed| seed.parse().unwrap());
    let form = if variable("REKEY_CHAOS").as_deref() == Some("long") { LONG } else { SHORT };
    let faults = variable("REKEY_FAULTS").unwrap_or_default();
    let filters: Vec<_> = faults.split(',').map(str::to_owned).filter(|filter| !filter.is_empty()).collect();
    say(&format!("chaos: seed {seed}\n"));
    let mut cluster = Cluster::start().await;
    let mut dice = Dice::new(seed);
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let stop = CancellationToken::new();
    let began = SystemClock.now();
    let running = start_clients(&cluster, &form, &mut dice, &acknowledged, &stop).await;

    cluster.wait(QUEUE_AGE).await;
    let mut faults = Vec::new();
    while faults.len() < form.faults || acknowledged.load(Ordering::Relaxed) < form.acknowledged {
        let before = acknowledged.load(Ordering::Relaxed);
        let schedule = schedule(&cluster, &mut dice, &filters);
        faults.extend(run(&mut cluster, &schedule).await);
        let (minutes, count) =
            ((SystemClock.now() - began).whole_minutes(), acknowledged.load(Ordering::Relaxed));
        say(&format!("{minutes} minutes: {} faults, {count} resets acknowledged\n", faults.len()));
        assert!(count > before, "the last faults left the system without an answer");
    }
    let lifted = Instant::now();
    stop.cancel();
    let mut history = History::default();
    for client in running {
        let History { asked, other_answers, wrong_answers, completed } = client.await.unwrap();
        history.asked.extend(asked);
        history.wrong_answers.extend(wrong_answers);
        history.completed.extend(completed);
        for (answer, count) in other_answers {
            *history.other_answers.entry(answer).or_default() += count;
        }
    }
    let answered_after = lifted.elapsed();
    settle(&mut cluster).await;
    let settled_after = lifted.elapsed();
    cluster.stop().await;
    let verdict = judge(&cluster, &history).await;
    let clients = CLIENTS.len() * form.clients;
    let (ends, growth) = (std::mem::take(&mut cluster.ends), cluster.resources.growth());
    let report = Report {
        seed,
        clients,
        began,
        faults,
        history,
        verdict,
        ends,
        growth,
        answered_after,
        settled_after,
    };
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
    evidence::save("chaos", "make chaos", &report.json());
}

/// Starts the clients, each with a customer of its own.
async fn start_clients(
    cluster: &Cluster,
    form: &Form,
    dice: &mut Dice,
    acknowledged: &Arc<AtomicUsize>,
    stop: &CancellationToken,
) -> Vec<JoinHandle<History>> {
    let apis = cluster.apis();
    let first = Api::new(apis.first().unwrap());
    let integration = cluster.shop.back_office.token(&first).await;
    let visitor = cluster.shop.storefront.token(&first).await;
    let mut clients = Vec::new();
    for (number, kind) in CLIENTS.repeat(form.clients).into_iter().enumerate() {
        let address = format!("{kind:?}-{number}@example.com").to_ascii_lowercase();
        if kind != Kind::Stranger {
            first.create_customer(&integration, &address, OLD_PASSWORD).await;
        }
        let is_visitor = matches!(kind, Kind::Visitor | Kind::Stranger);
        let token = if is_visitor { &visitor } else { &integration };
        let customer = (kind == Kind::Completer).then(|| Customer {
            address: address.clone(),
            password: OLD_PASSWORD.to_owned(),
            client_id: cluster.shop.storefront.client_id.clone(),
            uses_every: form.uses_every,
            refresh_token: None,
        });
        let caller = Caller::new(apis.clone(), Dice::new(dice.roll()));
        let client = Client {
            kind,
            address,
            token: token.clone(),
            caller,
            customer,
            acknowledged: acknowledged.clone(),
        };
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
