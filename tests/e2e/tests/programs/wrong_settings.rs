//! B8: the output of programs with wrong settings of every kind holds none of the settings' secrets.

use std::time::Duration;

use rekey_e2e::stack::Stack;
use tokio::time::sleep;

/// A part of every secret.
const SECRET: &str = "hunter2";
/// How long a program runs that starts in spite of its settings: it has tried its servers several times by then.
const RUN: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_the_output_of_a_program_with_wrong_settings() {
    let mut stack = Stack::prepare().await;
    stack.set("telemetry.log", "trace");
    stack.set("auth.domain", "example.com");
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----");
    let host = "127.0.0.1:1";
    let broker = stack.get("broker.url").and_then(|url| url.rsplit('@').next()).unwrap().to_owned();
    let cases = [
        // Refused at the start, with the key's name.
        ("broker.url", format!("amqp://u:{SECRET}@{host};amqp://u:{SECRET}@{host}"), Some("broker.url")),
        (
            "broker.url",
            format!("amqp://u:{SECRET}@localhost,http://u:{SECRET}@localhost"),
            Some("broker.url"),
        ),
        ("broker.url", format!("amqp://u:p@localhost/{SECRET}?heartbeat={SECRET}"), Some("broker.url")),
        ("broker.url", format!("amqp://u:p@localhost?auth_mechanism={SECRET}"), Some("broker.url")),
        (
            "database.url",
            format!("postgres://u:{SECRET}@{host}/d,postgres://u:{SECRET}@{host}/d"),
            Some("database.url"),
        ),
        (
            "database.url",
            format!("postgres://u:{SECRET}@{host}/d?sslpassword={SECRET}"),
            Some("database.url"),
        ),
        ("database.url", format!("postgres://u:{SECRET}@{host}/d?sslmode={SECRET}"), Some("database")),
        ("smtp.relays", format!("smtp://u:{SECRET}@localhost?tls={SECRET}"), Some("smtp.relays")),
        ("smtp.relays", format!("smtp://u:{SECRET}@localhost,u:{SECRET}"), Some("smtp.relays")),
        ("keys.sealing", format!("k1:{SECRET}"), Some("keys.sealing")),
        ("auth.signing_key", SECRET.to_owned(), Some("auth.signing_key")),
        ("auth.signing_key", pem.clone(), Some("auth.signing_key")),
        ("auth.signing_keys", pem.clone(), Some("auth.signing_keys")),
        ("dkim.private_key", SECRET.to_owned(), Some("dkim.private_key")),
        ("dkim.private_key", pem, Some("dkim.private_key")),
        ("telemetry.otlp_endpoint", format!("http://u:{SECRET}@{host}"), Some("telemetry.otlp_endpoint")),
        // Found out by the servers.
        ("broker.url", format!("amqp://u:{SECRET}@{host}"), None),
        ("broker.url", format!("amqp://u:{SECRET}@{host},amqp://u:{SECRET}@{host}"), None),
        ("broker.url", format!("amqp://u:{SECRET}@{broker}"), None),
        ("database.url", format!("postgres://u:{SECRET}@{host}/d"), None),
        (
            "database.url",
            format!("postgres://u:{SECRET}@127.0.0.1:1/d?password={SECRET}&sslkey=/{SECRET}"),
            None,
        ),
        ("smtp.relays", format!("smtp://u:{SECRET}@{host}"), None),
        ("telemetry.otlp_endpoint", format!("http://{host}/{SECRET}?token={SECRET}"), None),
    ];
    for (key, value, named) in cases {
        let is_mailers = key.starts_with("smtp") || key.starts_with("dkim");
        let program = if is_mailers { "rekey-mailer" } else { "rekey-api" };
        let replaced = [stack.unset(key), stack.unset(&format!("{key}_file"))];
        stack.set(key, &value);
        let running = stack.spawn(program);
        if let Some(named) = named {
            let end = running.end().await;
            assert!(end.code.is_some_and(|code| code > 0), "{key}: {end:?}");
            assert!(end.stderr.lines().last().is_some_and(|line| line.contains(named)), "{key}: {end:?}");
            assert!(!format!("{end:?}").contains(SECRET), "{key}: {end:?}");
        } else {
            sleep(RUN).await;
            let output = [running.stdout(), running.stderr()].concat();
            assert!(!output.is_empty() && !output.contains(SECRET), "{key}: {output}");
            let _ended = running.crash();
        }
        stack.unset(key);
        for (key, value) in replaced.into_iter().flatten() {
            stack.set(&key, &value);
        }
    }
}
