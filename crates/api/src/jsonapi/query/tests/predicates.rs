//! Every predicate of the contract, and the attributes that it applies to.

use std::collections::BTreeSet;

use rekey_core::resources::CUSTOMERS;

use super::{super::filter, *};

/// The contract's list.
const PREDICATES: &str = "
    eq eq_or_null not_eq not_eq_or_null not_eq_all in in_or_null not_in not_in_or_null
    lt lt_any lt_all lteq lteq_any lteq_all gt gt_any gt_all gteq gteq_any gteq_all
    matches matches_any matches_all does_not_match does_not_match_any does_not_match_all
    start start_any start_all not_start not_start_any not_start_all
    end end_any end_all not_end not_end_any not_end_all
    cont cont_any cont_all not_cont not_cont_all
    null not_null present blank";
/// The predicates for one kind of attribute only.
const OF_ONE_KIND: [&str; 3] = ["true", "false", "jcont"];

pub(super) fn all() -> BTreeSet<&'static str> {
    PREDICATES.split_whitespace().chain(OF_ONE_KIND).collect()
}

#[test]
fn the_predicates_are_those_of_the_contract() {
    let known: BTreeSet<String> = filter::predicate_names().collect();
    assert_eq!(known, all().into_iter().map(str::to_owned).collect());
}

#[test]
fn each_predicate_is_accepted_for_the_attributes_it_makes_sense_for() {
    let is_of_texts = |name: &str| {
        let base = name.trim_end_matches("_any").trim_end_matches("_all");
        ["matches", "does_not_match", "start", "not_start", "end", "not_end", "cont", "not_cont"]
            .contains(&base)
    };
    let is_of_nothing = |name: &str| ["null", "not_null", "present", "blank"].contains(&name);
    let is_of_order = |name: &str| !OF_ONE_KIND.contains(&name) && !is_of_texts(name);
    for (resource, attribute, value) in [
        (&CUSTOMERS, "reference", "1"),
        (&CUSTOMERS, "email", "1"),
        (&CUSTOMERS, "id", "1"),
        (&CUSTOMERS, "created_at", "2024-10-28"),
        (&CUSTOMERS, "has_password", "1"),
        (&CUSTOMERS, "metadata", r#"{"a":1}"#),
        (&CUSTOMER_PASSWORD_RESETS, "customer_email", "1"),
        (&CUSTOMER_PASSWORD_RESETS, "reset_password_at", "2024-10-28"),
        (&CUSTOMER_PASSWORD_RESETS, "reset_password_token", "1"),
    ] {
        for name in all() {
            let accepted = match attribute {
                "reference" | "email" | "id" | "customer_email" => !OF_ONE_KIND.contains(&name),
                "created_at" | "reset_password_at" => is_of_order(name),
                "has_password" => is_of_order(name) || ["true", "false"].contains(&name),
                "metadata" => is_of_nothing(name) || name == "jcont",
                _ => name == "eq",
            };
            let value = if is_of_nothing(name) { "1" } else { value };
            let read = filter::read(resource, &format!("filter[q][{attribute}_{name}]"), value);
            assert_eq!(read.err(), (!accepted).then_some(QueryProblem::Filter), "{attribute}_{name}");
        }
    }
}
