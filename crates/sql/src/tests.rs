use rekey_core::{
    access::{Mode, Scope},
    listing::{Cursor, Filter, Listing, Page, Path, Test},
    resource::{CUSTOMER_PASSWORD_RESETS, CUSTOMERS},
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
    let filter = Filter::Test(email, Test::In(vec![rekey_core::record::Value::Text(hostile.to_owned())]));
    let listing = Listing { filter, ..Listing::of(&CUSTOMER_PASSWORD_RESETS) };
    let (text, binds) = count(Dialect::Postgres, scope(), &listing).into_parts();
    assert_eq!(
        text,
        format!(
            "SELECT count(*) FROM shown_customer_password_resets x WHERE {SCOPE} AND EXISTS (SELECT 1 FROM shown_customers y \
             WHERE y.organization_id = $3 AND y.mode = $4 AND y.id = x.customer_id AND y.email IN ($5))"
        )
    );
    assert_eq!(binds.last(), Some(&Bind::Text(Some(hostile.to_owned()))));
}

#[test]
fn a_place_in_a_list_begins_at_a_bound_of_its_index() {
    let listing = Listing::of(&CUSTOMERS);
    let order = listing.total_order();
    let encoded = Cursor::decode("nonsense", &order);
    assert!(encoded.is_none());
    let mut statement = Statement::new(Dialect::Postgres);
    let at = rekey_core::record::Value::Time(time::OffsetDateTime::UNIX_EPOCH);
    let id = rekey_core::record::Value::Text("CUSTOMERS1".to_owned());
    order::push_after(&mut statement, &order, &[at, id]);
    order::push_order(&mut statement, &order);
    assert_eq!(
        statement.into_parts().0,
        "(x.created_at <= $1 AND ((x.created_at < $2) OR (x.created_at = $3 AND x.id < $4))) \
         ORDER BY x.created_at DESC, x.id DESC"
    );
}

#[test]
fn a_page_asks_for_no_more_than_it_shows_and_one() {
    let text = |page| {
        let listing = Listing { page, ..Listing::of(&CUSTOMERS) };
        page_text(&listing)
    };
    assert!(text(Page::Number { number: 1, size: 7 }).ends_with(" LIMIT 7"));
    assert!(text(Page::Number { number: 3, size: 7 }).ends_with(" LIMIT 7 OFFSET $3"));
    assert!(text(Page::After { cursor: None, size: 7 }).ends_with(" LIMIT 8"));
}

fn page_text(listing: &Listing) -> String {
    page(Dialect::Postgres, scope(), listing).into_parts().0
}
