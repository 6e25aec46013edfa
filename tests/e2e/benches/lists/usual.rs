//! Lists as back offices ask for them.

use rekey_core::{
    listing::{Comparison, Filter, Listing, Order, Path, Test},
    record::Value,
    resource::{CUSTOMER_PASSWORD_RESETS, CUSTOMERS, Resource},
    secret::ResetToken,
};
use rekey_testkit::seed;
use serde_json::json;
use time::{Duration, OffsetDateTime};

/// What lists are filtered by, in their default order unless the name says otherwise.
pub fn lists() -> Vec<(String, Listing)> {
    let resets = &CUSTOMER_PASSWORD_RESETS;
    let text = |text: &str| Test::Compare(Comparison::Equal, seed::text(text));
    let at = |comparison, days| Test::Compare(comparison, Value::Time(days_ago(days)));
    let range = |from, to| vec![at(Comparison::GreaterOrEqual, from), at(Comparison::Less, to)];
    let Value::Object(campaign) = seed::object(&json!({"campaign": "c77"})) else { unreachable!() };
    let token = ResetToken::parse(&"x".repeat(43)).unwrap();
    let mut lists = vec![
        ("all", Vec::new()),
        ("customer_email_eq", vec![(Some("customer"), "email", vec![text("customer77@example.com")])]),
        ("customer_id_eq", vec![(Some("customer"), "id", vec![text("7700000000")])]),
        ("reference_eq", vec![(None, "reference", vec![text("ORDER-77")])]),
        (
            "reference_in",
            vec![(None, "reference", vec![Test::In(["ORDER-76", "ORDER-77"].map(seed::text).to_vec())])],
        ),
        ("id_eq", vec![(None, "id", vec![text("7700000000")])]),
        ("reset_password_at_null", vec![(None, "reset_password_at", vec![Test::Null])]),
        ("reset_password_at, a day", vec![(None, "reset_password_at", range(3, 2))]),
        ("created_at, a day", vec![(None, "created_at", range(3, 2))]),
        ("updated_at, a day", vec![(None, "updated_at", range(3, 2))]),
        ("metadata_jcont", vec![(None, "metadata", vec![Test::Contains(campaign)])]),
        ("reset_password_token_eq", vec![(None, "reset_password_token", vec![Test::Token(token.digest())])]),
        (
            "customer_email_eq and reset_password_at_null",
            vec![
                (Some("customer"), "email", vec![text("customer77@example.com")]),
                (None, "reset_password_at", vec![Test::Null]),
            ],
        ),
    ]
    .into_iter()
    .map(|(name, tests)| (name.to_owned(), filtered(resets, tests)))
    .collect::<Vec<_>>();
    lists.push((
        "customers, email_eq".to_owned(),
        filtered(&CUSTOMERS, vec![(None, "email", vec![text("customer77@example.com")])]),
    ));
    lists.push((
        "customers, reference_eq".to_owned(),
        filtered(&CUSTOMERS, vec![(None, "reference", vec![text("C-77")])]),
    ));
    lists.extend(orders());
    lists
}

/// What lists are sorted by, either way, as a whole and filtered.
pub fn orders() -> Vec<(String, Listing)> {
    let mut orders = Vec::new();
    for (resource, names) in [
        (&CUSTOMER_PASSWORD_RESETS, &["created_at", "updated_at", "reference", "reference_origin", "id"][..]),
        (&CUSTOMERS, &["created_at", "email", "reference"]),
    ] {
        for (name, descending) in names.iter().flat_map(|name| [(name, false), (name, true)]) {
            let order = Order { attribute: resource.attribute(name).unwrap(), descending };
            let listing = Listing { order: vec![order], ..Listing::of(resource) };
            let sign = if descending { "-" } else { "" };
            orders.push((format!("{}, sort={sign}{name}", resource.name), listing));
        }
    }
    orders.push((
        "reset_password_at_null, the newest first".to_owned(),
        filtered(&CUSTOMER_PASSWORD_RESETS, vec![(None, "reset_password_at", vec![Test::Null])]),
    ));
    orders
}

type Asked = (Option<&'static str>, &'static str, Vec<Test>);

fn filtered(resource: &'static Resource, asked: Vec<Asked>) -> Listing {
    let filters = asked.into_iter().map(|(via, name, tests)| {
        let via = via.map(|via| resource.relationship(via).unwrap());
        let attribute = via.map_or(resource, |via| via.target).attribute(name).unwrap();
        Filter::All(tests.into_iter().map(|test| Filter::Test(Path { via, attribute }, test)).collect())
    });
    Listing { filter: Filter::All(filters.collect()), ..Listing::of(resource) }
}

#[expect(clippy::disallowed_methods, reason = "the shop's resets lead up to the machine's present")]
fn days_ago(days: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() - Duration::days(days)
}
