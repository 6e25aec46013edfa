//! Load by `wrk`.

use std::process::Command;

use super::{CLIENTS, CUSTOMERS};
use crate::{client::reset, process::project};

/// Requests that `wrk` repeats.
#[derive(Debug, Clone)]
pub struct Requests {
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    /// The body, in which NUMBER is replaced by that of a random customer, up to [`CUSTOMERS`].
    pub body: String,
}

impl Requests {
    /// Requests for resets, by that access token, for addresses that begin with that name.
    #[must_use]
    pub fn resets(url: &str, token: &str, name: &str) -> Self {
        Self {
            url: format!("{url}/api/customer_password_resets"),
            headers: vec![
                ("authorization", format!("Bearer {token}")),
                ("content-type", "application/vnd.api+json".to_owned()),
            ],
            body: reset(&format!("{name}NUMBER@example.com")).to_string(),
        }
    }
}

/// What `wrk` reports.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub requests: f64,
    pub seconds: f64,
    pub median_ms: f64,
    pub p99_ms: f64,
}

/// Sends POST requests for that many seconds, over [`CLIENTS`] connections.
///
/// # Panics
/// If a request fails or its answer is an error.
#[must_use]
pub fn wrk(requests: &Requests, seconds: u32) -> Load {
    let headers: Vec<_> = requests.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let mut command = Command::new("wrk");
    command.args(["--threads", "1", "--connections", &CLIENTS.to_string(), "--timeout", "30s"]);
    command.args(["--duration", &seconds.to_string(), "--script"]);
    command.arg(project().join("tests/e2e/benches/requests.lua")).arg(&requests.url);
    command
        .env("HEADERS", headers.join("\n"))
        .env("BODY", &requests.body)
        .env("CUSTOMERS", CUSTOMERS.to_string());
    let text = output(&mut command);
    let result =
        text.lines().find_map(|line| line.strip_prefix("RESULT ")).unwrap_or_else(|| panic!("{text}"));
    let figures: Vec<f64> = result.split(' ').map(|figure| figure.parse().unwrap()).collect();
    let [requests, refused, failed, duration, median, p99] = figures[..] else { panic!("{result}") };
    assert!(refused + failed == 0.0, "{result}");
    Load { requests, seconds: duration / 1e6, median_ms: median / 1e3, p99_ms: p99 / 1e3 }
}

/// Runs a command to its end, and returns its standard output.
///
/// # Panics
/// If it fails.
#[must_use]
pub fn output(command: &mut Command) -> String {
    let name = command.get_program().to_owned();
    let output = command.output().unwrap_or_else(|error| panic!("{}: {error}", name.display()));
    assert!(output.status.success(), "{}: {output:?}", name.display());
    String::from_utf8(output.stdout).unwrap()
}
