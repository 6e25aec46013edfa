//! The meaning of each predicate. It is Ransack's, which the vendor's API uses
//! (github.com/activerecord-hackery/ransack, "Search Matchers"); `jcont` and the compounds with `_or_null` are the vendor's
//! own.

use std::collections::{BTreeMap, BTreeSet};

use rekey_core::resources::{
    CUSTOMERS, Resource,
    record::{Record, Value},
};
use rekey_testkit::{
    evaluator::{Row, World},
    seed,
};
use serde_json::json;

use super::{predicates::all, *};

#[test]
fn each_predicate_means_what_ransack_and_the_vendor_say() {
    let world = World { rows: rows() };
    let mut tried = BTreeSet::new();
    for (asked, expected) in MEANINGS {
        let (name, value) = asked.split_once('=').unwrap();
        let query = format!("sort=email&filter[q][{name}]={value}").replace('%', "%25").replace('+', "%2B");
        let listing = Query::parse(&query).list(&CUSTOMERS).unwrap_or_else(|_| panic!("{asked}")).listing;
        let found = world.list(&listing).items;
        let found: Vec<&str> = found.iter().map(local_part).collect();
        assert_eq!(found.join(" "), *expected, "{asked}");
        tried.extend(
            all()
                .into_iter()
                .filter(|predicate| name.ends_with(&format!("_{predicate}")))
                .max_by_key(|name| name.len()),
        );
    }
    assert_eq!(tried, all(), "each predicate has a line");
}

/// Filters on the customers in [`rows`], and the customers that they find: the local parts of their addresses, in alphabetical order.
const MEANINGS: &[(&str, &str)] = &[
    ("reference_eq=abc", "ann"),
    ("reference_eq=ABC", "bob"),
    ("reference_eq=", "eve"),
    ("email_eq=ANN@Example.com", "ann"),
    ("reference_eq_or_null=abc", "ann nil"),
    // As in SQL, null is not unequal to anything.
    ("reference_not_eq=abc", "bob dan eve"),
    ("reference_not_eq_or_null=abc", "bob dan eve nil"),
    ("reference_not_eq_all=abc,ABC", "dan eve"),
    ("reference_in=abc,ABC,x", "ann bob"),
    ("reference_in_or_null=abc,x", "ann nil"),
    ("reference_not_in=abc,ABC", "dan eve"),
    ("reference_not_in_or_null=abc,ABC", "dan eve nil"),
    // Texts are compared by their bytes: capital letters come first.
    ("reference_lt=abc", "bob dan eve"),
    ("reference_lt_any=,ABC,abc", "bob dan eve"),
    ("reference_lt_all=abc,ABD", "bob dan eve"),
    ("reference_lteq=ABC", "bob dan eve"),
    ("reference_lteq_any=,50%_off", "dan eve"),
    ("reference_lteq_all=abc,ABC", "bob dan eve"),
    ("reference_gt=50%_off", "ann bob"),
    ("reference_gt_any=ABC,x", "ann"),
    ("reference_gt_all=,ABC", "ann"),
    ("reference_gteq=ABC", "ann bob"),
    ("reference_gteq_any=abc,ABC", "ann bob"),
    ("reference_gteq_all=abc,ABC", "ann"),
    ("reference_matches=a%c", "ann bob"),
    ("reference_matches=a_c", "ann bob"),
    ("reference_matches=a", ""),
    (r"reference_matches=50\%\_off", "dan"),
    ("reference_matches_any=x,%OFF", "dan"),
    ("reference_matches_all=a%,%c", "ann bob"),
    ("reference_does_not_match=a%", "dan eve"),
    ("reference_does_not_match_any=a%,%c", "dan eve"),
    ("reference_does_not_match_any=a%,5%", "ann bob dan eve"),
    ("reference_does_not_match_all=a%,5%", "eve"),
    ("reference_start=aB", "ann bob"),
    ("reference_start=%", ""),
    ("reference_start_any=5,A", "ann bob dan"),
    ("reference_start_all=a,ab", "ann bob"),
    ("reference_not_start=a", "dan eve"),
    ("reference_not_start_any=a,5", "ann bob dan eve"),
    ("reference_not_start_all=a,5", "eve"),
    ("reference_end=C", "ann bob"),
    ("reference_end_any=c,ff", "ann bob dan"),
    ("reference_end_all=c,bc", "ann bob"),
    ("reference_not_end=c", "dan eve"),
    ("reference_not_end_any=c,f", "ann bob dan eve"),
    ("reference_not_end_all=c,f", "eve"),
    ("reference_cont=B", "ann bob"),
    ("reference_cont=%_", "dan"),
    ("reference_cont_any=b,0", "ann bob dan"),
    ("reference_cont_all=5,f", "dan"),
    ("reference_not_cont=b", "dan eve"),
    ("reference_not_cont_all=b,0", "eve"),
    ("reference_null=true", "nil"),
    ("reference_null=false", "ann bob dan eve"),
    ("reference_not_null=1", "ann bob dan eve"),
    ("reference_not_null=0", "nil"),
    ("reference_present=true", "ann bob dan"),
    ("reference_present=0", "eve nil"),
    ("reference_blank=true", "eve nil"),
    ("reference_blank=false", "ann bob dan"),
    ("metadata_blank=true", "eve nil"),
    ("metadata_present=true", "ann bob dan"),
    ("metadata_null=true", ""),
    ("has_password_true=1", "ann"),
    ("has_password_true=0", "bob dan eve nil"),
    ("has_password_false=true", "bob dan eve nil"),
    ("has_password_eq=true", "ann"),
    ("has_password_in=true,false", "ann bob dan eve nil"),
    (r#"metadata_jcont={"vip":true}"#, "ann bob"),
    (r#"metadata_jcont={"tags":["b"]}"#, "ann"),
    (r#"metadata_jcont={"address":{"city":"Prato"}}"#, "dan"),
    (r#"metadata_jcont={"address":{}}"#, "dan"),
    ("metadata_jcont={}", "ann bob dan eve nil"),
    // A time equals the milliseconds that are shown, whatever its microseconds.
    ("created_at_eq=2024-10-28T14:36:05.408Z", "ann bob"),
    ("created_at_not_eq=2024-10-28T14:36:05.408Z", "dan eve nil"),
    ("created_at_in=2024-10-28T14:36:05.408Z,2024-10-29", "ann bob eve"),
    ("created_at_not_in=2024-10-28T14:36:05.408Z,2024-10-29", "dan nil"),
    ("created_at_lt=2024-10-28T14:36:05.408Z", "nil"),
    ("created_at_lteq=2024-10-28T14:36:05.408Z", "ann bob nil"),
    ("created_at_gt=2024-10-28T14:36:05.408Z", "dan eve"),
    ("created_at_gteq=2024-10-28T16:36:05.408+02:00", "ann bob dan eve"),
    ("created_at_gt_any=2024-10-29,2024-10-28T14:36:05.408Z", "dan eve"),
    ("created_at_lteq_all=2024-10-28T14:36:05.408Z,2024-10-29", "ann bob nil"),
    ("created_at_lteq=9999-12-31T23:59:59.999Z", "ann bob dan eve nil"),
    ("created_at_gt=9999-12-31T23:59:59.999Z", ""),
    ("reference_or_reference_origin_eq=erp", "ann eve"),
    ("reference_or_reference_origin_not_eq=abc", "ann bob dan eve"),
    ("reference_or_email_or_reference_origin_start=e", "ann eve"),
    ("reference_or_reference_origin_null=true", "bob dan nil"),
    // Through a relationship, in both directions: one related record is enough.
    ("customer_password_resets_reference_eq=first", "ann bob"),
    ("customer_password_resets_reference_not_eq=first", "ann"),
    ("customer_password_resets_reset_password_at_null=true", "ann"),
    ("customer_password_resets_reference_null=true", ""),
    ("reference_or_customer_password_resets_reference_eq=abc", "ann"),
];

fn local_part(record: &Record) -> &str {
    record.get("email").as_text().unwrap().split('@').next().unwrap()
}

fn rows() -> Vec<Row> {
    let micros = |micros| {
        Value::Time(value::time("2024-10-28T14:36:05.408Z").unwrap() + time::Duration::microseconds(micros))
    };
    let day = Value::Time(value::time("2024-10-29").unwrap());
    let text = |text: &str| seed::text(text);
    let customers = [
        ("CUSTOMERS1", "ann", text("abc"), text("erp"), json!({"vip": true, "tags": ["a", "b"]}), micros(0)),
        ("CUSTOMERS2", "bob", text("ABC"), Value::Null, json!({"vip": true}), micros(999)),
        (
            "CUSTOMERS3",
            "dan",
            text("50%_off"),
            Value::Null,
            json!({"vip": 1, "address": {"city": "Prato", "zip": 1}}),
            micros(1_000),
        ),
        ("CUSTOMERS4", "eve", text(""), text("erp"), json!({}), day),
        ("CUSTOMERS5", "nil", Value::Null, Value::Null, json!({}), micros(-1)),
    ];
    let customers = customers.map(|(id, name, reference, origin, metadata, created_at)| {
        row(
            &CUSTOMERS,
            id,
            None,
            [
                ("email", text(&format!("{name}@example.com"))),
                ("reference", reference),
                ("reference_origin", origin),
                ("metadata", seed::object(&metadata)),
                ("created_at", created_at),
                ("has_password", Value::Boolean(name == "ann")),
            ],
        )
    });
    let resets = [
        ("RESETS0001", "CUSTOMERS1", "first", micros(0)),
        ("RESETS0002", "CUSTOMERS1", "second", Value::Null),
        ("RESETS0003", "CUSTOMERS2", "first", micros(0)),
    ];
    let resets = resets.map(|(id, of, reference, used_at)| {
        row(
            &CUSTOMER_PASSWORD_RESETS,
            id,
            Some(of),
            [("reference", text(reference)), ("reset_password_at", used_at)],
        )
    });
    customers.into_iter().chain(resets).collect()
}

fn row<const N: usize>(
    resource: &'static Resource,
    id: &str,
    of: Option<&str>,
    values: [(&'static str, Value); N],
) -> Row {
    let values = BTreeMap::from(values);
    let record = Record::read(
        resource,
        id.parse().unwrap(),
        |attribute, _| Ok::<_, ()>(values.get(attribute.name).cloned().unwrap_or(Value::Null)),
        |_| Ok(of.map(|of| of.parse().unwrap())),
    );
    Row { record: record.unwrap(), about: None, token: None }
}
