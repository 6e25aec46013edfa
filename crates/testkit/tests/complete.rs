//! Tests that no case of a suite is missing in the macro that lists the cases.
#![cfg(test)]

use std::{
    fs,
    path::{Path, PathBuf},
};

#[test]
fn every_case_of_the_stores_suite_is_run() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance");
    let listed = fs::read_to_string(suite.join("stores/suite.rs")).unwrap();
    let modules = files_below(&suite.join("stores"));
    for module in &modules {
        let text = fs::read_to_string(module).unwrap();
        let cases = text.split("pub async fn ").skip(1).filter_map(|rest| rest.split('<').next());
        for case in cases {
            assert!(listed.contains(&format!("            {case},\n")), "{case} is in no run of the suite");
        }
    }
    assert!(modules.len() > 10, "the suite is read where it is");
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}
