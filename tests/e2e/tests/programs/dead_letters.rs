//! Messages that no mailer can handle, and what operators do with them: `rekey dead-letter`.
#![cfg(test)]

use std::{collections::BTreeSet, fmt, fs};

use lapin::BasicProperties;
use rekey_e2e::{
    broker::{publish, waiting},
    process::Program,
    shop::{ANNA, Shop},
    stack::{Stack, amqp_url},
    wait::eventually,
};
use reqwest::StatusCode;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;
use tempfile::TempDir;

const FORGED: &str = "forged event: the tag does not match";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailer_with_the_wrong_key_fails_mails_and_their_replayed_messages_are_sent() {
    let shop = Shop::open(Stack::prepare().await).await;
    let stack = &shop.stack;
    let (_api, folder) = (stack.start_api().await, TempDir::new().unwrap());
    let mailer = mailer_with_another_key(stack, &folder).await;
    let token = shop.register_anna().await;
    stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    let failed = eventually("the mail to have failed", async || {
        let listed = objects(stack, &["delivery", "list", "--status", "failed"]).await;
        if listed.is_empty() { Err("none") } else { Ok(listed) }
    })
    .await;
    assert_eq!((failed.len(), &failed[0]["detail"]), (1, &FORGED.into()));
    let id = failed[0]["id"].as_str().unwrap().to_owned();

    // The customer's event leads to no mail.
    let dead = eventually("both dead letters", async || {
        let dead = objects(stack, &["dead-letter", "list"]).await;
        if dead.len() == 2 { Ok(dead) } else { Err(dead) }
    })
    .await;
    // Both are handled at once, and rejected in any order.
    let of_reset = dead.iter().position(|dead| dead["event"] == "customer_password_resets.create").unwrap();
    assert_eq!(dead[1 - of_reset]["event"], "customers.create");
    assert!(dead.iter().all(|dead| dead["reason"] == FORGED && dead["attempt"] == 1), "{dead:?}");
    let dead = &dead[of_reset];
    assert_eq!((&dead["id"], dead.to_string().contains(ANNA)), (&id.as_str().into(), false));
    let shown = stack.tool(&["dead-letter", "show", &id]).await;
    assert!(shown.stdout.contains(&format!("REASON:     {FORGED}\n")), "{shown:?}");
    // They need an operator, and the mailer can do its work.
    stack.mailer().ready().await;
    let log = mailer.terminate().await.stderr;
    let moved: Vec<_> = log.lines().filter(|line| line.contains("moved to the dead letters")).collect();
    assert_eq!(moved.len(), 2, "{log}");
    for line in log.lines() {
        let Keys(keys) = serde_json::from_str(line).unwrap();
        let distinct: BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len(), "{line}");
    }
    let moved = moved.into_iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let [of_reset] = &moved.filter(|line| line["message_id"] == id.as_str()).collect::<Vec<_>>()[..] else {
        panic!("{log}")
    };
    assert_eq!(of_reset["reason"], FORGED);

    let _mailer = stack.start_mailer().await;
    let dry = objects(stack, &["dead-letter", "replay", "--all", "--dry-run"]).await;
    assert!(dry.len() == 2 && dry.iter().all(|dead| dead["result"] == "would be replayed"), "{dry:?}");
    let replayed = stack.tool(&["dead-letter", "replay", &id]).await;
    let text = format!("{id}: replayed\n");
    assert_eq!((replayed.code, replayed.stdout.as_str()), (Some(0), text.as_str()), "{replayed:?}");
    stack.smtp.mail_to(ANNA, 1).await;
    let steps = eventually("the mail to be recorded as sent", async || {
        let life = objects(stack, &["delivery", "show", &id]).await.remove(0);
        let steps = life["timeline"].as_array().unwrap().iter();
        let steps: Vec<_> = steps.map(|step| format!("{} {}", step["step"], step["detail"])).collect();
        if life["status"] == "sent" { Ok(steps.join("\n")) } else { Err(steps) }
    })
    .await;
    assert!(steps.contains(&format!("\"failed\" \"{FORGED}\"")), "{steps}");
    assert!(steps.contains("\"operator\" \"replay_dead_letter\""), "{steps}");

    let again = stack.tool(&["dead-letter", "replay", &id]).await;
    assert_eq!(again.code, Some(3), "{again:?}");
    let rest = objects(stack, &["dead-letter", "replay", "--all"]).await;
    assert!(rest.len() == 1 && rest[0]["result"] == "replayed", "{rest:?}");
    let none = stack.tool(&["dead-letter", "replay", "--all"]).await;
    assert_eq!((none.code, none.stderr.as_str()), (Some(3), "rekey: there are no dead letters\n"));
    assert_eq!(audited(stack, "replay_dead_letter").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_are_dropped_and_a_message_that_is_not_the_event_fails_no_mail() {
    let shop = Shop::open(Stack::prepare().await).await;
    let stack = &shop.stack;
    let (api, folder) = (stack.start_api().await, TempDir::new().unwrap());
    let token = shop.register_anna().await;
    stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    let dead = stack.topology().dead();
    let id = stack.texts("SELECT event_id FROM deliveries").await.remove(0);
    // What whoever may publish can do, and a message without any properties.
    let forged = BasicProperties::default().with_message_id(id.as_str().into());
    for (payload, properties) in [(&b"forged"[..], forged), (b"", BasicProperties::default())] {
        publish(&amqp_url(), &stack.topology().queue(), payload, properties).await;
    }
    eventually("the events to be published", async || {
        let waiting = stack.texts("SELECT name FROM events WHERE published_at IS NULL").await;
        if waiting.is_empty() { Ok(()) } else { Err(waiting) }
    })
    .await;
    drop(api);
    let mailer = mailer_with_another_key(stack, &folder).await;
    eventually("four dead letters", async || {
        let (count, _) = waiting(&amqp_url(), &dead).await;
        if count == 4 { Ok(()) } else { Err(count) }
    })
    .await;
    mailer.terminate().await;
    let details = "SELECT claims || ' ' || detail FROM deliveries";
    // One rejection: that of the event.
    assert_eq!(stack.texts(details).await, [format!("1 {FORGED}")]);

    let listed = stack.tool(&["dead-letter", "list"]).await;
    let lines: Vec<_> = listed.stdout.lines().collect();
    assert_eq!(lines.len(), 5, "{listed:?}");
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("-  ") && line.ends_with("  forged event: the tag does not match"))
    );
    // The forged message has the event's id.
    let dry = stack.tool(&["dead-letter", "replay", &id, "--dry-run"]).await;
    let mut results: Vec<_> = dry.stdout.lines().collect();
    results.sort_unstable();
    let kept = "it is not the event of this id, but forged or damaged: drop it";
    assert_eq!(results, [format!("{id}: kept: {kept}"), format!("{id}: would be replayed")], "{dry:?}");
    assert_eq!(dry.code, Some(1), "{dry:?}");
    let dry = stack.tool(&["dead-letter", "drop", &id, "--dry-run"]).await;
    assert_eq!(dry.stdout, format!("{id}: would be dropped\n").repeat(2), "{dry:?}");
    let unknown = stack.tool(&["dead-letter", "drop", "AAAAAAAAAA"]).await;
    assert_eq!(unknown.code, Some(3), "{unknown:?}");
    let dropped = stack.tool(&["dead-letter", "drop", &id]).await;
    assert_eq!((dropped.code, dropped.stdout), (Some(0), format!("{id}: dropped\n").repeat(2)));
    let dropped = stack.tool(&["dead-letter", "drop", "--all"]).await;
    assert_eq!((dropped.code, dropped.stdout.lines().count()), (Some(0), 2), "{dropped:?}");
    assert_eq!(waiting(&amqp_url(), &dead).await.0, 0);
    // The one without an id can't be attributed.
    assert_eq!(audited(stack, "drop_dead_letter").await, 3);
    let resent = stack.tool(&["delivery", "resend", &id]).await;
    assert_eq!(resent.code, Some(0), "{resent:?}");
    let (_api, _mailer) = (stack.start_api().await, stack.start_mailer().await);
    stack.smtp.mail_to(ANNA, 1).await;
}

/// Starts a mailer whose sealing key is not the API's, and waits until it is ready.
async fn mailer_with_another_key(stack: &Stack, folder: &TempDir) -> Program {
    let file = folder.path().join("sealing_keys");
    fs::write(&file, "k1:AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw=").unwrap();
    let own = [
        ("keys.sealing_file", file.to_str().unwrap().to_owned()),
        ("database.url", stack.database.url_as("rekey_mailer")),
    ];
    let mailer = stack.spawn_with("rekey-mailer", &own);
    stack.mailer().ready().await;
    mailer
}

async fn audited(stack: &Stack, action: &str) -> usize {
    let query = format!("SELECT id FROM audit_entries WHERE action = '{action}' AND actor = 'operator'");
    stack.texts(&query).await.len()
}

async fn objects(stack: &Stack, command: &[&str]) -> Vec<Value> {
    let done = stack.tool(&[command, &["--json"]].concat()).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The keys of a JSON object, also those that come twice.
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Keys, M::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
