//! Measures the mails a second of 1, 2 and 4 mailers on a RabbitMQ cluster of three nodes: `make bench`. The relay takes a tenth of a second for each mail,
//! as one on the internet does, so that more mailers can show what they add before the processors of one machine are used up.
#![expect(clippy::unwrap_used, reason = "a measurement that fails is to stop")]

use std::time::Instant;

use rekey_e2e::{
    bench::{Figure, Report, all_published, arrived, create_resets, orders, ratios},
    broker::Broker,
    shop::Shop,
    stack::Stack,
};

const MAILERS: [u32; 3] = [1, 2, 4];
const ROUNDS: usize = 3;
/// How many mails a run has.
const MAILS: u32 = 800;
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
            rates.get_mut(kind).unwrap().push(rate);
        }
    }
    let mut report = Report::new("scaling", "Mails sent by 1, 2 and 4 mailers on a cluster of three nodes");
    add_figures(&mut report, &rates);
    report.save();
}

/// Returns the mails a second while all mailers run.
async fn run(shop: &Shop, token: &str, mailers: u32) -> f64 {
    let stack = &shop.stack;
    let all = stack.smtp.taken() + usize::try_from(MAILS).unwrap();
    create_resets(&stack.api, token, MAILS).await;
    all_published(stack).await;
    let mut running = Vec::new();
    for _ in 0..mailers {
        running.push(stack.start_another("rekey-mailer").await.0);
    }
    let (began, before) = (Instant::now(), stack.smtp.taken());
    arrived(&stack.smtp, all).await;
    let count = u32::try_from(all - before).unwrap();
    let rate = f64::from(count) / began.elapsed().as_secs_f64();
    for mailer in running {
        mailer.stop().await;
    }
    rate
}

fn add_figures(report: &mut Report, rates: &[Vec<f64>; 3]) {
    let [one, ..] = rates;
    for (mailers, rates) in MAILERS.iter().zip(rates) {
        report.add(Figure::new(format!("mails sent by {mailers} rekey-mailer"), "per second", rates.clone()));
        if *mailers > 1 {
            report.add(Figure::new(
                format!("{mailers} rekey-mailer, next to one"),
                "times",
                ratios(rates, one),
            ));
        }
    }
}
