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
    bench::{Run, all_published, orders, processor_time, quartiles, report},
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
/// How many resets are created in a run, by [`CLIENTS`] at once.
const CREATES: u32 = 800;
const CLIENTS: u32 = 16;

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
    one_that_never_answers(stack).await;
    cost(&shop, &api, &webhooks).await;
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

async fn one_that_never_answers(stack: &Stack) {
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
    println!(
        "from POST to the receiver at {RATE} events/s to {SHOPS} shops, each with a webhook of its own:"
    );
    for is_dead_there in [false, true, true, false] {
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
        println!("  {} a receiver that never answers", if is_dead_there { "with" } else { "without" });
        for (shops, times) in ["in its own shop", "in other shops"].into_iter().zip(times) {
            println!("    {shops:>15}: {}", percentiles(times));
        }
    }
    dead.set(stack, json!({ "_disable": true })).await;
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

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_millis();
    format!("p50 {} ms, p99 {} ms, slowest {} ms of {}", at(50), at(99), at(100), times.len())
}

/// With a webhook, without it, and without it again as the control.
async fn cost(shop: &Shop, api: &Program, webhooks: &Program) {
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
            let (began, before) = (Instant::now(), [api, webhooks].map(processor_time));
            creates(stack, &token).await;
            let seconds = began.elapsed().as_secs_f64();
            all_published(stack).await;
            receiver.arrive(expected).await;
            let used = [(api, before[0]), (webhooks, before[1])]
                .map(|(program, before)| (processor_time(program) - before) / f64::from(CREATES));
            runs[kind].push([f64::from(CREATES) / seconds, used[0]]);
            worker[kind].push(used[1]);
        }
    }
    report("resets created, processor time of rekey-api", "a webhook", &runs);
    let [with, without, again] = worker.map(|runs| quartiles(runs)[1]);
    println!(
        "processor time of rekey-webhooks for each: {with:.0} µs with it, {without:.0} and {again:.0} without"
    );
}

async fn creates(stack: &Stack, token: &str) {
    let create = async || {
        for _ in 0..CREATES / CLIENTS {
            stack.api.create_reset(token, ANNA).await.expect(StatusCode::CREATED);
        }
    };
    futures_util::future::join_all((0..CLIENTS).map(|_| create())).await;
}
