//! Tests that the duration of a request does not reveal whether an address is known.

use std::time::Instant;

use rekey_e2e::{shop::Shop, stack::Stack};
use rekey_testkit::statistics::{random_swaps, rank_sum_z};
use reqwest::StatusCode;

/// The number of pairs of requests, each for new addresses.
const PAIRS: usize = 2_000;

/// The order in a pair is random, so that the machine's other work affects both kinds; `rank_sum_z` says how often |z| is above 5
/// without a difference. No mailer runs, since a mail server that is down or slow must not matter.
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
    for (n, swapped) in (1..=PAIRS).zip(random_swaps()) {
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
