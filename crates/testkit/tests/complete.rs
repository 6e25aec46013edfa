//! Tests that no case of a suite is missing in the macro that lists the cases.
#![cfg(test)]

use std::{fs, path::Path};

#[test]
fn every_case_of_the_stores_suite_is_run() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance");
    let listed = fs::read_to_string(suite.join("stores.rs")).unwrap();
    let mut modules = 0;
    for module in fs::read_dir(suite.join("stores")).unwrap() {
        let text = fs::read_to_string(module.unwrap().path()).unwrap();
        modules += 1;
        let cases = text.split("pub async fn ").skip(1).filter_map(|rest| rest.split('<').next());
        for case in cases {
            assert!(listed.contains(&format!("            {case},\n")), "{case} is in no run of the suite");
        }
    }
    assert!(modules > 10, "the suite is read where it is");
}
