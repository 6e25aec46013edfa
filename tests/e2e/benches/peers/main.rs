//! Measures requests for resets by self-service, next to the same of Django and better-auth: `make bench`.
//!
//! All run at the same time, each with a database of its own on one PostgreSQL, send their mails to one SMTP server, and are measured in turn:
//! first under load, for known and for unknown addresses; then one request after the other, for the times that tell these apart.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement that fails is to stop")]

mod service;
mod timing;

use std::time::{Duration, Instant};

use rekey_e2e::{
    bench::{
        CUSTOMERS, Figure, Report,
        wrk::{Load, wrk},
    },
    shop::Shop,
    smtp::SmtpServer,
    stack::Stack,
};
use tokio::time::sleep;

use crate::service::{KNOWN, Service, UNKNOWN};

const ROUNDS: usize = 4;
/// The length of a run under load, in seconds.
const SECONDS: u32 = 4;
/// When no mail has come for this long, none is expected any more.
const QUIET: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    let mut stack = Stack::prepare().await;
    // The addresses are used again, and no peer limits requests for one.
    stack.set("resets.self_service_cooldown_seconds", "0");
    stack.set("resets.self_service_budget", "1000");
    let shop = Shop::open(stack).await;
    let smtp = &shop.stack.smtp;
    let services =
        [Service::rekey(&shop).await, Service::django(smtp).await, Service::better_auth(smtp).await];
    timing::measure(&services).await;

    let (mut loads, mut times) = ([const { Vec::new() }; 3], [const { Vec::new() }; 3]);
    for round in 0..ROUNDS {
        for (service, loads) in services.iter().zip(&mut loads) {
            loads.push(Loads::measure(service, smtp, round % 2 == 0).await);
        }
        for (round, times) in timing::measure(&services).await.into_iter().zip(&mut times) {
            times.push(round);
        }
    }
    let title = "Requests for resets by self-service, next to Django and better-auth";
    let mut report = Report::new("peers", title);
    for (service, rounds) in services.iter().zip(&loads) {
        add_loads(&mut report, service, rounds);
    }
    for (service, rounds) in services.iter().zip(&times) {
        timing::add(&mut report, service.name, rounds);
    }
    report.save();
}

/// A round under load.
struct Loads {
    known: Load,
    unknown: Load,
    /// Mails a second, from the first request to the last mail.
    mail_rate: f64,
    /// Mails that came, of all known addresses that were asked for.
    mailed: f64,
}

impl Loads {
    async fn measure(service: &Service, smtp: &SmtpServer, is_known_first: bool) -> Self {
        let mut unknown = None;
        if !is_known_first {
            unknown = Some(Self::measure_unknown(service).await);
        }
        let (before, start) = (smtp.taken(), Instant::now());
        let known = wrk(&service.requests(KNOWN), SECONDS);
        let last = last_mail(smtp).await;
        let mails = f64::from(u32::try_from(smtp.taken() - before).unwrap());
        let mail_rate = mails / (last - start).as_secs_f64();
        let unknown = match unknown {
            Some(unknown) => unknown,
            None => Self::measure_unknown(service).await,
        };
        // wrk does not count the requests that it ended.
        Self { known, unknown, mail_rate, mailed: mails / known.requests }
    }

    async fn measure_unknown(service: &Service) -> Load {
        let load = wrk(&service.requests(UNKNOWN), SECONDS);
        sleep(QUIET).await;
        load
    }
}

/// Waits until all mails have come, and returns when the last one did.
async fn last_mail(smtp: &SmtpServer) -> Instant {
    let (mut taken, mut last) = (smtp.taken(), Instant::now());
    while last.elapsed() < QUIET {
        sleep(Duration::from_millis(5)).await;
        if smtp.taken() > taken {
            (taken, last) = (smtp.taken(), Instant::now());
        }
    }
    last
}

fn add_loads(report: &mut Report, service: &Service, rounds: &[Loads]) {
    let name = service.name;
    for (kind, load) in
        [("known", (|round| round.known) as fn(&Loads) -> Load), ("unknown", |round| round.unknown)]
    {
        let rates = rounds.iter().map(load).map(|load| load.requests / load.seconds).collect();
        let times = rounds.iter().map(load).map(|load| load.p99_ms).collect();
        report.add(Figure::new(format!("{name}: requests for {kind} addresses"), "per second", rates));
        report.add(Figure::new(format!("{name}: requests for {kind} addresses, p99"), "ms", times));
    }
    let rates = rounds.iter().map(|round| round.mail_rate).collect();
    report.add(Figure::new(
        format!("{name}: mails, from the first request to the last mail"),
        "per second",
        rates,
    ));
    let mailed = rounds.iter().map(|round| 100.0 * round.mailed).collect();
    let note = format!("{}; 16 clients, {CUSTOMERS} known addresses", service.note);
    report.add(Figure::new(format!("{name}: requests that led to a mail"), "%", mailed).note(note));
}
