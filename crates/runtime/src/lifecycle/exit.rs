//! From a main's result to the process's exit code.

use std::{io::Write, process::ExitCode, time::Duration};

use super::StopError;
use crate::{config::ConfigError, install_crypto};

/// The whole of a main: runs `program` on a multi-threaded runtime with TLS ready, and says how it ended.
///
/// ```
/// fn main() -> std::process::ExitCode {
///     rekey_runtime::lifecycle::run("rekey-api", async { Ok(()) })
/// }
/// ```
pub fn run(name: &str, program: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    /// What a blocking call may still need once everything else is over; past it, the process ends without it.
    const LAST_CALLS: Duration = Duration::from_secs(1);
    install_crypto();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit_code(name, Err(error.into())),
    };
    let result = runtime.block_on(program);
    runtime.shutdown_timeout(LAST_CALLS);
    exit_code(name, result)
}

/// 0 after success, 2 when the configuration can't be used (as for a wrong command line), 1 for everything else.
///
/// An error is told on standard error in one line, `name: what: because`, but for a [`StopError`], which has been logged.
#[must_use]
pub fn exit_code(name: &str, result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    if !error.is::<StopError>() {
        let line = format!("{name}: {error:#}").replace(['\r', '\n'], " ");
        // Nobody is left to be told that standard error is closed.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
    ExitCode::from(if error.is::<ConfigError>() { 2 } else { 1 })
}
