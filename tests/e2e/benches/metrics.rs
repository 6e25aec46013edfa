//! Measures what metrics cost: programs with and without them, in turn, on the same servers: `make bench`.
//!
//! The figures are printed, and none is asserted: they depend on the machine and on what else it does. The processor time of the program
//! depends less on that than the rate.
#![expect(clippy::unwrap_used, reason = "a measurement that fails is to stop")]

use std::{
    fs,
    time::{Duration, Instant},
};

use rekey_e2e::{
    client::Api,
    process::{Program, free_ports},
    shop::{ANNA, Shop},
    stack::Stack,
};
use reqwest::StatusCode;

/// Pairs of runs; the medians are printed.
const PAIRS: usize = 11;
/// How many resets are created in a run, by [`CLIENTS`] at once.
const CREATES: u32 = 1_600;
const CLIENTS: u32 = 16;
/// Microseconds per tick in `/proc/PID/stat`.
const TICK: f64 = 1e4;

/// Per second, and microseconds of processor time of the measured program for each.
type Run = [f64; 2];

#[tokio::main]
async fn main() {
    let shop = Shop::open(Stack::prepare().await).await;
    let stack = &shop.stack;
    let measured = stack.start_api().await;
    let [port] = free_ports();
    let role = stack.database.url_as("rekey_api");
    let own = [
        ("server.listen", format!("127.0.0.1:{port}")),
        ("admin.listen", "off".to_owned()),
        ("database.url", role),
    ];
    let unmeasured = stack.spawn_with("rekey-api", &own);
    let other = Api::new(&format!("http://127.0.0.1:{port}"));
    other.ready().await;
    let token = shop.register_anna().await;

    let (mut with, mut without) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let mut on = async || with.push(creates(&stack.api, &token, &measured).await);
        let mut off = async || without.push(creates(&other, &token, &unmeasured).await);
        // Each is first in turn.
        if pair % 2 == 0 {
            on().await;
            off().await;
        } else {
            off().await;
            on().await;
        }
    }
    report("resets created", &with, &without);

    // The mails of the first part, before those that are measured.
    let (mut with, mut without) = (Vec::new(), Vec::new());
    drain(&shop, &stack.start_mailer().await, usize::try_from(CREATES).unwrap() * 2 * PAIRS).await;
    for pair in 0..PAIRS {
        for is_on in if pair % 2 == 0 { [true, false] } else { [false, true] } {
            let before = stack.smtp.taken();
            creates(&other, &token, &unmeasured).await;
            let admin = if is_on { Vec::new() } else { vec![("admin.listen", "off".to_owned())] };
            let role = [("database.url", stack.database.url_as("rekey_mailer"))];
            let mailer = stack.spawn_with("rekey-mailer", &[role.to_vec(), admin].concat());
            let run = drain(&shop, &mailer, before + usize::try_from(CREATES).unwrap()).await;
            let runs = if is_on { &mut with } else { &mut without };
            runs.push(run);
            mailer.terminate().await;
        }
    }
    report("mails sent", &with, &without);
}

async fn creates(api: &Api, token: &str, program: &Program) -> Run {
    let (began, before) = (Instant::now(), processor_time(program));
    let create = async |api: Api, token: String| {
        for _ in 0..CREATES / CLIENTS {
            api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
        }
    };
    futures_util::future::join_all((0..CLIENTS).map(|_| create(api.clone(), token.to_owned()))).await;
    run(began, before, program, CREATES)
}

/// Waits until the SMTP server has that many mails. The run begins with the first one.
async fn drain(shop: &Shop, mailer: &Program, mails: usize) -> Run {
    let smtp = &shop.stack.smtp;
    let first = smtp.taken();
    while smtp.taken() == first {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (began, before, first) = (Instant::now(), processor_time(mailer), smtp.taken());
    while smtp.taken() < mails {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    run(began, before, mailer, u32::try_from(mails - first).unwrap())
}

fn run(began: Instant, before: f64, program: &Program, count: u32) -> Run {
    let used = processor_time(program) - before;
    [f64::from(count) / began.elapsed().as_secs_f64(), used / f64::from(count)]
}

/// Returns the processor time that a program has used so far, in microseconds.
fn processor_time(program: &Program) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", program.pid())).unwrap();
    // The first of these fields is the third of the file: see proc(5).
    let fields = stat.rsplit_once(") ").unwrap().1.split(' ').skip(11).take(2);
    fields.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() * TICK
}

fn report(what: &str, with: &[Run], without: &[Run]) {
    println!("\n{what}, medians of {PAIRS} pairs of runs with metrics and without, in turn:");
    for (column, title) in ["per second", "processor µs"].into_iter().enumerate() {
        let [on, off] =
            [with, without].map(|runs| median(runs.iter().filter_map(|run| run.get(column).copied())));
        let ratios =
            with.iter().zip(without).filter_map(|(on, off)| Some(on.get(column)? / off.get(column)?));
        println!("{title:>14}: {on:>8.1} {off:>8.1}, median ratio {:.3}", median(ratios));
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
