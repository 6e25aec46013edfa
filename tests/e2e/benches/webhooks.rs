//! Measures webhooks: `make bench`.
//!
//! First, how long events take to 50 receivers at 200 events a second, in turn with and without another receiver that never answers. Then, what
//! a webhook adds to a reset.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement that fails is to stop")]

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use rekey_e2e::{
    bench::{
        Figure, Report, Run, all_published, compare, create_resets, milliseconds, orders, processor_time,
        quantile,
    },
    process::Program,
    receiver::{Receiver, Reply},
    shop::{ANNA, OLD_PASSWORD, Shop},
    stack::Stack,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const SHOPS: usize = 50;
/// Resets a second, over all shops: each is one event for a receiver.
const RATE: u32 = 200;
const SECONDS: u32 = 20;
/// For a receiver that never answers: longer than an attempt may take.
const NEVER: Duration = Duration::from_mins(10);

const ROUNDS: usize = 9;
/// Runs with a receiver that never answers, and without.
const LATENCY_ROUNDS: usize = 6;
/// How many resets are created in a run.
const CREATES: u32 = 800;

#[tokio::main]
async fn main() {
    let mut stack = Stack::prepare().await;
    stack.set("webhooks.allowed_networks", "127.0.0.0/8");
    let shop = Shop::open(stack).await;
    let stack = &shop.stack;
    // It only makes its queue: the mails of these resets would take a good part of a small machine.
    stack.start_mailer().await.stop().await;
    let api = stack.start_api().await;
    let (webhooks, _) = stack.start_another("rekey-webhooks").await;
    let mut report = Report::new(
        "webhooks",
        "Webhooks next to a receiver that never answers, and what one adds to a reset",
    );
    one_that_never_answers(stack, &mut report).await;
    cost(&shop, &api, &webhooks, &mut report).await;
    report.save();
}

/// A webhook, and a token of its shop's integration.
struct Webhook {
    id: String,
    token: String,
}

impl Webhook {
    async fn create(stack: &Stack, token: &str, url: &str) -> Self {
        let attributes = json!({ "topic": "customer_password_resets.create", "callback_url": url });
        let body = json!({ "data": { "type": "webhooks", "attributes": attributes } });
        let made = stack.api.call(Method::POST, "webhooks", token, &body).await.expect(StatusCode::CREATED);
        Self { id: made.text("/data/id"), token: token.to_owned() }
    }

    /// Triggers these attributes.
    async fn set(&self, stack: &Stack, triggers: Value) {
        let body = json!({ "data": { "type": "webhooks", "id": self.id, "attributes": triggers } });
        let path = format!("webhooks/{}", self.id);
        stack.api.call(Method::PATCH, &path, &self.token, &body).await.expect(StatusCode::OK);
    }
}

async fn one_that_never_answers(stack: &Stack, report: &mut Report) {
    let receivers = Receiver::start().await;
    let dead = Receiver::start().await;
    dead.reply(std::iter::repeat_n(Reply { after: NEVER, ..Reply::status(200) }, 100_000));
    let mut tokens = Vec::new();
    for shop in 0..SHOPS {
        let slug = format!("shop-{shop}");
        stack.organization(&slug).await;
        let token = stack.client(&slug, &["integration"]).await.token(&stack.api).await;
        stack.api.create_customer(&token, ANNA, OLD_PASSWORD).await;
        Webhook::create(stack, &token, &receivers.url).await;
        tokens.push(token);
    }
    let dead = Webhook::create(stack, &tokens[0], &dead.url).await;
    // By whether there is one that never answers, then by the shop: its own, and the others.
    let mut runs: [[Vec<Vec<f64>>; 2]; 2] = Default::default();
    for is_dead_there in [false, true, true, false].into_iter().cycle().take(2 * LATENCY_ROUNDS) {
        if is_dead_there {
            dead.set(stack, json!({ "_enable": true, "_reset_circuit": true })).await;
        } else {
            dead.set(stack, json!({ "_disable": true })).await;
        }
        let before = receivers.count();
        let posted = load(stack, &tokens).await;
        let received = receivers.requests(before + posted.len()).await;
        let mut times = [Vec::new(), Vec::new()];
        for request in &received[before..] {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            let (shop, at) = posted[body["data"]["id"].as_str().unwrap()];
            times[usize::from(shop > 0)].push(request.at - at);
        }
        for (runs, times) in runs[usize::from(is_dead_there)].iter_mut().zip(times) {
            runs.push(milliseconds(times));
        }
    }
    dead.set(stack, json!({ "_disable": true })).await;
    for (dead, runs) in ["without a receiver that never answers", "with one"].into_iter().zip(runs) {
        for (shops, runs) in ["its shop", "the other 49 shops"].into_iter().zip(runs) {
            for (percentile, share) in [("median", 0.5), ("p99", 0.99)] {
                let what = format!(
                    "from the POST to the receiver at 200 events a second, {dead}, {shops}: {percentile}"
                );
                report.add(Figure::new(
                    what,
                    "ms",
                    runs.iter().map(|times| quantile(times, share)).collect(),
                ));
            }
        }
    }
}

/// Creates resets at that rate, whatever they take. Returns the shop of each, and when it was asked for.
async fn load(stack: &Stack, tokens: &[String]) -> HashMap<String, (usize, Instant)> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
    let mut creations = JoinSet::new();
    for (shop, token) in tokens.iter().enumerate().cycle().take((RATE * SECONDS).try_into().unwrap()) {
        ticks.tick().await;
        let (api, token) = (stack.api.clone(), token.clone());
        creations.spawn(async move {
            let at = Instant::now();
            let created = api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
            (created.text("/data/id"), (shop, at))
        });
    }
    creations.join_all().await.into_iter().collect()
}

/// With a webhook, without it, and without it again as the control.
async fn cost(shop: &Shop, api: &Program, webhooks: &Program, report: &mut Report) {
    let stack = &shop.stack;
    let token = shop.register_anna().await;
    let receiver = Receiver::start().await;
    let webhook = Webhook::create(stack, &token, &receiver.url).await;
    let mut runs: [Vec<Run>; 3] = Default::default();
    let mut worker: [Vec<f64>; 3] = Default::default();
    for order in orders(ROUNDS) {
        for kind in order {
            let (trigger, calls) = if kind == 0 { ("_enable", 1) } else { ("_disable", 0) };
            webhook.set(stack, json!({ trigger: true })).await;
            let expected = receiver.count() + calls * usize::try_from(CREATES).unwrap();
            let (start, before) =
                (Instant::now(), [api, webhooks].map(|program| processor_time(program.pid())));
            create_resets(&stack.api, &token, CREATES).await;
            let seconds = start.elapsed().as_secs_f64();
            all_published(stack).await;
            receiver.arrive(expected).await;
            let used = [(api, before[0]), (webhooks, before[1])]
                .map(|(program, before)| (processor_time(program.pid()) - before) / f64::from(CREATES));
            runs[kind].push([f64::from(CREATES) / seconds, used[0]]);
            worker[kind].push(used[1]);
        }
    }
    compare(report, ["resets a second", "processor time of rekey-api for a reset"], &runs);
    let [with, without, _] = worker;
    report.add(Figure::new("processor time of rekey-webhooks for an event: with", "µs", with));
    report.add(Figure::new("processor time of rekey-webhooks for an event: without", "µs", without));
}
