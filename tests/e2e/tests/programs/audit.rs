//! A11: the audit log's chain, and the keys, by the real programs.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{fs, os::unix::fs::PermissionsExt};

use rekey_e2e::{
    process::Exit,
    shop::{ANNA, Shop},
    stack::Stack,
    wait::eventually,
};
use reqwest::StatusCode;
use serde_json::Value;

#[tokio::test]
async fn a11_the_api_chains_what_it_writes_and_changes_are_found() {
    let shop = Shop::open(Stack::prepare().await).await;
    let stack = &shop.stack;
    let api = stack.start_api().await;
    shop.register_anna().await;
    let guest = shop.storefront.token(&stack.api).await;
    for address in [ANNA, "nobody@example.com"] {
        stack.api.create_reset(&guest, address).await.expect(StatusCode::CREATED);
    }
    eventually("all entries to be chained", async || {
        let left = stack.texts("SELECT entry_id FROM audit_queue").await;
        if left.is_empty() { Ok(()) } else { Err(left) }
    })
    .await;
    assert_eq!(api.terminate().await.code, Some(0));

    let folder = tempfile::tempdir().unwrap();
    let heads = stack.tool(&["audit", "heads"]).await;
    let file = folder.path().join("heads.jsonl");
    fs::write(&file, &heads.stdout).unwrap();
    let verify = async || stack.tool(&["audit", "verify", "--compare", file.to_str().unwrap()]).await;
    let intact = verify().await;
    assert_eq!(intact.code, Some(0), "{intact:?}");
    assert!(intact.stdout.lines().any(|line| line.contains(" live: intact, ")), "{intact:?}");
    assert!(!intact.stdout.contains("signatures were not checked"), "{intact:?}");
    let json = lines(&stack.tool(&["audit", "verify", "--json", "--mode", "live"]).await);
    assert_eq!(json[0]["signed_until"], json[0]["head"], "{json:?}");

    let listed =
        stack.tool(&["audit", "list", "--resource", "customers", "--action", "create", "--json"]).await;
    let [entry] = &lines(&listed)[..] else { panic!("{listed:?}") };
    let id = entry["id"].as_str().unwrap();
    let shown = stack.tool(&["audit", "list", "--actor", "operator"]).await;
    let is_operators = |line: &str| line.contains("Operator");
    assert!(shown.stdout.lines().skip(1).all(is_operators) && shown.stdout.lines().count() > 2, "{shown:?}");
    let none = stack.tool(&["audit", "list", "--until", "2020-01-01T00:00:00Z", "--json"]).await;
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), ""), "{none:?}");

    stack.texts(&format!("UPDATE audit_entries SET action = 'update' WHERE id = '{id}' RETURNING id")).await;
    let broken = verify().await;
    assert_eq!(broken.code, Some(1), "{broken:?}");
    assert!(broken.stdout.contains(&format!("entry {id}: the entry was changed")), "{broken:?}");
    assert!(broken.stderr.contains("the audit log is not intact in 1 of 2 chains"), "{broken:?}");
    stack.texts(&format!("UPDATE audit_entries SET action = 'create' WHERE id = '{id}' RETURNING id")).await;
    assert_eq!(verify().await.code, Some(0));

    // Whoever removes the last entry with its link is found out by the exported heads only.
    let last = "mode = 'live' AND position = (SELECT max(position) FROM audit_chain WHERE mode = 'live')";
    let removed = format!(
        "WITH link AS (DELETE FROM audit_chain WHERE {last} RETURNING entry_id)
         DELETE FROM audit_entries USING link WHERE id = entry_id RETURNING id"
    );
    assert_eq!(stack.texts(&removed).await.len(), 1);
    assert_eq!(stack.tool(&["audit", "verify"]).await.code, Some(0));
    let truncated = verify().await;
    assert_eq!(truncated.code, Some(1), "{truncated:?}");
    assert!(truncated.stdout.contains("is gone: links were removed from the end"), "{truncated:?}");
}

#[tokio::test]
async fn keys_are_rotated_in_steps_and_retired_when_nothing_needs_them() {
    let mut shop = Shop::open(Stack::prepare().await).await;
    let api = shop.stack.start_api().await;
    shop.register_anna().await;
    let guest = shop.storefront.token(&shop.stack.api).await;
    shop.stack.api.create_reset(&guest, ANNA).await.expect(StatusCode::CREATED);
    eventually("the keys to be recorded", async || {
        let known = shop.stack.texts("SELECT kind FROM known_keys").await;
        if known.len() == 2 { Ok(()) } else { Err(known) }
    })
    .await;
    drop(api);
    let listed = shop.stack.tool(&["key", "list"]).await;
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let k1 = listed.stdout.lines().find(|line| line.starts_with("sealing  k1 ")).unwrap();
    let resets = k1.split_whitespace().rev().nth(3);
    assert!(k1.contains(" in use ") && resets == Some("1"), "{listed:?}");

    let folder = tempfile::tempdir().unwrap();
    let [published, active, retired] =
        ["published", "active", "retired"].map(|name| folder.path().join(name));
    let made = shop.stack.tool(&["key", "rotate", "sealing", "--out", published.to_str().unwrap()]).await;
    assert_eq!((made.code, made.stdout.as_str()), (Some(0), ""), "{made:?}");
    assert!(made.stderr.contains("rekey key rotate sealing --activate k2"), "{made:?}");
    assert_eq!(fs::metadata(&published).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&published).unwrap();
    assert!(text.starts_with("k1:") && text.contains(",k2:"), "a new key is known before it is used");
    let again = shop.stack.tool(&["key", "rotate", "sealing", "--out", published.to_str().unwrap()]).await;
    assert_eq!((again.code, fs::read_to_string(&published).unwrap()), (Some(1), text), "{again:?}");

    shop.stack.set("keys.sealing_file", published.to_str().unwrap());
    let in_use = shop.stack.tool(&["key", "retire", "k1"]).await;
    assert!(in_use.code == Some(1) && in_use.stderr.contains("k1 is in use"), "{in_use:?}");
    let made = shop
        .stack
        .tool(&["key", "rotate", "sealing", "--activate", "k2", "--out", active.to_str().unwrap()])
        .await;
    assert_eq!(made.code, Some(0), "{made:?}");
    shop.stack.set("keys.sealing_file", active.to_str().unwrap());
    let api = shop.stack.start_api().await;
    eventually("the keys to be recorded", async || {
        let known = shop.stack.texts("SELECT key_ids[1] FROM known_keys WHERE kind = 'sealing_keys'").await;
        if known == ["k2"] { Ok(()) } else { Err(known) }
    })
    .await;
    drop(api);
    let needed = shop.stack.tool(&["key", "retire", "k1"]).await;
    assert!(
        needed.code == Some(1) && needed.stderr.contains("k1 is still needed by 1 pending resets, "),
        "{needed:?}"
    );
    let done = "WITH e AS (UPDATE events SET published_at = now(), payload = NULL RETURNING id), d AS (UPDATE deliveries SET status = 'sent')
        UPDATE password_resets SET superseded_at = now() RETURNING id";
    shop.stack.texts(done).await;
    let left = shop.stack.tool(&["key", "retire", "k1", "--out", retired.to_str().unwrap()]).await;
    assert_eq!(left.code, Some(0), "{left:?}");
    let text = fs::read_to_string(&retired).unwrap();
    assert!(text.starts_with("k2:") && !text.contains("k1:"), "one key is left");
}

#[tokio::test]
async fn a_signing_key_is_published_before_it_signs_and_kept_while_its_tokens_live() {
    let mut stack = Stack::prepare().await;
    let api = stack.start_api().await;
    eventually("the keys to be recorded", async || {
        let known = stack.texts("SELECT kind FROM known_keys").await;
        if known.len() == 2 { Ok(()) } else { Err(known) }
    })
    .await;
    drop(api);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let old = stack.texts("SELECT key_ids[1] FROM known_keys WHERE kind = 'signing_keys'").await.remove(0);
    let pem = fs::read_to_string(stack.get("auth.signing_key_file").unwrap()).unwrap();

    let made = stack.tool(&["key", "rotate", "signing", "--out", &file("published")]).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    let published = fs::read_to_string(file("published")).unwrap();
    assert!(published.starts_with(pem.trim()) && published.matches("-----BEGIN ").count() == 2);
    let id = made.stderr.strip_prefix("Key ").unwrap().split(". ").next().unwrap();
    assert!(
        made.stderr.contains(&format!("300 s later: rekey key rotate signing --activate {id}")),
        "{made:?}"
    );
    stack.unset("auth.signing_key_file");
    stack.set("auth.signing_keys_file", &file("published"));
    let made = stack.tool(&["key", "rotate", "signing", "--activate", id, "--out", &file("active")]).await;
    assert!(made.code == Some(0) && made.stderr.contains("after 14700 s"), "{made:?}");
    assert!(fs::read_to_string(file("active")).unwrap().ends_with(&pem), "the new one is in front");
    stack.set("auth.signing_keys_file", &file("active"));
    let retire = async || stack.tool(&["key", "retire", &old, "--out", &file("retired")]).await;
    let refused = retire().await;
    assert!(refused.code == Some(1) && refused.stderr.contains("replace its processes first"), "{refused:?}");
    let rotated = format!(
        "UPDATE known_keys SET key_ids = '{{{id},{old}}}' WHERE kind = 'signing_keys' RETURNING kind"
    );
    stack.texts(&rotated).await;
    let refused = retire().await;
    assert!(refused.code == Some(1) && refused.stderr.contains("may be valid for another "), "{refused:?}");
    stack.texts("UPDATE known_keys SET updated_at = now() - interval '5 hours' RETURNING kind").await;
    let retired = retire().await;
    assert_eq!(retired.code, Some(0), "{retired:?}");
    assert!(!fs::read_to_string(file("retired")).unwrap().contains(pem.trim()));
}

fn lines(exit: &Exit) -> Vec<Value> {
    assert_eq!(exit.code, Some(0), "{exit:?}");
    exit.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
