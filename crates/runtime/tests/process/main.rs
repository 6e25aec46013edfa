//! What only a whole process can show: signals, exit codes, panics, the environment, and what is sent to a collector.
//!
//! Each check starts this program again with `--role NAME`, and observes it from outside.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a check that finds nothing is to fail")]

mod child;
mod collector;
mod lifecycle;
mod roles;
mod telemetry;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, role] = arguments.as_slice()
        && flag == "--role"
    {
        return roles::play(role);
    }
    let filter = arguments.iter().find(|argument| !argument.starts_with('-'));
    for (name, check) in lifecycle::CHECKS.iter().chain(telemetry::CHECKS) {
        if filter.is_none_or(|filter| name.contains(filter.as_str())) {
            // A failed check panics, which ends this process with a failure.
            check();
            println!("test {name} ... ok");
        }
    }
    ExitCode::SUCCESS
}

/// A check and its name.
type Check = (&'static str, fn());
