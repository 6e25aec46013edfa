//! Measures what metrics cost: programs with and without them, in turn, on the same servers: `make bench`. A second program without them is the
//! control: it shows how much the figures differ by chance.
//!
//! The processor time of the program depends less on what else the machine does than the rate.
#![expect(clippy::unwrap_used, reason = "a measurement that fails is to stop")]

use std::time::Instant;

use rekey_e2e::{
    bench::{
        Report, Run, all_published, arrived, compare, create_resets, drain, orders, processor_time, run,
    },
    client::Api,
    process::{Program, free_ports},
    shop::Shop,
    stack::Stack,
};

const ROUNDS: usize = 12;
/// How many resets are created in a run.
const CREATES: u32 = 1_600;

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
    let mut report = Report::new("metrics", "What metrics cost");
    compare(&mut report, ["resets a second", "processor time of rekey-api for a reset"], &runs);

    // The mails of the first part, before those that are measured.
    let mut runs: [Vec<Run>; 3] = Default::default();
    let mailer = stack.start_mailer().await;
    arrived(&stack.smtp, usize::try_from(CREATES).unwrap() * 3 * ROUNDS).await;
    mailer.stop().await;
    let (program, api) = &programs[1];
    for order in orders(ROUNDS) {
        for kind in order {
            let before = stack.smtp.taken();
            creates(api, &token, program).await;
            all_published(stack).await;
            let admin = if kind == 0 { Vec::new() } else { vec![("admin.listen", "off".to_owned())] };
            let role = [("database.url", stack.database.url_as("rekey_mailer"))];
            let mailer = stack.spawn_with("rekey-mailer", &[role.to_vec(), admin].concat());
            let run = drain(&stack.smtp, mailer.pid(), before + usize::try_from(CREATES).unwrap()).await;
            runs.get_mut(kind).unwrap().push(run);
            mailer.terminate().await;
        }
    }
    compare(&mut report, ["mails a second", "processor time of rekey-mailer for a mail"], &runs);
    report.save();
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
    let (start, used) = (Instant::now(), processor_time(program.pid()));
    create_resets(api, token, CREATES).await;
    run(start, used, program.pid(), CREATES)
}
