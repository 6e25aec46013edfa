//! Measures what metrics cost: programs with and without them, in turn, on the same servers: `make bench`. A second program without them is the
//! control: it shows how much the figures differ by chance.
//!
//! The figures are printed, and none is asserted: they depend on the machine and on what else it does. The processor time of the program
//! depends less on that than the rate.
#![expect(clippy::unwrap_used, reason = "a measurement that fails is to stop")]

use std::time::{Duration, Instant};

use rekey_e2e::{
    bench::{Run, all_published, orders, processor_time, report},
    client::Api,
    process::{Program, free_ports},
    shop::{ANNA, Shop},
    stack::Stack,
};
use reqwest::StatusCode;

const ROUNDS: usize = 12;
/// How many resets are created in a run, by [`CLIENTS`] at once.
const CREATES: u32 = 1_600;
const CLIENTS: u32 = 16;

#[tokio::main]
async fn main() {
    let shop = Shop::open(Stack::prepare().await).await;
    let stack = &shop.stack;
    let programs =
        [(stack.start_api().await, stack.api.clone()), another_api(stack).await, another_api(stack).await];
    let token = shop.register_anna().await;

    let mut runs: [Vec<Run>; 3] = Default::default();
    for order in orders(ROUNDS) {
        for kind in order {
            let (program, api) = programs.get(kind).unwrap();
            all_published(stack).await;
            runs.get_mut(kind).unwrap().push(creates(api, &token, program).await);
        }
    }
    report("resets created", "metrics", &runs);

    // The mails of the first part, before those that are measured.
    let mut runs: [Vec<Run>; 3] = Default::default();
    drain(&shop, &stack.start_mailer().await, usize::try_from(CREATES).unwrap() * 3 * ROUNDS).await;
    let (program, api) = &programs[1];
    for order in orders(ROUNDS) {
        for kind in order {
            let before = stack.smtp.taken();
            creates(api, &token, program).await;
            all_published(stack).await;
            let admin = if kind == 0 { Vec::new() } else { vec![("admin.listen", "off".to_owned())] };
            let role = [("database.url", stack.database.url_as("rekey_mailer"))];
            let mailer = stack.spawn_with("rekey-mailer", &[role.to_vec(), admin].concat());
            let run = drain(&shop, &mailer, before + usize::try_from(CREATES).unwrap()).await;
            runs.get_mut(kind).unwrap().push(run);
            mailer.terminate().await;
        }
    }
    report("mails sent", "metrics", &runs);
}

/// Starts an API without metrics.
async fn another_api(stack: &Stack) -> (Program, Api) {
    let [port] = free_ports();
    let role = stack.database.url_as("rekey_api");
    let own = [
        ("server.listen", format!("127.0.0.1:{port}")),
        ("admin.listen", "off".to_owned()),
        ("database.url", role),
    ];
    let program = stack.spawn_with("rekey-api", &own);
    let api = Api::new(&format!("http://127.0.0.1:{port}"));
    api.ready().await;
    (program, api)
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
