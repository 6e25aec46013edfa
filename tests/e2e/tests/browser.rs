//! Runs the tests in `tests/browser`: the behaviour and look of the demo storefront and the hosted pages in Chromium.

use std::{process::Command, time::Duration};

use rekey_core::clock::{Clock, SystemClock};
use rekey_e2e::{
    dev::Dev,
    process::{Program, project},
};
use tempfile::TempDir;
use time::format_description::well_known::Rfc3339;

/// Settings for many resets from one address, and for a short code in every mail.
const SETTINGS: [(&str, &str); 5] = [
    ("resets.code", "true"),
    ("limits.token_per_minute", "0"),
    ("limits.test_per_minute", "0"),
    ("limits.page_per_minute", "0"),
    ("resets.self_service_cooldown_seconds", "0"),
];
/// The shortest lifetime that the configuration allows.
const SHORT_LIFE: Duration = Duration::from_mins(1);
/// Many times their duration on an idle machine.
const TIMEOUT: Duration = Duration::from_mins(30);

#[tokio::test]
async fn everything_in_a_real_browser() {
    let folder = project().join("tests/browser");
    assert!(folder.join("node_modules").exists(), "Playwright is not there: scripts/setup.sh installs it");
    let (data, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let dev = Dev::start_with(data.path(), &SETTINGS).await;
    let life = SHORT_LIFE.as_secs().to_string();
    let forgetful = Dev::start_with(other.path(), &[("resets.token_life_seconds", &life)]).await;
    let expiring = forgetful.reset(1).await;
    // A second more, since the token was created a moment ago.
    let until = SystemClock.now() + SHORT_LIFE + Duration::from_secs(1);

    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec", "--test-concurrency=2"]).current_dir(folder).envs([
        ("REKEY_URL", dev.api.url.as_str()),
        ("REKEY_CLIENT_ID", &dev.env["CLIENT_ID"]),
        ("REKEY_CLIENT_SECRET", &dev.env["CLIENT_SECRET"]),
        ("REKEY_SALES_CLIENT_ID", &dev.env["SALES_CLIENT_ID"]),
        ("REKEY_EXPIRING_LINK", &expiring.url),
        ("REKEY_EXPIRES_AT", &until.format(&Rfc3339).unwrap()),
    ]);
    let exit = Program::spawn("node --test", &mut node).end_within(TIMEOUT).await;
    println!("{}{}", exit.stdout, exit.stderr);
    assert_eq!(exit.code, Some(0), "a test of tests/browser failed, see above");
    let passed = exit.stdout.lines().find_map(|line| line.split_once("pass ")?.1.parse::<u32>().ok());
    assert!(passed.is_some_and(|passed| passed > 0), "Node found no tests");
}
