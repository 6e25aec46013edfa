//! What operators see of mails, and how they send one again: `rekey delivery` and `rekey mail stuck`.
#![cfg(test)]

use rekey_e2e::{
    shop::{ANNA, Shop},
    smtp::SmtpServer,
    stack::Stack,
    wait::eventually,
};
use reqwest::StatusCode;
use serde_json::Value;
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deferred_mail_is_shown_with_each_attempt_and_sent_again_before_it_is_due() {
    let mut stack = Stack::prepare().await;
    let folder = TempDir::new().unwrap();
    let relay = SmtpServer::start(folder.path().join("mails"), &["--fail", "450:2"]).await;
    let name = format!("127.0.0.1:{}", relay.port);
    stack.set("smtp.relays", &format!("smtp://{name}?tls=none"));
    let shop = Shop::open(stack).await;
    let stack = &shop.stack;
    let (_api, _mailer) = (stack.start_api().await, stack.start_mailer().await);
    let token = shop.register_anna().await;
    let reset = stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED).text("/data/id");

    let arguments = ["delivery", "list", "--address", ANNA, "--status", "deferred", "--json"];
    // The second failure is followed by a minute's wait.
    let listed = eventually("two failed attempts", async || {
        let listed = objects(&stack.tool(&arguments).await.stdout);
        let is_there =
            listed.first().is_some_and(|mail| mail["attempts"] == 2 && !mail["next_attempt_at"].is_null());
        if is_there { Ok(listed) } else { Err(listed) }
    })
    .await;
    let [mail] = listed.as_slice() else { panic!("one: {listed:?}") };
    assert_eq!((&mail["reset"], &mail["smtp_code"]), (&reset.as_str().into(), &450.into()));
    let (id, due) = (mail["id"].as_str().unwrap(), mail["next_attempt_at"].clone());
    for other in
        [["--status", "sent"], ["--min-age", "1h"], ["--mode", "test"], ["--address", "b@example.com"]]
    {
        let listed = stack.tool(&[&["delivery", "list"][..], &other].concat()).await;
        assert_eq!((listed.code, listed.stdout.lines().count()), (Some(0), 1), "{listed:?}");
    }

    let sent_again = stack.tool(&["delivery", "resend", id]).await;
    assert_eq!(
        (sent_again.code, sent_again.stdout.as_str()),
        (Some(0), "It is due again.\n"),
        "{sent_again:?}"
    );
    relay.mail_to(ANNA, 1).await;
    let life = eventually("the mail to be recorded as sent", async || {
        let shown = stack.tool(&["delivery", "show", id, "--json"]).await;
        let life: Value = serde_json::from_str(&shown.stdout).unwrap();
        if life["status"] == "sent" { Ok(life) } else { Err(life) }
    })
    .await;
    let timeline = life["timeline"].as_array().unwrap();
    let steps: Vec<_> = timeline.iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(steps.first(), Some(&"created"), "{steps:?}");
    assert_eq!(steps.last(), Some(&"sent"), "{steps:?}");
    assert_eq!(steps.iter().filter(|step| **step == "deferred").count(), 2, "{steps:?}");
    assert!(steps.iter().any(|step| step.starts_with("published")), "{steps:?}");
    let find = |name: &str| timeline.iter().rfind(|step| step["step"] == name).unwrap();
    assert_eq!(find("operator")["detail"], "resend");
    assert_eq!((&find("sent")["relay"], &find("sent")["smtp_code"]), (&name.as_str().into(), &250.into()));
    assert!(find("deferred")["detail"].as_str().unwrap().starts_with(&name), "{timeline:?}");
    // RFC 3339 in UTC: as texts they are in the order of time.
    assert!(find("claimed")["at"].as_str() < due.as_str(), "{timeline:?}");
    let shown = stack.tool(&["delivery", "show", id]).await;
    assert!(shown.stdout.contains("STATUS:") && shown.stdout.contains("450"), "{shown:?}");

    let refused = stack.tool(&["delivery", "resend", id]).await;
    let reason = format!("rekey: the mail {id} is not sent again: a relay has accepted it");
    assert!(refused.code == Some(1) && refused.stderr.starts_with(&reason), "{refused:?}");
    for command in ["show", "resend"] {
        let unknown = stack.tool(&["delivery", command, "AAAAAAAAAA"]).await;
        assert_eq!(
            (unknown.code, unknown.stderr.as_str()),
            (Some(3), "rekey: no delivery has the id AAAAAAAAAA\n")
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_that_wait_are_listed_with_the_cause_and_what_to_do() {
    let shop = Shop::open(Stack::prepare().await).await;
    let stack = &shop.stack;
    let _api = stack.start_api().await;
    let token = shop.register_anna().await;
    stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    let waiting =
        async |age: &str| objects(&stack.tool(&["mail", "stuck", "--age", age, "--json"]).await.stdout);
    assert!(waiting("15m").await.is_empty(), "it is young");
    eventually("a mail that no mailer takes", async || {
        let found = waiting("0s").await;
        let [mail] = found.as_slice() else { return Err(found) };
        let is_published = mail["why"] == "no mailer has taken it from the broker";
        if is_published && mail["action"].as_str().unwrap().contains("rekey-mailer") {
            Ok(())
        } else {
            Err(found)
        }
    })
    .await;
    // As if its link had been used: nothing is sent again in vain.
    let id = waiting("0s").await.remove(0)["id"].as_str().unwrap().to_owned();
    stack.texts("UPDATE password_resets SET expires_at = now() RETURNING id").await;
    let refused = stack.tool(&["delivery", "resend", &id]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("its link can't be used any more (reset expired)"), "{refused:?}");
}

fn objects(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
