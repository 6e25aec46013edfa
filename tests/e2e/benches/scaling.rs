//! Measures the mails a second of 1, 2 and 4 mailers on a RabbitMQ cluster of three nodes: `make bench`. The relay takes a tenth of a second for each mail,
//! as one on the internet does, so that more mailers can show what they add before the processors of one machine are used up.
#![expect(clippy::unwrap_used, reason = "a measurement that fails is to stop")]

use std::time::{Duration, Instant};

use rekey_e2e::{
    bench::{all_published, orders, quartiles},
    broker::Broker,
    evidence,
    shop::{ANNA, Shop},
    stack::Stack,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

const MAILERS: [u32; 3] = [1, 2, 4];
const ROUNDS: usize = 3;
/// How many mails a run has, created by [`CLIENTS`] at once.
const MAILS: usize = 800;
const CLIENTS: usize = 16;
const RELAY: [&str; 2] = ["--delay-ms", "100"];

#[tokio::main]
async fn main() {
    let first = Broker::start();
    // Dropped in this order.
    let nodes = [first.start_another(), first.start_another(), first];
    let urls = nodes.each_ref().map(|node| node.url.as_str()).join(",");
    let shop = Shop::open(Stack::prepare_on(&urls, &RELAY).await).await;
    let _api = shop.stack.start_api().await;
    let token = shop.register_anna().await;

    let mut rates: [Vec<f64>; 3] = Default::default();
    for order in orders(ROUNDS) {
        for kind in order {
            let mailers = *MAILERS.get(kind).unwrap();
            let rate = run(&shop, &token, mailers).await;
            println!("{mailers} mailers: {rate:.0} mails a second");
            rates.get_mut(kind).unwrap().push(rate);
        }
    }
    evidence::save("scaling", "make bench BENCH=scaling", json!({ "figures": figures(&rates) }));
}

/// Returns the mails a second while all mailers run.
async fn run(shop: &Shop, token: &str, mailers: u32) -> f64 {
    let stack = &shop.stack;
    let all = stack.smtp.taken() + MAILS;
    let create = async || {
        for _ in 0..MAILS / CLIENTS {
            stack.api.create_reset(token, ANNA).await.expect(StatusCode::CREATED);
        }
    };
    futures_util::future::join_all((0..CLIENTS).map(|_| create())).await;
    all_published(stack).await;
    let mut running = Vec::new();
    for _ in 0..mailers {
        running.push(stack.start_another("rekey-mailer").await.0);
    }
    let (began, before) = (Instant::now(), stack.smtp.taken());
    while stack.smtp.taken() < all {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let count = u32::try_from(all - before).unwrap();
    let rate = f64::from(count) / began.elapsed().as_secs_f64();
    for mailer in running {
        mailer.stop().await;
    }
    rate
}

fn figures(rates: &[Vec<f64>; 3]) -> Vec<Value> {
    let [one, ..] = rates;
    let mut figures = Vec::new();
    for (mailers, rates) in MAILERS.iter().zip(rates) {
        figures.push(figure(&format!("mails sent by {mailers} rekey-mailer"), "per second", rates.clone()));
        if *mailers > 1 {
            let ratios = rates.iter().zip(one).map(|(rate, one)| rate / one).collect();
            figures.push(figure(&format!("{mailers} rekey-mailer, next to one"), "times", ratios));
        }
    }
    figures
}

fn figure(what: &str, unit: &str, values: Vec<f64>) -> Value {
    let rounds = values.len();
    let [low, median, high] = quartiles(values);
    json!({ "what": what, "unit": unit, "low": low, "median": median, "high": high, "rounds": rounds })
}
