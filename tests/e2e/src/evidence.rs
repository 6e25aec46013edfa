//! What the suites measured, for `docs/evidence.md`.

use std::{fs, path::PathBuf, process::Command};

use rekey_core::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::process::project;

/// Writes `results`, an object, to `NAME.json` in the folder that `REKEY_EVIDENCE` names, with the date, the machine and the versions. Without that
/// variable nothing is written: the tests leave the evidence alone.
///
/// `command` is what measures it again.
///
/// # Panics
/// If the file can't be written.
pub fn save(name: &str, command: &str, mut results: Value) {
    let Some(folder) = folder() else { return };
    results["command"] = json!(command);
    results["date"] = json!(SystemClock.now().date().to_string());
    results["machine"] = machine();
    results["versions"] = versions();
    fs::create_dir_all(&folder).unwrap();
    let text = serde_json::to_string_pretty(&results).unwrap() + "\n";
    fs::write(folder.join(format!("{name}.json")), text).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "an environment variable chooses the folder")]
fn folder() -> Option<PathBuf> {
    // Cargo runs tests in their package's folder.
    std::env::var("REKEY_EVIDENCE").ok().map(|folder| project().join(folder))
}

fn machine() -> Value {
    let field = |file: &str, key: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        line.map(|value| value.trim_start_matches([':', ' ', '\t', '=']).trim_matches('"').to_owned())
    };
    let kilobytes =
        field("/proc/meminfo", "MemTotal").and_then(|size| size.split(' ').next()?.parse::<u64>().ok());
    json!({
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "processor": field("/proc/cpuinfo", "model name"),
        "memory_gib": kilobytes.map(|size| size.div_ceil(1 << 20)),
        "system": field("/etc/os-release", "PRETTY_NAME"),
    })
}

fn versions() -> Value {
    json!({
        "Rekey": env!("CARGO_PKG_VERSION"),
        "Rust": first_line("rustc", "--version"),
        "PostgreSQL": first_line("psql", "--version"),
        "RabbitMQ": first_line("dpkg-query", "--showformat=${Version} --show rabbitmq-server"),
    })
}

fn first_line(program: &str, arguments: &str) -> Option<String> {
    let output = Command::new(program).args(arguments.split(' ')).output().ok()?;
    String::from_utf8(output.stdout).ok()?.lines().next().map(str::to_owned)
}
