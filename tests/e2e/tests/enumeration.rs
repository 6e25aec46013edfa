//! Whether the time of an answer tells if an address is known.

use std::time::Instant;

use rekey_e2e::{shop::Shop, stack::Stack};
use rekey_testkit::statistics::{lots, rank_sum_z};
use reqwest::StatusCode;

/// Pairs of requests, each for addresses that nobody asked for before.
const PAIRS: usize = 2_000;

/// What comes first in a pair is drawn by lot, so that whatever else the machine does falls on both; for how often |z| is above 5
/// with no difference, see `rank_sum_z`. No mailer runs: a mail server that is down or slow is not waited for.
#[tokio::test]
async fn enum_time_a_self_service_request_takes_as_long_for_a_known_as_for_an_unknown_address() {
    let shop = Shop::open(Stack::prepare().await).await;
    let (stack, api) = (&shop.stack, &shop.stack.api);
    let _api = stack.start_api().await;
    let guest = shop.storefront.token(api).await;
    let seeded = stack
        .texts(&format!(
            "INSERT INTO customers (id, organization_id, mode, email, metadata)
             SELECT lpad(n::text, 10, '0'), o.id, 'live', 'known' || n || '@example.com', '{{}}'
             FROM organizations o, generate_series(1, {PAIRS}) n RETURNING id"
        ))
        .await;
    assert_eq!(seeded.len(), PAIRS);

    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for (n, swapped) in (1..=PAIRS).zip(lots()) {
        let mut pair = [("known", &mut known), ("unknown", &mut unknown)];
        if swapped {
            pair.reverse();
        }
        for (name, times) in pair {
            let address = format!("{name}{n}@example.com");
            let asked = Instant::now();
            let answer = api.create_reset(&guest, &address).await;
            times.push(asked.elapsed());
            answer.expect(StatusCode::CREATED);
        }
    }
    let made = stack.texts("SELECT count(customer_id) || ' of ' || count(*) FROM password_resets").await;
    assert_eq!(made, [format!("{PAIRS} of {}", 2 * PAIRS)]);
    let z = rank_sum_z(&known, &unknown);
    println!("z = {z}");
    assert!(z.abs() < 5.0, "z = {z}");
}
