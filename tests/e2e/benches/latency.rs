//! Measures how long the mail of a reset takes, on idle programs and at half of what they can, and how long `/livez` takes while log-ins saturate
//! the hashing threads: `make bench`.
#![expect(clippy::unwrap_used, reason = "a measurement that fails is to stop")]

use std::time::{Duration, Instant, SystemTime};

use futures_util::{StreamExt, stream};
use rekey_e2e::{
    bench::{CLIENTS, Figure, Report, add_customers, arrived, median, milliseconds, quantile},
    client::{Api, http},
    shop::{OLD_PASSWORD, Shop},
    stack::Stack,
};
use reqwest::StatusCode;
use time::OffsetDateTime;
use tokio::{task::JoinSet, time::interval};

const ROUNDS: u32 = 5;
/// Resets one after the other.
const IDLE: u32 = 100;
/// Resets as fast as possible, by [`CLIENTS`] at once.
const FULL: u32 = 1_600;
/// The length of a run at half load, and of one of `/livez`.
const RUN: Duration = Duration::from_secs(8);
/// Log-ins at once, each of another customer: an organization may hold half of the 64 places of the queue, so that none is refused.
const LOG_INS: u32 = 24;
/// The pause between two calls of `/livez`.
const PAUSE: Duration = Duration::from_millis(4);

#[tokio::main]
async fn main() {
    let shop = Shop::open(Stack::prepare().await).await;
    let _api = shop.stack.start_api().await;
    let token = shop.back_office.token(&shop.stack.api).await;
    let mut report = Report::new("latency", "Times to the mail, and of /livez while passwords are hashed");
    mails(&shop.stack, token.clone(), &mut report).await;
    for n in 0..LOG_INS {
        shop.stack.api.create_customer(&token, &address(n), OLD_PASSWORD).await;
    }
    livez(&shop, &mut report).await;
    report.save();
}

/// Each reset is for another customer, so that its mail is found by the address.
struct Mails<'a> {
    stack: &'a Stack,
    token: String,
    /// The last customer that a reset was created for.
    last: u32,
}

async fn mails(stack: &Stack, token: String, report: &mut Report) {
    add_customers(&stack.database.url(), ROUNDS * 10_000).await;
    let _mailer = stack.start_mailer().await;
    let mut mails = Mails { stack, token, last: 0 };
    let (mut idle, mut full, mut half) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        idle.push(mails.one_by_one().await);
        full.push(mails.at_once().await);
        half.push(mails.at_rate(median(&full) / 2.0).await);
    }
    report.add(Figure::new("resets and their mails, from 16 clients to the last mail", "per second", full));
    for (load, times) in [("idle", &idle), ("half of that rate", &half)] {
        add_percentiles(report, &format!("from the POST to the mail at the SMTP server, {load}"), times);
    }
}

impl Mails<'_> {
    async fn one_by_one(&mut self) -> Vec<f64> {
        let (before, mut posted) = (self.stack.smtp.taken(), Vec::new());
        for _ in 0..IDLE {
            posted.push(create(self.stack.api.clone(), self.token.clone(), self.next()).await);
            arrived(&self.stack.smtp, before + posted.len()).await;
        }
        self.times(before, &posted)
    }

    /// Returns how many resets a second are created and mailed.
    async fn at_once(&mut self) -> f64 {
        let (before, start) = (self.stack.smtp.taken(), Instant::now());
        let customers: Vec<u32> = (0..FULL).map(|_| self.next()).collect();
        let created = stream::iter(customers)
            .map(|customer| create(self.stack.api.clone(), self.token.clone(), customer))
            .buffer_unordered(CLIENTS.try_into().unwrap());
        let created = created.count().await;
        arrived(&self.stack.smtp, before + created).await;
        f64::from(FULL) / start.elapsed().as_secs_f64()
    }

    /// Creates that many resets a second, whatever they take.
    async fn at_rate(&mut self, rate: f64) -> Vec<f64> {
        let (before, start) = (self.stack.smtp.taken(), Instant::now());
        let (mut ticks, mut creations) = (interval(Duration::from_secs_f64(1.0 / rate)), JoinSet::new());
        while start.elapsed() < RUN {
            ticks.tick().await;
            creations.spawn(create(self.stack.api.clone(), self.token.clone(), self.next()));
        }
        let posted = creations.join_all().await;
        arrived(&self.stack.smtp, before + posted.len()).await;
        self.times(before, &posted)
    }

    fn next(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    /// Returns how many milliseconds each mail took that came after the first `before`.
    fn times(&self, before: usize, posted: &[(u32, SystemTime)]) -> Vec<f64> {
        let mails = self.stack.smtp.mails();
        let time = |(customer, at): &(u32, SystemTime)| {
            let address = format!("customer{customer}@example.com");
            let mail = mails.iter().skip(before).find(|mail| mail.recipients == [address.as_str()]).unwrap();
            (mail.received_at - OffsetDateTime::from(*at)).unsigned_abs()
        };
        milliseconds(posted.iter().map(time))
    }
}

/// Returns the customer, and when the reset was asked for.
async fn create(api: Api, token: String, customer: u32) -> (u32, SystemTime) {
    let at = now();
    api.create_reset(&token, &format!("customer{customer}@example.com")).await.expect(StatusCode::CREATED);
    (customer, at)
}

#[expect(clippy::disallowed_methods, reason = "the SMTP server's log has the system's time, too")]
fn now() -> SystemTime {
    SystemTime::now()
}

async fn livez(shop: &Shop, report: &mut Report) {
    let (mut idle, mut hashing, mut log_ins) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        idle.push(probe(&shop.stack.api.url).await);
        let clients = (0..LOG_INS).map(|n| log_in_for(shop, n));
        let (times, counts) =
            tokio::join!(probe(&shop.stack.api.url), futures_util::future::join_all(clients));
        hashing.push(times);
        log_ins.push(f64::from(counts.into_iter().sum::<u32>()) / RUN.as_secs_f64());
    }
    report.add(Figure::new("log-ins by 24 clients", "per second", log_ins));
    add_percentiles(report, "/livez, idle", &idle);
    add_percentiles(report, "/livez, next to these log-ins", &hashing);
}

/// Returns how many milliseconds each call of `/livez` takes, one after the other.
async fn probe(url: &str) -> Vec<f64> {
    let (http, url, start, mut times) =
        (http(|builder| builder), format!("{url}/livez"), Instant::now(), Vec::new());
    while start.elapsed() < RUN {
        let at = Instant::now();
        http.get(&url).send().await.unwrap().error_for_status().unwrap();
        times.push(at.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    milliseconds(times)
}

/// Logs a customer in again and again, and returns how often.
async fn log_in_for(shop: &Shop, n: u32) -> u32 {
    let (api, start, mut count) = (Api::new(&shop.stack.api.url), Instant::now(), 0);
    while start.elapsed() < RUN {
        api.log_in(&shop.storefront.client_id, &address(n), OLD_PASSWORD).await.expect(StatusCode::OK);
        count += 1;
    }
    count
}

fn address(n: u32) -> String {
    format!("has-password{n}@example.com")
}

fn add_percentiles(report: &mut Report, what: &str, rounds: &[Vec<f64>]) {
    for (percentile, share) in [("median", 0.5), ("p99", 0.99)] {
        let values = rounds.iter().map(|times| quantile(times, share)).collect();
        report.add(Figure::new(format!("{what}: {percentile}"), "ms", values));
    }
    report.add_sample(what, &rounds.concat());
}
