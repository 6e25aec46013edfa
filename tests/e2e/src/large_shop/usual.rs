use rekey_core::{
    resources::{
        CUSTOMER_PASSWORD_RESETS, CUSTOMERS, DELIVERIES, Resource,
        listing::{Comparison, Filter, Listing, Order, Path, Test},
        record::Value,
    },
    secrets::ResetToken,
};
use rekey_testkit::seed;
use serde_json::json;
use time::{Duration, OffsetDateTime};

/// A list that back offices request.
pub struct Usual {
    pub name: String,
    pub listing: Listing,
    /// Whether it contains most of a table's records.
    pub is_most: bool,
}

/// Lists with each common filter, and in each of their orders.
#[must_use]
pub fn lists() -> Vec<Usual> {
    let text = |text: &str| Test::Compare(Comparison::Equal, seed::text(text));
    let day = |from| {
        let at = |comparison, days| Test::Compare(comparison, Value::Time(days_ago(days)));
        vec![at(Comparison::GreaterOrEqual, from), at(Comparison::Less, from - 1)]
    };
    let references = Test::In(["ORDER-76", "ORDER-77"].map(seed::text).to_vec());
    let campaign = |name: &str| match seed::object(&json!({"campaign": name})) {
        Value::Object(object) => Test::Contains(object),
        _ => unreachable!(),
    };
    let token = ResetToken::parse(&"x".repeat(43)).unwrap();
    let email = || (Some("customer"), "email", vec![text("customer77@example.com")]);
    let unused = || (None, "reset_password_at", vec![Test::Null]);
    let resets = [
        ("customer_email_eq", vec![email()]),
        ("customer_id_eq", vec![(Some("customer"), "id", vec![text("7700000000")])]),
        ("reference_eq", vec![(None, "reference", vec![text("ORDER-77")])]),
        ("reference_in", vec![(None, "reference", vec![references])]),
        ("id_eq", vec![(None, "id", vec![text("7700000000")])]),
        ("reset_password_at_null", vec![unused()]),
        ("customer_email_eq and reset_password_at_null", vec![email(), unused()]),
        ("reset_password_at on a day", vec![(None, "reset_password_at", day(2))]),
        ("created_at on a day", vec![(None, "created_at", day(2))]),
        ("updated_at on a day", vec![(None, "updated_at", day(2))]),
        ("metadata_jcont", vec![(None, "metadata", vec![campaign("c77")])]),
        ("metadata_jcont of what nothing has", vec![(None, "metadata", vec![campaign("none")])]),
        ("deliveries_status_eq", vec![(Some("deliveries"), "status", vec![text("bounced")])]),
        ("reset_password_token_eq", vec![(None, "reset_password_token", vec![Test::Token(token.digest())])]),
    ];
    let customers = [
        ("customers, email_eq", vec![(None, "email", vec![text("customer77@example.com")])]),
        ("customers, reference_eq", vec![(None, "reference", vec![text("C-77")])]),
        ("customers, locale_eq", vec![(None, "locale", vec![text("sv")])]),
    ];
    let number = |number| Test::Compare(Comparison::Equal, Value::Integer(number));
    let some = Test::In(["bounced", "deferred"].map(seed::text).to_vec());
    let deliveries = [
        ("deliveries, status_eq", vec![(None, "status", vec![text("bounced")])]),
        ("deliveries, status_in", vec![(None, "status", vec![some])]),
        (
            "deliveries, status_eq on a day",
            vec![(None, "status", vec![text("sent")]), (None, "created_at", day(2))],
        ),
        ("deliveries, smtp_code_eq", vec![(None, "smtp_code", vec![number(550)])]),
        ("deliveries, updated_at on a day", vec![(None, "updated_at", day(2))]),
        ("deliveries, id_eq", vec![(None, "id", vec![text("77eeeeeeee")])]),
        ("deliveries, customer_email_eq", vec![email()]),
        ("deliveries, customer_id_eq", vec![(Some("customer"), "id", vec![text("7700000000")])]),
        ("deliveries, reset_id_eq", vec![(Some("customer_password_reset"), "id", vec![text("7700000000")])]),
    ];
    let resets = resets.map(|(name, asked)| filtered(name, &CUSTOMER_PASSWORD_RESETS, asked));
    let customers = customers.map(|(name, asked)| filtered(name, &CUSTOMERS, asked));
    let deliveries = deliveries.map(|(name, asked)| filtered(name, &DELIVERIES, asked));
    resets.into_iter().chain(customers).chain(deliveries).chain(orders()).collect()
}

/// Lists in each order, ascending and descending.
#[must_use]
pub fn orders() -> Vec<Usual> {
    let of_resets = ["created_at", "updated_at", "reference", "reference_origin", "id"];
    let of_customers = ["created_at", "updated_at", "email", "reference"];
    let of_deliveries = ["created_at", "updated_at", "id"];
    let resets = of_resets.into_iter().map(|name| (&CUSTOMER_PASSWORD_RESETS, name));
    let deliveries = of_deliveries.into_iter().map(|name| (&DELIVERIES, name));
    let customers = of_customers.into_iter().map(|name| (&CUSTOMERS, name));
    let sorted = resets.chain(customers).chain(deliveries).flat_map(|(resource, name)| {
        [("", false), ("-", true)].map(|(sign, descending)| {
            let order = vec![Order { attribute: resource.attribute(name).unwrap(), descending }];
            let listing = Listing { order, ..Listing::first_page(resource) };
            Usual { name: format!("{}, sort={sign}{name}", resource.name), listing, is_most: true }
        })
    });
    let unused = vec![(None, "reset_password_at", vec![Test::Null])];
    let unused = filtered("reset_password_at_null", &CUSTOMER_PASSWORD_RESETS, unused);
    sorted.chain([unused]).collect()
}

type Asked = (Option<&'static str>, &'static str, Vec<Test>);

fn filtered(name: &str, resource: &'static Resource, asked: Vec<Asked>) -> Usual {
    let filters = asked.into_iter().map(|(via, name, tests)| {
        let via = via.map(|via| resource.relationship(via).unwrap());
        let attribute = via.map_or(resource, |via| via.target).attribute(name).unwrap();
        Filter::All(tests.into_iter().map(|test| Filter::Test(Path { via, attribute }, test)).collect())
    });
    let listing = Listing { filter: Filter::All(filters.collect()), ..Listing::first_page(resource) };
    Usual { name: name.to_owned(), listing, is_most: false }
}

#[expect(clippy::disallowed_methods, reason = "the shop's resets lead up to the machine's present")]
fn days_ago(days: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() - Duration::days(days)
}
