//! Checks the OpenAPI document by a validator and by schemathesis, which derives requests from it and checks the responses.
#![expect(clippy::unwrap_used, reason = "a test that finds nothing is to fail")]

use std::{path::PathBuf, process::Command, time::Duration};

use rekey_e2e::{
    dev::{Dev, OLD_PASSWORD},
    process::{Exit, Program, project},
    wait::eventually,
};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

/// Many times the duration of schemathesis on an idle machine.
const TIMEOUT: Duration = Duration::from_mins(20);

#[tokio::test]
async fn the_description_is_an_openapi_document() {
    let mut command = tool("openapi-spec-validator");
    command.arg(project().join("docs/openapi.json"));
    let exit = Program::spawn("openapi-spec-validator", &mut command).end().await;
    assert_eq!(exit.code, Some(0), "{}{}", exit.stdout, exit.stderr);
}

/// Has a callback of the demo's webhook recorded, which no request creates.
async fn record_callback(dev: &Dev, token: &str) {
    dev.api.create_reset(token, "john@example.com").await.expect(StatusCode::CREATED);
    eventually("the callback to be recorded", async || {
        let listed = dev.api.call(Method::GET, "event_callbacks", token, &Value::Null).await;
        let count = listed.body.pointer("/meta/record_count").cloned();
        if count == Some(1.into()) { Ok(()) } else { Err(listed) }
    })
    .await;
}

#[tokio::test]
async fn schemathesis_finds_nothing() {
    let data = TempDir::new().unwrap();
    let limits = ["token", "live", "test", "sales_channel", "page"];
    let unlimited = limits.map(|limit| format!("limits.{limit}_per_minute"));
    let unlimited = unlimited.each_ref().map(|key| (key.as_str(), "0"));
    let dev = Dev::start_with(data.path(), &unlimited).await;
    let token = dev.integration().await;
    let customer = dev.log_in(OLD_PASSWORD).await.text("/owner_id");
    record_callback(&dev, &token).await;

    let folder = project().join("tests/e2e/schemathesis");
    let mut command = tool("schemathesis");
    command
        .arg(format!("--config-file={}", folder.join("schemathesis.toml").display()))
        .arg("run")
        .arg(format!("{}/openapi.json", dev.api.url))
        .arg(format!("--header=Authorization: Bearer {token}"))
        .arg("--checks=all")
        .env("SCHEMATHESIS_HOOKS", folder.join("hooks.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NO_PROXY", "*")
        .envs(&dev.env)
        .env("CUSTOMER_ID", customer)
        .current_dir(&data);
    let exit = Program::spawn("schemathesis", &mut command).end_within(TIMEOUT).await;
    let Exit { code, stdout, stderr } = exit;
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    let summary = stdout.split_once(" SUMMARY ").map_or(stdout.as_str(), |(_, summary)| summary);
    println!("{summary}");

    // The operation that serves the document is not among the tested ones.
    let operations = operations() - 1;
    assert!(
        summary.contains(&format!("Tested: {operations}")),
        "not each of {operations} was tried: {summary}"
    );
    for phase in ["Examples", "Coverage", "Fuzzing", "Stateful"] {
        assert!(summary.contains(&format!("✅ {phase}")), "{phase}: {summary}");
    }
    assert_eq!(dev.program.stderr().matches("ERROR rekey").count(), 0, "{}", dev.program.stderr());
}

/// Counts the operations in the document.
fn operations() -> usize {
    let text = std::fs::read_to_string(project().join("docs/openapi.json")).unwrap();
    let description: Value = serde_json::from_str(&text).unwrap();
    let paths = description.get("paths").and_then(Value::as_object).unwrap();
    paths.values().map(|path| path.as_object().unwrap().len()).sum()
}

/// The path of a program that `scripts/setup.sh` installs.
fn tool(name: &str) -> Command {
    let path: PathBuf = project().join("target/schemathesis/bin").join(name);
    assert!(path.exists(), "{} does not exist: `make setup` installs it", path.display());
    Command::new(path)
}
