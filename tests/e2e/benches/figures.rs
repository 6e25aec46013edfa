//! Measures the release binaries' memory, and the time to a mail: `make bench`.
//!
//! It prints figures and asserts none: they depend on the machine and on what else it does.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement that fails is to stop")]

use std::{
    fs,
    time::{Duration, Instant},
};

use rekey_e2e::{
    client::{Api, http},
    process::{Program, free_ports},
    shop::{ANNA, Shop},
    stack::Stack,
};
use reqwest::StatusCode;
use tempfile::TempDir;

/// The number of resets whose mails are awaited one after the other.
const MAILS: usize = 200;
/// The number of resets created by [`CLIENTS`] at once without waiting for their mails.
const CREATES: u32 = 2_000;
const CLIENTS: u32 = 16;

#[tokio::main]
async fn main() {
    embedded().await;
    production().await;
}

async fn embedded() {
    let data = TempDir::new().unwrap();
    for start in ["first", "second"] {
        let [port] = free_ports();
        let listen = format!("127.0.0.1:{port}");
        let began = Instant::now();
        let program = Program::start(
            "rekey",
            &["dev", "--data-dir", data.path().to_str().unwrap(), "--listen", &listen],
            &[],
        );
        ready(&format!("http://{listen}")).await;
        println!("rekey dev, {start} start to ready: {} ms", began.elapsed().as_millis());
        idle("rekey dev", &program).await;
        program.terminate().await;
    }
}

async fn production() {
    let shop = Shop::open(Stack::prepare().await).await;
    let stack = &shop.stack;
    let began = Instant::now();
    let api = stack.spawn("rekey-api");
    ready(&stack.api.url).await;
    println!("rekey-api, start to ready: {} ms", began.elapsed().as_millis());
    let mailer = stack.start_mailer().await;
    idle("rekey-api", &api).await;
    idle("rekey-mailer", &mailer).await;

    let token = shop.register_anna().await;
    let mut waits = Vec::new();
    for n in 1..=MAILS {
        let began = Instant::now();
        stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
        while stack.smtp.taken() < n {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        waits.push(began.elapsed());
    }
    waits.sort();
    let at = |percent: usize| waits[(MAILS - 1) * percent / 100].as_secs_f64() * 1e3;
    println!(
        "POST to the mail at the SMTP server, {MAILS} times: median {:.1} ms, 90 % {:.1} ms, 99 % {:.1} ms",
        at(50),
        at(90),
        at(99)
    );

    let began = Instant::now();
    let clients: Vec<_> =
        (0..CLIENTS).map(|_| tokio::spawn(create(stack.api.url.clone(), token.clone()))).collect();
    for client in clients {
        client.await.unwrap();
    }
    let rate = f64::from(CREATES) / began.elapsed().as_secs_f64();
    println!("resets created by {CLIENTS} clients, with the mailer running: {rate:.0} a second");
}

async fn create(url: String, token: String) {
    let api = Api::new(&url);
    for _ in 0..CREATES / CLIENTS {
        api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    }
}

async fn ready(url: &str) {
    let http = http(|builder| builder);
    while !http
        .get(format!("{url}/readyz"))
        .send()
        .await
        .is_ok_and(|answer| answer.status() == StatusCode::OK)
    {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The memory of an idle program.
async fn idle(name: &str, program: &Program) {
    tokio::time::sleep(Duration::from_secs(12)).await;
    let status = fs::read_to_string(format!("/proc/{}/status", program.pid())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    println!("{name}, idle: {} resident", resident.trim());
}
