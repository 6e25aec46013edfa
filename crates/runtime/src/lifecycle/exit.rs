//! From a main's result to the process's exit code.

use std::{io::Write, process::ExitCode, time::Duration};

use super::StopError;
use crate::{config::ConfigError, install_crypto};

/// Runs `program` on a multi-threaded runtime with TLS ready, and returns its exit code. This is the whole of a main.
///
/// ```
/// fn main() -> std::process::ExitCode {
///     rekey_runtime::lifecycle::run("rekey-api", async { Ok(()) })
/// }
/// ```
pub fn run(name: &str, program: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    /// How long the process waits for blocking calls after everything else has ended.
    const BLOCKING_TIMEOUT: Duration = Duration::from_secs(1);
    install_crypto();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit_code(name, Err(error.into())),
    };
    let result = runtime.block_on(program);
    runtime.shutdown_timeout(BLOCKING_TIMEOUT);
    exit_code(name, result)
}

/// Returns 0 after success, 2 when the configuration can't be used (as for a wrong command line), 1 for everything else.
///
/// Writes an error to standard error in one line, `name: what: because`, except for a [`StopError`], which has been logged.
#[must_use]
pub fn exit_code(name: &str, result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    if !error.is::<StopError>() {
        let line = format!("{name}: {error:#}").replace(['\r', '\n'], " ");
        // A closed standard error can't be reported anywhere.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
    ExitCode::from(if error.is::<ConfigError>() { 2 } else { 1 })
}
