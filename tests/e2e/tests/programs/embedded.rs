//! `rekey dev`, from the request to a log-in with the new password.
#![expect(clippy::unwrap_used, reason = "a test that finds nothing is to fail")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use futures_util::future::{join_all, select_all};
use rekey_e2e::{
    client::http,
    dev::{Dev, JOHN, OLD_PASSWORD},
    mail::Link,
    page::{Browser, Form, header},
    process::Program,
    wait::eventually,
};
use rekey_testkit::backdoor::{Backdoor, SqliteBackdoor};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

const NEW_PASSWORD: &str = "Tr0ub4dor & 3 piñatas";

#[tokio::test]
async fn a_customer_gets_a_new_password_by_the_page_behind_the_link() {
    let data = TempDir::new().unwrap();
    let dev = Dev::start(data.path()).await;
    let session = dev.log_in(OLD_PASSWORD).await.expect(StatusCode::OK);
    let (access, owner) = (session.text("/access_token"), session.text("/owner_id"));
    let account = format!("customers/{owner}");
    dev.api.call(Method::GET, &account, &access, &Value::Null).await.expect(StatusCode::OK);

    let link = dev.reset(1).await;
    assert!(link.url.starts_with(&dev.api.url), "{}", link.url);
    let browser = Browser::default();
    let (target, page) = browser.open(&link.url).await;
    assert!(!target.as_str().contains(&link.token), "the token has left the address: {target}");
    for (name, value) in [("cache-control", "no-store"), ("referrer-policy", "no-referrer")] {
        assert!(header(&page, name).contains(value), "{name}");
    }
    assert!(header(&page, "content-security-policy").contains("frame-ancestors 'none'"));
    let done = browser.submit(&Form::of(page).await, NEW_PASSWORD).await;
    assert!(done.status().is_success() || done.status().is_redirection(), "{}", done.status());

    dev.log_in(NEW_PASSWORD).await.expect(StatusCode::OK);
    let refused = dev.log_in(OLD_PASSWORD).await;
    assert_eq!(refused.text("/error"), "invalid_grant");
    let dead = dev.api.call(Method::GET, &account, &access, &Value::Null).await;
    assert_eq!(dead.expect(StatusCode::UNAUTHORIZED).text("/errors/0/code"), "INVALID_TOKEN");

    let mails = dev.mails(2).await;
    let subjects: Vec<_> = mails.iter().map(|mail| mail["subject"].as_str().unwrap()).collect();
    assert!(subjects[0].contains("changed"), "{subjects:?}");
    assert!(!mails[0].to_string().contains("token="), "no link in the mail about the change");
}

#[tokio::test]
async fn the_back_office_reads_the_outcome_of_a_mail() {
    let data = TempDir::new().unwrap();
    let dev = Dev::start(data.path()).await;
    let (link, token) = (dev.reset(1).await, dev.integration().await);
    let path = format!("customer_password_resets/{}?include=deliveries", link.id);
    // The mail is in the mailbox a moment before its outcome is recorded.
    let delivery = eventually("the delivery to be sent", async || {
        let answer = dev.api.call(Method::GET, &path, &token, &Value::Null).await.expect(StatusCode::OK);
        let delivery = answer.body["included"][0].clone();
        if delivery["attributes"]["status"] == "sent" { Ok(delivery) } else { Err(answer) }
    })
    .await;
    let attributes = &delivery["attributes"];
    assert_eq!((&attributes["mail"], &attributes["attempts"]), (&json!("reset_requested"), &json!(1)));
    assert_eq!(attributes["relay"], "mailbox");
    assert!(attributes["sent_at"].is_string(), "{attributes}");
}

#[tokio::test]
async fn scanner() {
    let data = TempDir::new().unwrap();
    let dev = Dev::start(data.path()).await;
    let link = dev.reset(1).await;
    for _ in 0..50 {
        let scanner = Browser::default();
        assert!(scanner.head(&link.url).await.status().is_redirection());
        let (_, page) = scanner.open(&link.url).await;
        assert_eq!(page.status(), StatusCode::OK);
        assert!(!page.text().await.unwrap().contains(&link.token), "the page does not show the token");
    }
    dev.log_in(OLD_PASSWORD).await.expect(StatusCode::OK);

    let browser = Browser::default();
    let (_, page) = browser.open(&link.url).await;
    browser.submit(&Form::of(page).await, NEW_PASSWORD).await;
    dev.log_in(NEW_PASSWORD).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn started_again_it_keeps_its_data_and_secrets() {
    let data = TempDir::new().unwrap();
    let first = Dev::start(data.path()).await;
    let link = first.reset(1).await;
    let (token, env) = (first.integration().await, first.env.clone());
    let keys: Vec<_> = env.keys().map(String::as_str).collect();
    assert_eq!(keys, ["CLIENT_ID", "CLIENT_SECRET", "SALES_CLIENT_ID", "SELF_SERVICE_CLIENT_ID"]);
    for file in files(data.path()) {
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert!(mode == 0o600 || !is_secret(&file), "{} is {mode:o}", file.display());
    }
    let exit = first.program.terminate().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");

    let again = Dev::start(data.path()).await;
    assert_eq!(again.env, env);
    // The keys are the same, so the token and the link of the first run are still valid.
    let path = format!("customer_password_resets/{}", link.id);
    again.api.call(Method::GET, &path, &token, &Value::Null).await.expect(StatusCode::OK);
    again.mails(1).await;
    let completed = again.api.complete(&token, &link.id, &link.token, NEW_PASSWORD).await;
    completed.expect(StatusCode::OK);
    again.log_in(NEW_PASSWORD).await.expect(StatusCode::OK);
}

/// A11: its one process may do everything.
#[tokio::test]
async fn old_records_are_deleted() {
    let data = TempDir::new().unwrap();
    let dev = Dev::start(data.path()).await;
    let database = SqliteBackdoor::open(&data.path().join("rekey.db"));
    eventually("the entries to be chained", async || match database.count("audit_queue", "true").await {
        0 => Ok(()),
        left => Err(left),
    })
    .await;
    assert_eq!(dev.program.terminate().await.code, Some(0));
    for (table, column) in [("audit_entries", "created_at"), ("audit_chain", "entry_created_at")] {
        database.age(table, column, "true", time::Duration::days(401)).await;
    }
    assert_ne!(database.count("audit_entries", "true").await, 0);
    let _dev = Dev::start(data.path()).await;
    // This start is at another port, where it has moved the demo's webhooks.
    let old = "NOT (resource_type = 'webhooks' AND action = 'update')";
    eventually("no old audit entries", async || match database.count("audit_entries", old).await {
        0 => Ok(()),
        left => Err(left),
    })
    .await;
}

/// B9.
#[tokio::test]
async fn crash_a_killed_process_holds_no_idempotency_key_after_the_next_start() {
    let data = TempDir::new().unwrap();
    // A hash takes a while, so that the process is killed during one.
    let slow = [("passwords.hashing_threads", "1"), ("passwords.argon2_iterations", "10")];
    let dev = Dev::start_with(data.path(), &slow).await;
    let (url, token) = (dev.api.url.clone(), dev.integration().await);
    let create = async |url: &str, email: &str| -> reqwest::Result<(StatusCode, Value)> {
        let body = json!({ "data": { "type": "customers", "attributes": { "email": email, "password": "three small words" } } });
        let request = http(|builder| builder).post(format!("{url}/api/customers")).bearer_auth(&token);
        let request =
            request.header("content-type", "application/vnd.api+json").header("idempotency-key", email);
        let answer = request.body(body.to_string()).send().await?;
        Ok((answer.status(), answer.json().await?))
    };
    let others: Vec<_> = (0..20).map(|n| format!("joe{n}@example.com")).collect();
    let others = join_all(others.iter().map(|email| create(&url, email)));
    let killed_at_work = async {
        let calls = [0; 2].map(|_| Box::pin(create(&url, "jane@example.com")));
        let (first, ..) = select_all(calls).await;
        let (status, body) = first.unwrap();
        assert_eq!(
            (status, &body["errors"][0]["code"]),
            (StatusCode::CONFLICT, &json!("IDEMPOTENCY_KEY_IN_USE"))
        );
        dev.program.crash();
    };
    tokio::join!(others, killed_at_work);

    let again = Dev::start(data.path()).await;
    let (status, body) = create(&again.api.url, "jane@example.com").await.unwrap();
    assert_eq!(status, StatusCode::CREATED, "{body}");
}

#[tokio::test]
async fn one_process_has_a_data_directory() {
    let data = TempDir::new().unwrap();
    let _dev = Dev::start(data.path()).await;
    let arguments = ["dev", "--data-dir", data.path().to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let second = Program::start("rekey", &arguments, &[]).end().await;
    assert_eq!((second.code, second.stdout.as_str()), (Some(1), ""), "{second:?}");
    let message = "rekey: another `rekey dev` uses the data directory ";
    assert!(second.stderr.starts_with(message) && second.stderr.lines().count() == 1, "{second:?}");
}

#[tokio::test]
async fn a_port_in_use_is_reported_with_the_remedy() {
    let (data, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let dev = Dev::start(data.path()).await;
    let taken = dev.api.url.strip_prefix("http://").unwrap();
    let arguments = ["dev", "--data-dir", other.path().to_str().unwrap(), "--listen", taken];
    let second = Program::start("rekey", &arguments, &[]).end().await;
    assert_eq!((second.code, second.stdout.as_str()), (Some(1), ""), "{second:?}");
    let message = format!("rekey: another program listens on {taken}: choose another port, with `--listen ");
    assert!(second.stderr.starts_with(&message) && second.stderr.lines().count() == 1, "{second:?}");
}

#[tokio::test]
async fn the_printed_commands_work_when_pasted() {
    let data = TempDir::new().unwrap();
    let dev = Dev::start(data.path()).await;
    let printed = eventually("the printed commands", async || {
        let text = dev.program.stdout();
        if text.contains("YOUR NEW PASSWORD") { Ok(text) } else { Err(text) }
    });
    let printed = printed.await;
    let is_command =
        |line: &&str| line.starts_with(". ") || line.starts_with("TOKEN=") || line.starts_with("curl ");
    let commands: Vec<_> = printed.lines().map(str::trim).filter(is_command).collect();
    let (last, first) = commands.split_last().unwrap();

    let reset: Value = serde_json::from_str(&paste(&first.join("\n"))).unwrap();
    let link = Link::find(dev.mails(1).await[0]["text"].as_str().unwrap());
    assert_eq!(reset["data"]["id"], link.id.as_str());
    let page = Browser::default().get(&format!("{}/dev/mailbox", dev.api.url)).await;
    assert!(page.text().await.unwrap().contains(JOHN), "the mailbox's page shows the mail");

    let browser = Browser::default();
    let (_, page) = browser.open(&link.url).await;
    browser.submit(&Form::of(page).await, "a password without quotes").await;
    let log_in = last.replace("YOUR NEW PASSWORD", "a password without quotes");
    let session: Value = serde_json::from_str(&paste(&[first[0], &log_in].join("\n"))).unwrap();
    assert_eq!(session["owner_type"], "customer", "{session}");
}

#[tokio::test]
async fn a_storefront_under_development_may_read_responses() {
    let data = TempDir::new().unwrap();
    let dev = Dev::start(data.path()).await;
    let url = format!("{}/oauth/token", dev.api.url);
    for (client, allowed) in [("SALES_CLIENT_ID", "*"), ("SELF_SERVICE_CLIENT_ID", "*"), ("CLIENT_ID", "")] {
        let mut grant = json!({ "grant_type": "client_credentials", "client_id": dev.env[client] });
        if client == "CLIENT_ID" {
            grant["client_secret"] = json!(dev.env["CLIENT_SECRET"]);
        }
        let page = http(|builder| builder).post(&url).header("origin", "http://localhost:5173");
        let answer = page.json(&grant).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let named = answer.headers().get("access-control-allow-origin");
        assert_eq!(named.map_or("", |origin| origin.to_str().unwrap()), allowed, "{client}");
    }
}

/// Returns the output of a shell for these commands.
fn paste(commands: &str) -> String {
    let output = Command::new("sh").args(["-eu", "-c", commands]).output().unwrap();
    assert!(output.status.success(), "{commands}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the files directly in a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).collect()
}

fn is_secret(file: &Path) -> bool {
    let name = file.file_name().unwrap().to_str().unwrap();
    name == "demo.env" || name.contains("key")
}
