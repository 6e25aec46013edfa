//! What the suites measured, for `docs/evidence.md`.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::process::project;

/// Writes `results`, an object, to `NAME.json` in the folder that `REKEY_EVIDENCE` names, with the date, the machine and the versions. Without that
/// variable nothing is written: the tests leave the evidence alone.
///
/// `command` is what measures it again.
///
/// # Panics
/// If the file can't be written.
pub fn save(name: &str, command: &str, results: &Value) {
    let Some(folder) = folder() else { return };
    let file = folder.join(format!("{name}.json"));
    let mut child = Command::new(project().join("scripts/evidence.py"))
        .arg("--save")
        .arg(file)
        .args([command, "PostgreSQL", "RabbitMQ", "Rust"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    serde_json::to_writer(child.stdin.take().unwrap(), results).unwrap();
    assert!(child.wait().unwrap().success(), "{results}");
}

#[expect(clippy::disallowed_methods, reason = "an environment variable chooses the folder")]
fn folder() -> Option<PathBuf> {
    // Cargo runs tests in their package's folder.
    std::env::var("REKEY_EVIDENCE").ok().map(|folder| project().join(folder))
}
