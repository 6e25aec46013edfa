use rekey_core::{
    resources::{
        Attribute, CUSTOMER_PASSWORD_RESETS, CUSTOMERS,
        listing::{Cursor, Filter, Listing, Order, Page, Path, Test},
        record::{Record, Value},
    },
    scope::{Mode, Scope},
};

use super::*;

const SCOPE: &str = "x.organization_id = $1 AND x.mode = $2";

fn scope() -> Scope {
    Scope { organization: "ORGANIZAT1".parse().unwrap(), mode: Mode::Test }
}

#[test]
fn a_list_is_one_statement_and_its_values_are_bound() {
    let hostile = "'; DROP TABLE customers; --";
    let email = Path {
        via: CUSTOMER_PASSWORD_RESETS.relationship("customer"),
        attribute: CUSTOMERS.attribute("email").unwrap(),
    };
    let filter = Filter::Test(email, Test::In(vec![Value::Text(hostile.to_owned())]));
    let listing = Listing { filter, ..Listing::first_page(&CUSTOMER_PASSWORD_RESETS) };
    let select = count(Dialect::Postgres, scope(), &listing);
    assert_eq!(
        unquoted(&select),
        format!(
            "SELECT count(*) FROM shown_customer_password_resets AS x WHERE {SCOPE} AND EXISTS(SELECT 1 FROM shown_customers AS y \
             WHERE y.organization_id = $3 AND y.mode = $4 AND y.id = x.customer_id AND y.email IN ($5))"
        )
    );
    assert_eq!(select.values.0.0.last(), Some(&hostile.into()));
}

#[test]
fn a_place_in_a_list_begins_at_a_bound_of_an_index() {
    let at = Value::Time(time::OffsetDateTime::UNIX_EPOCH);
    let text = |text: &str| Value::Text(text.to_owned());
    let id = || text("CUSTOMERS1");
    for (order, values, expected) in [
        (&["-created_at"][..], vec![at.clone(), id()], "(x.created_at, x.id) < ($3, $4)"),
        (&["email"], vec![text("a"), id()], "(x.email, x.id) > ($3, $4)"),
        (&["-id"], vec![id()], "x.id < $3"),
        (&["reference"], vec![Value::Null, id()], "(x.reference IS NULL AND x.id > $3)"),
        (&["-reference"], vec![text("a"), id()], "(x.reference, x.id) < ($3, $4)"),
        (
            &["-created_at", "email"],
            vec![at, text("a"), id()],
            "(x.created_at <= $3 AND (x.created_at < $4 OR (x.email > $5 OR (x.email = $6 AND x.id > $7))))",
        ),
    ] {
        let text = following(order, &values);
        assert!(text.contains(&format!(" x.mode = $2 AND {expected} ORDER BY ")), "{text}");
        assert!(!text.contains(" UNION "), "{text}");
    }
    for (order, value, same, other) in [
        ("reference", text("a"), "(x.reference, x.id) > ($3, $4)", "x.reference IS NULL"),
        ("-reference", Value::Null, "(x.reference IS NULL AND x.id < $3)", "x.reference IS NOT NULL"),
    ] {
        let text = following(&[order], &[value, id()]);
        let (first, second) = text.split_once(" UNION ALL ").unwrap();
        assert!(first.contains(&format!(" AND {same} ORDER BY ")), "{text}");
        assert!(second.contains(&format!(" AND {other} ORDER BY ")), "{text}");
        assert_eq!(text.matches(" LIMIT 8").count(), 3);
    }
}

/// B10.
#[test]
fn any_number_of_related_records_is_found_by_one_parameter() {
    for dialect in [Dialect::Postgres, Dialect::Sqlite { now: 0 }] {
        for relationship in CUSTOMERS.relationships {
            let selects = [1, 2_500].map(|count| {
                let ids = vec!["CUSTOMERS1".parse().unwrap(); count];
                related(dialect, scope(), &CUSTOMERS, relationship, &ids)
            });
            assert_eq!(selects[0].text, selects[1].text);
            assert_eq!(selects[0].values.0.0.len(), selects[1].values.0.0.len());
        }
    }
}

/// What follows a place with these values, in that order of customers.
fn following(order: &[&str], values: &[Value]) -> String {
    let by = |name: &&str| Order {
        attribute: CUSTOMERS.attribute(name.trim_start_matches('-')).unwrap(),
        descending: name.starts_with('-'),
    };
    let listing = Listing { order: order.iter().map(by).collect(), ..Listing::first_page(&CUSTOMERS) };
    let total = listing.total_order();
    let read = |attribute: &'static Attribute, _| {
        let at = total.iter().position(|order| order.attribute == attribute);
        Ok::<_, ()>(at.map_or(Value::Null, |at| values[at].clone()))
    };
    let record = Record::read(&CUSTOMERS, "CUSTOMERS1".parse().unwrap(), read, |_| Ok(None)).unwrap();
    let cursor = Some(Cursor::after(&record, &total));
    page_text(&Listing { page: Page::After { cursor, size: 7 }, ..listing })
}

#[test]
fn a_page_asks_for_no_more_than_it_shows_and_one() {
    let text = |page| {
        let listing = Listing { page, ..Listing::first_page(&CUSTOMERS) };
        page_text(&listing)
    };
    assert!(text(Page::Number { number: 1, size: 7 }).ends_with(" LIMIT 7"));
    assert!(text(Page::Number { number: 3, size: 7 }).ends_with(" LIMIT 7 OFFSET 14"));
    assert!(text(Page::After { cursor: None, size: 7 }).ends_with(" LIMIT 8"));
}

fn page_text(listing: &Listing) -> String {
    unquoted(&page(Dialect::Postgres, scope(), listing))
}

fn unquoted(select: &Select) -> String {
    select.text.replace('"', "")
}
