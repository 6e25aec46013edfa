//! Suites whose cases are named in a macro: none may be written and then forgotten there.
#![cfg(test)]

#[test]
fn every_case_of_the_stores_suite_is_run() {
    let listed = include_str!("../src/conformance/stores.rs");
    for module in [
        include_str!("../src/conformance/stores/operator.rs"),
        include_str!("../src/conformance/stores/customers.rs"),
        include_str!("../src/conformance/stores/sessions.rs"),
        include_str!("../src/conformance/stores/refreshes.rs"),
        include_str!("../src/conformance/stores/revocations.rs"),
        include_str!("../src/conformance/stores/resets.rs"),
        include_str!("../src/conformance/stores/self_service.rs"),
        include_str!("../src/conformance/stores/lists.rs"),
        include_str!("../src/conformance/stores/tokens.rs"),
        include_str!("../src/conformance/stores/outbox.rs"),
        include_str!("../src/conformance/stores/ledger.rs"),
    ] {
        let cases = module.split("pub async fn ").skip(1).filter_map(|rest| rest.split('<').next());
        for case in cases {
            assert!(listed.contains(&format!("            {case},\n")), "{case} is in no run of the suite");
        }
    }
}
