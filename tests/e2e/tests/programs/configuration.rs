//! `rekey config` finds the mistakes that would stop a program, and says where each value is set.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{fs, path::Path};

use rekey_e2e::process::{Exit, Program};
use serde_json::Value;
use tempfile::TempDir;

#[tokio::test]
async fn each_mistake_of_each_organization_is_printed_at_once() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "good/organization.toml", "[mail]\nfrom = \"Good <post@good.example>\"\n");
    let directory = ("REKEY__ORGANIZATIONS__DIRECTORY", folder.path().to_str().unwrap());
    let settings = [
        directory,
        ("REKEY__DATABASE__URL", "postgres://rekey:hunter2@localhost/rekey"),
        ("REKEY__MAIL__FROM", "Shop <post@shop.example>"),
    ];
    let good = rekey(&["config", "check"], &settings).await;
    assert_eq!(good.code, Some(0), "{good:?}");
    assert_eq!(lines(&good), ["CHECKED RESULT", "rekey ok", "organization good ok"]);

    write(folder.path(), "color/organization.toml", "[brand]\ncolor = \"green\"\n");
    write(folder.path(), "key/organization.toml", "[smtp]\nrelays = \"smtp://relay.example\"\n");
    write(folder.path(), "page/templates/layout.html", "{% if %}");
    write(folder.path(), "mail/templates/reset_requested.txt", "{{ unknown }}");
    write(folder.path(), "text/texts/en.ftl", "mail-reset-title = Hello\nmail-reset-titel = Hello\n");
    write(folder.path(), "toml/organization.toml", "[brand]\n\ncolor = #fff\n");
    let bad = rekey(&["config", "check", "--for", "api", "--for", "mailer", "--json"], &settings).await;
    assert_eq!(bad.code, Some(2), "{bad:?}");
    assert!(bad.stderr.ends_with("8 of 9 can't be used\n"), "{bad:?}");
    let found: Vec<Value> = bad.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (subject, named) in [
        ("rekey-api", "is missing"),
        ("rekey-mailer", "is missing"),
        ("organization color", "brand.color is \"green\""),
        ("organization key", "smtp.relays can't be set in"),
        ("organization mail", "reset_requested.txt"),
        ("organization page", "layout.html"),
        ("organization text", "mail-reset-titel"),
        ("organization toml", "organization.toml, line 3"),
    ] {
        let problem = found.iter().find(|one| one["subject"] == subject).unwrap()["problem"].as_str();
        assert!(problem.is_some_and(|problem| problem.contains(named)), "{subject}: {problem:?}");
    }
    assert!(!format!("{bad:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_value_is_shown_with_its_origin_and_a_secret_is_not() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "acme/organization.toml", "[mail]\nfrom = \"Acme <post@acme.example>\"\n");
    write(
        folder.path(),
        ".rekey.toml",
        "[mail]\nreply_to = \"help@shop.example\"\n[smtp]\ntimeout_seconds = 7\n",
    );
    let own = folder.path().join("acme/organization.toml").to_str().unwrap().to_owned();
    let file = folder.path().join(".rekey.toml").to_str().unwrap().to_owned();
    let settings = [
        ("REKEY__ORGANIZATIONS__DIRECTORY", folder.path().to_str().unwrap()),
        ("REKEY_CONFIG", file.as_str()),
        ("REKEY__BROKER__URL", "amqp://rekey:hunter2@localhost"),
        ("REKEY__MAIL__FROM", "Shop <post@shop.example>"),
    ];
    let shown = rekey(&["config", "show", "--changed"], &settings).await;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(!format!("{shown:?}").contains("hunter2"));
    let broker = "broker.url (secret) REKEY__BROKER__URL".to_owned();
    let from = "mail.from \"Shop <post@shop.example>\" REKEY__MAIL__FROM".to_owned();
    let timeout = format!("smtp.timeout_seconds 7 {file}");
    for line in [&broker, &from, &timeout, &format!("mail.reply_to \"help@shop.example\" {file}")] {
        assert!(lines(&shown).contains(line), "{line} in {shown:?}");
    }
    assert_eq!(lines(&shown).len(), 6, "{shown:?}");

    let shown = rekey(&["config", "show", "--organization", "acme", "mail."], &settings).await;
    assert!(lines(&shown).contains(&format!("mail.from \"Acme <post@acme.example>\" {own}")), "{shown:?}");
    assert!(lines(&shown).contains(&"mail.envelope_from \"\" the defaults".to_owned()), "{shown:?}");
    assert!(!shown.stdout.contains("smtp."), "{shown:?}");
}

async fn rekey(arguments: &[&str], settings: &[(&str, &str)]) -> Exit {
    let environment: Vec<_> =
        settings.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    Program::start("rekey", arguments, &environment).end().await
}

/// The lines of a table, with one space between columns.
fn lines(exit: &Exit) -> Vec<String> {
    exit.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
