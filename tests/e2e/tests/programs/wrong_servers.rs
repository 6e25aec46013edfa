//! C11: what a program says about a server that refuses it names the cause, the setting and the next step, and holds no password.

use std::{fs, path::Path, time::Duration};

use lapin::BasicProperties;
use rekey_core::events::bus::{RejectCause, Verdict};
use rekey_e2e::{
    broker::{Broker, Webhooks, publish, waiting},
    client::Api,
    postgres::Postgres,
    process::{Program, project},
    shop::{ANNA, Shop},
    smtp::{SmtpServer, self_signed},
    stack::Stack,
    wait::{eventually, within},
};
use rekey_testkit::conformance::bus::Scripted;
use reqwest::StatusCode;
use serde_json::json;
use tempfile::TempDir;

/// A part of every password.
const SECRET: &str = "hunter2";

/// Waits until one line of the program's log has all these parts.
async fn logs(program: &Program, parts: &[&str]) {
    let line = async || {
        let log = program.stderr();
        let is_said = log.lines().any(|line| parts.iter().all(|part| line.contains(part)));
        if is_said { Ok(()) } else { Err(log) }
    };
    within(Duration::from_mins(1), &format!("a line with {parts:?}"), line).await;
    assert!(!program.stderr().contains(SECRET), "{}", program.stderr());
}

/// Adds a user with these rights to configure, write and read on "/".
fn add_user(broker: &Broker, name: &str, rights: Option<[&str; 3]>) -> String {
    broker.ctl(&["add_user", name, SECRET]);
    if let Some([configure, write, read]) = rights {
        broker.ctl(&["set_permissions", name, configure, write, read]);
    }
    broker.url.replace("guest:guest", &format!("{name}:{SECRET}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_broker_refuses_is_said_with_the_setting_and_the_next_step() {
    let broker = Broker::start();
    let mut stack = Stack::prepare_on(&broker.url, &[]).await;
    let exchange = stack.topology().exchange();
    let nobody = add_user(&broker, "nobody", None);
    let reader = add_user(&broker, "reader", Some(["", ".*", ".*"]));
    let wrong = broker.url.replace("guest:guest", &format!("guest:{SECRET}"));
    let unused = "check host and port in broker.url, and whether the broker is running";
    let cases = [
        (wrong, ["Login was refused", "check user and password in broker.url"]),
        (
            broker.url.replace("%2f", "nope"),
            ["vhost nope not found", "check the virtual host at the end of broker.url"],
        ),
        (broker.url.replace("%2f", ""), ["vhost  not found", r#"\"/\" is written %2f"#]),
        (nobody, ["access to vhost '/' refused for user 'nobody'", "and the user's access to it"]),
        (
            reader,
            [
                "mailer.dead does not exist, and the user of broker.url may not create it",
                "give it the right to configure",
            ],
        ),
        (format!("amqp://u:{SECRET}@127.0.0.1:1/%2f"), ["Connection refused", unused]),
        (format!("amqp://u:{SECRET}@[::1]:1/%2f"), ["Connection refused", unused]),
        (
            format!("amqp://u:{SECRET}@nowhere.invalid/%2f"),
            ["failed to lookup address", "check the host in broker.url"],
        ),
        (broker.url.replace("amqp:", "amqps:"), ["TLS failed", "the broker's port for amqps (5671)"]),
    ];
    for (url, parts) in cases {
        stack.set("broker.url", &url);
        let api = stack.spawn("rekey-api");
        logs(&api, &[&parts[..], &["RabbitMQ can't be used", "WARN"]].concat()).await;
        stack.api.ready().await;
        assert_eq!(stack.api.readiness().await, json!({ "status": "ready", "degraded": ["broker"] }));
        assert!(!api.stderr().contains("delete it"), "{}", api.stderr());
        let _ended = api.crash();
    }

    // The log of the mailer's readiness has the same words.
    let mailer = stack.spawn("rekey-mailer");
    stack.mailer().answers("/livez").await;
    let failed = async || {
        let (body, log) = (stack.mailer().readiness().await, mailer.stderr());
        let is_said = log.lines().any(|line| line.contains("not ready") && line.contains("TLS failed"));
        if is_said && body["failed"] == json!(["broker"]) { Ok(()) } else { Err((body, log)) }
    };
    eventually("readiness, and its line", failed).await;
    let _ended = mailer.crash();

    // With the exchange and the queues that another user has made.
    stack.set("broker.url", &broker.url);
    let shop = Shop::open(stack).await;
    let api = shop.stack.start_api().await;
    let token = shop.register_anna().await;
    is_ready(&shop.stack.api).await;
    let _ended = api.terminate().await;
    let mut stack = shop.stack;
    stack.set("broker.url", &add_user(&broker, "no-write", Some([".*", "", ".*"])));
    let api = stack.start_api().await;
    stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    let refused = format!("access to exchange '{exchange}' in vhost '/' refused for user 'no-write'");
    logs(&api, &[&refused, "grant the user of broker.url this right with rabbitmqctl set_permissions"]).await;
    let _ended = api.crash();
    stack.set("broker.url", &add_user(&broker, "no-read", Some([".*", ".*", ""])));
    let mailer = stack.spawn("rekey-mailer");
    logs(&mailer, &["access to queue", "grant the user of broker.url this right"]).await;
    let _ended = mailer.crash();
    stack.set("broker.url", &broker.url);
}

/// A14: with the users, rights, exchange and queues that docker-compose.yml imports.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_program_works_with_the_rights_that_it_needs_and_no_others() {
    let broker = Broker::start();
    let mut stack = Stack::prepare_on(&broker.url, &[]).await;
    let secrets = Path::new(stack.get("auth.signing_key_file").unwrap()).parent().unwrap().to_owned();
    let users = ["broker_users", "tool_broker_user", "webhooks_broker_user"].map(|file| secrets.join(file));
    for file in users.into_iter().chain([project().join("deploy/rabbitmq/definitions.json")]) {
        broker.ctl(&["import_definitions", file.to_str().unwrap()]);
    }
    let (_, address) = broker.url.split_once("guest:guest").unwrap();
    let url = |program: &str| {
        let url = fs::read_to_string(secrets.join(format!("{program}_broker_url"))).unwrap();
        format!("{}{address}", url.split_once("@rabbitmq").unwrap().0)
    };
    stack.namespace = "rekey".to_owned();
    stack.set("broker.namespace", "rekey");
    stack.set("broker.url", &url("api"));
    let shop = Shop::open(stack).await;
    // The program that sends webhooks declares and binds its own queue, and can't handle a message.
    let reason = "no receiver";
    let rejecting =
        Scripted::new(move |_| Verdict::Reject { cause: RejectCause::Failed, reason: reason.to_owned() });
    let webhooks = Webhooks::start(&url("webhooks"), "rekey", rejecting).await;
    let api = shop.stack.start_api().await;
    let token = shop.register_anna().await;
    let mailer = shop.stack.spawn_with("rekey-mailer", &[("broker.url", url("mailer"))]);
    shop.stack.smtp.set_fault(Some("rcpt 451 4.3.0 once"));
    shop.stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    let tried = async || if mailer.stderr().contains("4.3.0") { Ok(()) } else { Err(mailer.stderr()) };
    eventually("a mail that is to be tried again", tried).await;
    shop.stack.smtp.set_fault(None);
    shop.stack.smtp.mail_to(ANNA, 1).await;
    is_ready(&shop.stack.mailer()).await;
    eventually("the webhooks' dead letters", async || {
        match waiting(&broker.url, "rekey.webhooks.dead").await.0 {
            2 => Ok(()),
            count => Err(count),
        }
    })
    .await;
    webhooks.stop().await;
    for program in [api, mailer] {
        let exit = program.terminate().await;
        assert!(!exit.stderr.contains("WARN"), "{exit:?}");
    }
    // The tool gives a dead letter back to the mailer.
    let mut stack = shop.stack;
    publish(&broker.url, "rekey.mailer.dead", b"letter", BasicProperties::default()).await;
    stack.set("broker.url", &url("tool"));
    let replayed = stack.tool(&["dead-letter", "replay", "--all"]).await;
    assert_eq!((replayed.code, replayed.stdout.as_str()), (Some(0), "-: replayed\n"), "{replayed:?}");
    assert_eq!(waiting(&broker.url, "rekey.mailer").await.0, 1);
    // And those of the webhooks to theirs, whatever became of the events' mails.
    let mail = "SELECT event_id || ' ' || status || ' ' || claims || ' ' || updated_at FROM deliveries";
    let mails = stack.texts(mail).await;
    let replayed = stack.tool(&["dead-letter", "replay", "--all", "--queue", "webhooks"]).await;
    let (id, _) = mails[0].split_once(" sent ").unwrap();
    assert_eq!((replayed.code, replayed.stdout.lines().count()), (Some(0), 2), "{replayed:?}");
    assert!(replayed.stdout.contains(&format!("{id}: replayed\n")), "{replayed:?}");
    assert_eq!((waiting(&broker.url, "rekey.webhooks").await.0, stack.texts(mail).await), (2, mails));
    assert_eq!(waiting(&broker.url, "rekey.mailer").await.0, 1);
    // What was imported is what a program with all rights declares.
    stack.set("broker.url", &broker.url);
    let api = stack.start_api().await;
    is_ready(&stack.api).await;
    assert!(!api.terminate().await.stderr.contains("RabbitMQ can't be used"));
}

async fn is_ready(program: &Api) {
    eventually("readiness", async || match program.readiness().await {
        body if body == json!({ "status": "ready" }) => Ok(()),
        body => Err(body),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_database_refuses_is_said_with_the_setting_and_the_next_step() {
    let server = Postgres::start();
    server.execute(&format!("CREATE ROLE rekey LOGIN PASSWORD '{SECRET}'")).await;
    server.execute("CREATE DATABASE plain").await;
    server.execute("CREATE ROLE limited LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC").await;
    server.require_passwords("rekey").await;
    let url = |user: &str, database: &str| {
        let (_, address) = server.url().split_once('@').unwrap();
        format!("postgres://{user}@{}/{database}", address.split('/').next().unwrap())
    };
    let mut stack = Stack::prepare().await;
    let own = stack.get("database.url").unwrap().to_owned();
    let login = "check user and password in database.url";
    let unused = "check host and port in database.url";
    for (database, parts) in [
        (
            url(&format!("rekey:{SECRET}x"), "app"),
            ["28P01: password authentication failed for user \"rekey\"", login],
        ),
        (url("nobody", "app"), ["28000: role \"nobody\" does not exist", login]),
        (url("app", "nowhere"), ["3D000: database \"nowhere\" does not exist", "at the end of database.url"]),
        (
            url("limited", "app"),
            [
                "the database was not migrated by this version",
                "run `rekey migrate` as the role that owns the schema",
            ],
        ),
        (url("app", "app?sslmode=require"), ["server does not support TLS", "check sslmode"]),
        ("postgres://app@127.0.0.1:1/app".to_owned(), ["Connection refused", unused]),
        ("postgres://app@[::1]:1/app".to_owned(), ["Connection refused", unused]),
        (
            "postgres://app@nowhere.invalid/app".to_owned(),
            ["failed to lookup address", "check the host in database.url"],
        ),
    ] {
        stack.set("database.url", &database);
        let exit = stack.spawn("rekey-api").end().await;
        assert_eq!(exit.code, Some(1), "{exit:?}");
        let last = exit.stderr.lines().last().unwrap_or_default();
        assert!(parts.iter().all(|part| last.contains(part)), "{parts:?}: {last}");
        assert!(last.contains("the database can't be ") && !exit.stderr.contains(SECRET), "{last}");
    }
    // The mailer's role before the migration.
    stack.set("database.url", &url("app", "plain"));
    let exit = stack.spawn("rekey-mailer").end().await;
    assert_eq!(exit.code, Some(1), "{exit:?}");
    assert!(exit.stderr.contains("run `rekey migrate` as the role that owns the schema"), "{exit:?}");
    stack.set("database.url", &own);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_relay_refuses_is_said_with_the_setting_and_the_next_step() {
    let folder = TempDir::new().unwrap();
    let [certificate, key] = self_signed(folder.path());
    let tls = ["--tls-cert", &certificate, "--tls-key", &key, "--auth", "u:correct"];
    let server = SmtpServer::start(folder.path().join("mails"), &tls).await;
    let encrypted = server.port;
    let mut stack = Stack::prepare().await;
    stack.set("smtp.ca_file", &certificate);
    let shop = Shop::open(stack).await;
    let plain = shop.stack.smtp.port;
    let api = shop.stack.start_api().await;
    let token = shop.register_anna().await;
    shop.stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    let denied = "check its user, password and scheme in smtp.relays";
    let unreachable = "check its host and port in smtp.relays";
    for (relay, ca_file, parts) in [
        (format!("smtp://u:{SECRET}@localhost:{encrypted}"), true, ["535 5.7.8", denied]),
        (format!("smtp://u:{SECRET}@localhost:{encrypted}"), false, ["certificate", "smtp.ca_file"]),
        (format!("smtps://u:{SECRET}@localhost:{plain}"), true, ["TLS with the relay failed", denied]),
        (format!("smtp://u:{SECRET}@localhost:{plain}"), true, ["the relay offers no STARTTLS", denied]),
        (format!("smtp://u:{SECRET}@localhost:1"), true, ["Connection refused", unreachable]),
        (format!("smtp://u:{SECRET}@[::1]:1"), true, ["Connection refused", unreachable]),
        (format!("smtp://u:{SECRET}@nowhere.invalid"), true, ["failed to lookup address", unreachable]),
    ] {
        let mut own = vec![("smtp.relays", relay)];
        if !ca_file {
            own.push(("smtp.ca_file", String::new()));
        }
        let mailer = shop.stack.spawn_with("rekey-mailer", &own);
        logs(&mailer, &[&parts[..], &["the relay can't be used and is paused"]].concat()).await;
        let _ended = mailer.crash();
    }
    drop((api, server));
}
