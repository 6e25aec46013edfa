//! Measures the release binaries' memory, and how long they take to start: `make bench`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement that fails is to stop")]

use std::time::{Duration, Instant};

use rekey_e2e::{
    bench::{Figure, Report, milliseconds},
    client::http,
    process::{Program, free_ports, resident_megabytes},
    shop::Shop,
    stack::Stack,
    wait::TIMEOUT,
};
use reqwest::StatusCode;
use tempfile::TempDir;

const ROUNDS: usize = 3;

#[tokio::main]
async fn main() {
    let mut report = Report::new("figures", "Start, and memory while idle");
    embedded(&mut report).await;
    production(&mut report).await;
    report.save();
}

async fn embedded(report: &mut Report) {
    let (mut starts, mut memory) = ([Vec::new(), Vec::new()], Vec::new());
    for _ in 0..ROUNDS {
        let data = TempDir::new().unwrap();
        for times in &mut starts {
            let [port] = free_ports();
            let listen = format!("127.0.0.1:{port}");
            let start = Instant::now();
            let arguments = ["dev", "--data-dir", data.path().to_str().unwrap(), "--listen", &listen];
            let program = Program::start("rekey", &arguments, &[]);
            times.push(ready(&format!("http://{listen}"), start).await);
            memory.push(idle(&program).await);
            program.terminate().await;
        }
    }
    let [first, second] = starts.map(milliseconds);
    report.add(Figure::new("rekey dev without data, start to ready", "ms", first));
    report.add(Figure::new("rekey dev: start to ready", "ms", second));
    report.add(Figure::new("rekey dev: memory", "MB", memory));
}

async fn production(report: &mut Report) {
    let shop = Shop::open(Stack::prepare().await).await;
    let (mut times, mut memory) =
        ([Vec::new(), Vec::new(), Vec::new()], [Vec::new(), Vec::new(), Vec::new()]);
    let names = ["rekey-api", "rekey-mailer", "rekey-webhooks"];
    // The last two have the same admin listener.
    let urls = [&shop.stack.api, &shop.stack.mailer(), &shop.stack.mailer()].map(|api| api.url.clone());
    for _ in 0..ROUNDS {
        for (index, name) in names.into_iter().enumerate() {
            let start = Instant::now();
            let program = shop.stack.spawn(name);
            times[index].push(ready(&urls[index], start).await);
            memory[index].push(idle(&program).await);
            program.stop().await;
        }
    }
    for ((name, times), memory) in names.into_iter().zip(times.map(milliseconds)).zip(memory) {
        let ready = Figure::new(format!("{name}: start to ready"), "ms", times);
        // Before it is ready, only rekey-api does not listen.
        let note = "asked too early, `/readyz` repeats its answer for a second";
        report.add(if name == "rekey-api" { ready } else { ready.note(note) });
        report.add(Figure::new(format!("{name}: memory"), "MB", memory));
    }
}

/// Waits until a program is ready, and returns how long that took.
async fn ready(url: &str, start: Instant) -> Duration {
    let http = http(|builder| builder);
    while !http
        .get(format!("{url}/readyz"))
        .send()
        .await
        .is_ok_and(|answer| answer.status() == StatusCode::OK)
    {
        assert!(start.elapsed() < TIMEOUT, "{url} is not ready");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    start.elapsed()
}

/// The resident memory of a program that has been idle for longer than its hashing threads keep theirs, in megabytes.
async fn idle(program: &Program) -> f64 {
    tokio::time::sleep(Duration::from_secs(12)).await;
    resident_megabytes(program.pid()).unwrap().into()
}
