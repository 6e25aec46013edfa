//! Measures how fast new passwords are set by tokens, next to argon2id alone with the same parameters and as many threads: `make bench`.
//!
//! They run in turn; no mailer runs. Everything else that a new password takes, in all programs and in the clients, has the same processors.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement that fails is to stop")]

use std::{
    thread,
    time::{Duration, Instant},
};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use futures_util::{StreamExt, stream};
use rekey_e2e::{
    bench::{
        CLIENTS, Figure, Report, add_customers, all_published, column,
        cpu::{self, PROGRAMS},
        ratios,
    },
    client::Api,
    shop::Shop,
    stack::Stack,
};
use reqwest::StatusCode;

const ROUNDS: usize = 7;
/// How many passwords are set in a run, each of another customer.
const PASSWORDS: u32 = 600;
/// The length of a run of argon2id alone.
const ALONE: Duration = Duration::from_secs(6);

/// New passwords per second, and CPU microseconds for each.
type Run = [f64; 1 + PROGRAMS.len()];

#[tokio::main]
async fn main() {
    let shop = Shop::open(Stack::prepare().await).await;
    let _api = shop.stack.start_api().await;
    let api = &shop.stack.api;
    add_customers(&shop.stack.database.url(), PASSWORDS).await;
    let token = shop.back_office.token(api).await;
    let title = "New passwords set by 16 clients, next to argon2id alone";
    let (mut report, mut alone, mut completes) = (Report::new("completes", title), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let resets = resets(api, &token).await;
        all_published(&shop.stack).await;
        alone.push(hashes_alone());
        completes.push(complete(api, &token, &resets, round).await);
    }
    let rates = column(&completes, 0);
    let next_to_argon2 = ratios(&rates, &alone);
    report.add(
        Figure::new("new passwords a second, next to argon2id alone", "times", next_to_argon2).goal("0.95"),
    );
    report.add(Figure::new("new passwords", "per second", rates));
    report.add(Figure::new("argon2id alone", "per second", alone));
    for (index, program) in PROGRAMS.iter().enumerate() {
        let used = column(&completes, index + 1);
        report.add(Figure::new(format!("processor time of {program} for a new password"), "µs", used));
    }
    report.save();
}

/// Creates a reset for each customer, and returns their ids and tokens.
async fn resets(api: &Api, token: &str) -> Vec<[String; 2]> {
    let created = stream::iter(1..=PASSWORDS).map(|n| async move {
        let created = api.create_reset(token, &format!("customer{n}@example.com")).await;
        let created = created.expect(StatusCode::CREATED);
        ["/data/id", "/data/attributes/reset_password_token"].map(|pointer| created.text(pointer))
    });
    created.buffer_unordered(CLIENTS.try_into().unwrap()).collect().await
}

async fn complete(api: &Api, token: &str, resets: &[[String; 2]], round: usize) -> Run {
    let password = format!("the passphrase of round {round}");
    let password = password.as_str();
    let (start, used) = (Instant::now(), cpu::times());
    let completed = stream::iter(resets).map(|[id, reset_token]| async move {
        api.complete(token, id, reset_token, password).await.expect(StatusCode::OK);
    });
    completed.buffer_unordered(CLIENTS.try_into().unwrap()).collect::<()>().await;
    let (seconds, after) = (start.elapsed().as_secs_f64(), cpu::times());
    let each = |used: f64| used / f64::from(PASSWORDS);
    let [postgres, api, broker, clients] =
        std::array::from_fn(|program| each(after[program] - used[program]));
    [f64::from(PASSWORDS) / seconds, postgres, api, broker, clients]
}

/// Hashes by as many threads as `rekey-api` has, with the default parameters. Returns how many a second.
fn hashes_alone() -> f64 {
    let start = Instant::now();
    let threads = thread::available_parallelism().unwrap().get();
    let count: u32 = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| hash_until(start + ALONE))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    f64::from(count) / start.elapsed().as_secs_f64()
}

fn hash_until(end: Instant) -> u32 {
    let params = Params::new(19_456, 2, 1, Some(32)).unwrap();
    let mut memory = vec![Block::default(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut count = 0;
    while Instant::now() < end {
        let mut output = [0; 32];
        argon2
            .hash_password_into_with_memory(
                b"the same passphrase",
                b"salt of 16 bytes",
                &mut output,
                &mut memory,
            )
            .unwrap();
        count += 1;
    }
    count
}
