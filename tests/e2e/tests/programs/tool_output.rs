//! What the commands of `rekey` print, for people and for scripts, and how they end.
#![cfg(test)]

use std::{
    fs,
    io::pipe,
    path::Path,
    process::{Command, Stdio},
};

use rekey_e2e::{
    process::{Program, binary},
    stack::{Stack, variable},
};
use serde_json::Value;
use tempfile::TempDir;

#[tokio::test]
async fn tables_are_aligned_and_json_has_an_object_for_each_record() {
    let stack = Stack::prepare().await;
    for slug in ["a-shop-with-a-long-name", "b"] {
        stack.organization(slug).await;
    }
    let client = stack.client("b", &["sales-channel", "--origin", "https://shop.example"]).await.client_id;
    let listed = stack.tool(&["organization", "list"]).await;
    let lines: Vec<_> = listed.stdout.lines().collect();
    let column = |name: &str| lines[0].find(name).unwrap();
    assert_eq!(&lines[1][column("SLUG")..column("CREATED")], "a-shop-with-a-long-name  ");
    assert_eq!(&lines[2][column("SLUG")..column("CREATED")], "b                        ");
    assert!(lines.iter().skip(1).all(|line| line.ends_with("  The Shop")), "{listed:?}");

    let listed = stack.tool(&["--json", "organization", "list"]).await;
    let objects: Vec<Value> = listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 2);
    assert_eq!((&objects[1]["slug"], &objects[1]["name"]), (&"b".into(), &"The Shop".into()));
    let listed = stack.tool(&["client", "list", "--json"]).await;
    let object: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!((&object["client_id"], &object["state"]), (&client.as_str().into(), &"active".into()));
    assert_eq!(object["origins"], serde_json::json!(["https://shop.example"]));
    assert_eq!(stack.tool(&["suppression", "list", "--json"]).await.stdout, "");
    let create =
        ["client", "create", "--organization", "b", "--kind", "integration", "--name", "x", "--json"];
    let created: Value = serde_json::from_str(&stack.tool(&create).await.stdout).unwrap();
    assert!(created["client_secret"].is_string() && created["client_id"].is_string(), "{created}");
    let purged = stack.tool(&["purge", "--dry-run", "--json"]).await;
    let first: Value = serde_json::from_str(purged.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(first, serde_json::json!({"kind": "deliveries", "count": 0, "dry_run": true}));
}

#[tokio::test]
async fn what_is_not_found_is_exit_code_3() {
    let stack = Stack::prepare().await;
    stack.organization("shop").await;
    for (command, message) in [
        (&["client", "revoke", "nobody"][..], "rekey: no client has the id nobody\n"),
        (&["client", "update", "nobody", "--allow", "none"], "rekey: no client has the id nobody\n"),
        (
            &["suppression", "lift", "a@example.com", "--organization", "shop"],
            "rekey: the address a@example.com is not suppressed\n",
        ),
    ] {
        let refused = stack.tool(command).await;
        assert_eq!((refused.code, refused.stderr.as_str()), (Some(3), message), "{refused:?}");
        assert_eq!(refused.stdout, "");
    }
}

/// As of `rekey … | head -1`, whose end closes the pipe.
#[tokio::test]
async fn a_closed_pipe_ends_quietly_and_the_work_is_done() {
    let stack = Stack::prepare().await;
    let (url, folder) = (stack.database.url(), TempDir::new().unwrap());
    let manual = folder.path().join("man");
    let customers = folder.path().join("customers.csv");
    fs::write(&customers, "email\na@example.com\n").unwrap();
    for command in [
        &["organization", "create", "--slug", "shop", "--name", "Shop"][..],
        &["migrate"],
        &["organization", "list"],
        &["client", "create", "--organization", "shop", "--kind", "sales-channel", "--name", "x"],
        &["client", "list"],
        &["suppression", "list"],
        &["purge"],
        &["import", "customers", customers.to_str().unwrap(), "--organization", "shop", "--mode", "live"],
        &["completions", "bash"],
        &["man", "--out", manual.to_str().unwrap()],
        &["--help"],
    ] {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let mut program = Command::new(binary("rekey"));
        program.args(command).env_clear().env(variable("database.url"), &url).stdout(writer);
        let ended = program.stdin(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert_eq!((ended.status.code(), stderr.as_str()), (Some(0), ""), "{command:?}");
    }
    for (table, count) in [("organizations", 1), ("api_clients", 1), ("customers", 1)] {
        assert_eq!(stack.texts(&format!("SELECT id FROM {table}")).await.len(), count, "{table}");
    }
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let mut program = Command::new(binary("rekey"));
    program.args(["client", "revoke", "nobody"]).env_clear().env(variable("database.url"), &url);
    let ended = program.stdin(Stdio::null()).stderr(writer).output().unwrap();
    assert_eq!(ended.status.code(), Some(3), "standard error is closed");
}

#[tokio::test]
async fn shells_and_man_know_the_commands() {
    for (shell, word) in [("bash", "complete -F"), ("zsh", "#compdef rekey"), ("fish", "complete -c rekey")] {
        let script = Program::start("rekey", &["completions", shell], &[]).end().await;
        assert!(script.stdout.contains(word) && script.stdout.contains("suppression"), "{shell}");
    }
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("new/man");
    let written = Program::start("rekey", &["man", "--out", out.to_str().unwrap()], &[]).end().await;
    assert_eq!(written.code, Some(0), "{written:?}");
    let page = |name: &str| fs::read_to_string(Path::new(&out).join(name)).unwrap();
    assert!(page("rekey.1").contains("Exit codes"));
    assert!(page("rekey-client-create.1").contains("self\\-service"));
}
