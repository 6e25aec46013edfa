//! What the programs show at `/metrics`.
#![expect(clippy::unwrap_used, reason = "a test that finds nothing is to fail")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    process::{Command, Stdio},
};

use lapin::{
    BasicProperties, Connection, ConnectionProperties, options::BasicPublishOptions, types::FieldTable,
};
use rekey_broker::rabbitmq::{Consumer, RabbitConfig};
use rekey_core::webhooks::MAX_FAILURES;
use rekey_e2e::{
    client::{Api, http, reset},
    mail::Link,
    metrics::Metrics,
    process::{free_ports, project},
    receiver::{Receiver, Reply},
    shop::{ANNA, OLD_PASSWORD, Shop},
    smtp::self_signed,
    stack::{Stack, amqp_url},
    wait::eventually,
};
use rekey_testkit::backdoor::{Backdoor, PostgresBackdoor};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A customer with a mailbox that does not exist.
const BEN: &str = "ben@example.com";
/// The recipient of mails about circuits that opened.
const OPERATOR: &str = "operator@shop.example";
/// What webhooks are sent: Anna's new password.
const TOPIC: &str = "customer_password_resets.reset_password";
/// How many calls of the token endpoint are allowed in a minute.
const TOKENS: u32 = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_is_in_the_metrics_and_ids_and_addresses_are_not() {
    let folder = TempDir::new().unwrap();
    let [certificate, key] = self_signed(folder.path());
    let unknown = format!("{BEN}:1");
    let options = ["--tls-cert", &certificate, "--tls-key", &key, "--unknown", &unknown];
    let mut stack = Stack::prepare_on(&amqp_url(), &options).await;
    let relay = format!("localhost:{}", stack.smtp.port);
    stack.set("smtp.relays", &format!("smtp://{relay}"));
    stack.set("smtp.ca_file", &certificate);
    let [bounces] = free_ports();
    stack.set("bounces.listen", &format!("127.0.0.1:{bounces}"));
    stack.set("limits.token_per_minute", &TOKENS.to_string());
    stack.set("webhooks.allowed_networks", "127.0.0.0/8");
    stack.set("brand.support", OPERATOR);
    let shop = Shop::open(stack).await;
    let stack = &shop.stack;
    let database = PostgresBackdoor::open(&stack.database.url());
    database
        .script(
            "INSERT INTO guess_counters (kind, account_digest, network_digest, window_started_at, last_guess_at, guess_count)
             SELECT 'code', decode(lpad(n::text, 64, '0'), 'hex'), '', now() - interval '99 days', now() - interval '99 days', 1
             FROM generate_series(1, 3) AS n",
        )
        .await;
    // Under the role that owns the schema it deletes old records itself.
    let _api = stack.spawn_with("rekey-api", &[("database.url", stack.database.url())]);
    stack.api.ready().await;
    let _mailer = stack.start_mailer().await;
    let (_webhooks, webhooks_admin) = stack.start_another("rekey-webhooks").await;

    happen(&shop).await;
    let (api, mailer, webhooks) = settled(&shop, &webhooks_admin).await;
    assert_api(&api);
    assert_mailer(&mailer, &relay);
    assert_webhooks(&webhooks);
    let programs = [("api", &api), ("mailer", &mailer), ("webhooks", &webhooks)];
    for (_, metrics) in programs {
        assert_prometheus_accepts(metrics);
        assert_eq!(metrics.get("rekey_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), Some(1.0));
    }
    assert_documented(&programs);
    assert_bounded(&shop, &webhooks_admin).await;
    assert_eq!(stack.smtp.mails_to(OPERATOR).len(), 1, "one for each opening");
}

/// A reset that is used, a bounce, log-ins of each kind, a webhook that takes an event, one with a circuit that opens, dead letters, and a refusal by a
/// rate limit.
async fn happen(shop: &Shop) {
    let stack = &shop.stack;
    let token = shop.register_anna().await;
    let (receiver, broken) = (Receiver::start().await, Receiver::start().await);
    broken.reply([Reply::status(500)]);
    for Receiver { url, .. } in [&receiver, &broken] {
        let attributes = json!({ "topic": TOPIC, "callback_url": url, "name": url });
        let webhook = json!({ "data": { "type": "webhooks", "attributes": attributes } });
        stack.api.call(Method::POST, "webhooks", &token, &webhook).await.expect(StatusCode::CREATED);
    }
    let failures = MAX_FAILURES - 1;
    let nearly_open = format!("UPDATE webhooks SET circuit_failure_count = {failures} RETURNING id");
    stack.texts(&nearly_open).await;
    stack.api.create_customer(&token, BEN, OLD_PASSWORD).await;
    for address in [ANNA, BEN] {
        stack.api.create_reset(&token, address).await.expect(StatusCode::CREATED);
    }
    let Link { id, token: secret, .. } = Link::find(&stack.smtp.mail_to(ANNA, 1).await.text());
    let guest = shop.storefront.token(&stack.api).await;
    let new = "an entirely new password";
    stack.api.complete(&guest, &id, &secret, new).await.expect(StatusCode::OK);
    assert_mailed_about_circuit(stack, &receiver, &broken).await;
    stack.smtp.mail_to(ANNA, 2).await;
    for _ in 0..2 {
        stack.api.call(Method::POST, "customer_password_resets", &guest, &reset(ANNA)).await;
    }

    let log_in = async |password| stack.api.log_in(&shop.storefront.client_id, ANNA, password).await;
    log_in(new).await.expect(StatusCode::OK);
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(log_in("not the password").await.status);
    }
    assert_eq!(statuses.first(), Some(&StatusCode::BAD_REQUEST));
    assert_eq!(statuses.last(), Some(&StatusCode::TOO_MANY_REQUESTS));

    let (exchange, queue) = (stack.topology().exchange(), stack.topology().queue());
    let connection = Connection::connect(&amqp_url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let config = RabbitConfig::new(["amqp://127.0.0.1"], &stack.namespace).unwrap();
    let webhooks = config.for_consumer(Consumer::Webhooks).topology().queue();
    for queue in [&queue, &webhooks] {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        channel
            .basic_publish("".into(), queue.clone().into(), options, b"no event", properties)
            .await
            .unwrap();
    }
    // Until the API has declared the mailer's again, the broker returns what is published.
    for queue in [queue, webhooks] {
        let none = FieldTable::default();
        channel.queue_unbind(queue.into(), exchange.clone().into(), "#".into(), none).await.unwrap();
    }
    connection.close(200, "done".into()).await.unwrap();
    stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    stack.smtp.mail_to(ANNA, 4).await;

    let over = async || {
        let answer = stack.api.grant(&json!({"grant_type": "unknown"})).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS { Ok(()) } else { Err(answer.status) }
    };
    eventually("the token endpoint's limit", over).await;
}

/// A receiver is sent the event. The circuit of a broken one opens, and the operator is mailed that.
async fn assert_mailed_about_circuit(stack: &Stack, receiver: &Receiver, broken: &Receiver) {
    receiver.requests(1).await;
    broken.requests(1).await;
    let mail = stack.smtp.mail_to(OPERATOR, 1).await;
    assert_eq!(mail.subject(), format!("Webhook \"{}\": its circuit is open", broken.url));
    let text = mail.text();
    let webhook = format!("SELECT id FROM webhooks WHERE callback_url = '{}'", broken.url);
    let id = stack.texts(&webhook).await.remove(0);
    for line in [
        "30 attempts in a row",
        "Topic:       customer_password_resets.reset_password",
        "Receiver:    127.0.0.1",
        "Last answer: status 500",
        &format!("rekey webhook show {id} --organization shop --mode live"),
        &format!("rekey webhook reset-circuit {id} --organization shop --mode live"),
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

/// Returns the metrics of the programs once the values that are looked up from time to time are there.
async fn settled(shop: &Shop, webhooks: &Api) -> (Metrics, Metrics, Metrics) {
    eventually("the gauges", async || {
        let api = Metrics::read(&shop.stack.api_admin()).await;
        let mailer = Metrics::read(&shop.stack.mailer()).await;
        let webhooks = Metrics::read(webhooks).await;
        let is_settled = api.get("rekey_outbox_waiting", &[]) == Some(0.0)
            && mailer.get("rekey_mail_unsent", &[]) == Some(0.0)
            && mailer.get("rekey_dead_letters_waiting", &[]) == Some(1.0)
            && api.get("rekey_key_age_seconds", &[("kind", "signing")]).is_some()
            && webhooks.get("rekey_webhook_circuits_open", &[]) == Some(1.0)
            && webhooks.get("rekey_dead_letters_waiting", &[]) == Some(1.0)
            && [&api, &mailer, &webhooks].iter().all(|metrics| metrics.get("rekey_ready", &[]).is_some())
            && api.get("rekey_cleanup_last_success_seconds", &[]).is_some();
        if is_settled { Ok((api, mailer, webhooks)) } else { Err((api.text, mailer.text, webhooks.text)) }
    })
    .await
}

fn assert_api(api: &Metrics) {
    let get = |name, labels: &[(&str, &str)]| api.get(name, labels);
    let requests = "http_server_request_duration_seconds_count";
    let created = [
        ("http_request_method", "POST"),
        ("http_route", "/api/customer_password_resets"),
        ("http_response_status_code", "201"),
    ];
    assert_eq!(get(requests, &created), Some(5.0));
    let route = "/api/customer_password_resets/{id}";
    assert_eq!(get(requests, &[("http_route", route), ("http_request_method", "PATCH")]), Some(1.0));
    assert_eq!(get("rekey_resets_total", &[("event", "requested")]), Some(4.0));
    assert_eq!(get("rekey_resets_total", &[("event", "completed")]), Some(1.0));
    assert_eq!(get("rekey_resets_total", &[("event", "rejected")]), Some(0.0));
    assert_eq!(get("rekey_throttles_total", &[("throttle", "self_service")]), Some(1.0));
    assert_eq!(get("rekey_sign_ins_total", &[("result", "succeeded")]), Some(1.0));
    let (failed, throttled) = (
        get("rekey_sign_ins_total", &[("result", "failed")]).unwrap(),
        get("rekey_sign_ins_total", &[("result", "throttled")]).unwrap(),
    );
    assert!(failed >= 5.0 && throttled >= 1.0, "{failed} {throttled}");
    assert_eq!(Some(failed + throttled), Some(8.0));
    assert_eq!(get("rekey_throttles_total", &[("throttle", "password")]), Some(throttled));
    assert_eq!(get("rekey_rate_limit_refusals_total", &[("limit", "token")]), Some(1.0));
    assert_eq!(get("rekey_rate_limit_refusals_total", &[("limit", "live")]), Some(0.0));
    let publications = "messaging_client_operation_duration_seconds_count";
    assert!(get(publications, &[("messaging_operation_name", "publish")]) >= Some(6.0));
    assert!(get(publications, &[("error_type", "returned")]) >= Some(1.0));
    // Anna's and Ben's first passwords, and Anna's new one; the log-ins.
    assert_eq!(get("rekey_hashing_duration_seconds_count", &[("operation", "hash")]), Some(3.0));
    assert_eq!(get("rekey_hashing_duration_seconds_count", &[("operation", "verify")]), Some(failed + 1.0));
    assert_eq!((get("rekey_hashing_running", &[]), get("rekey_hashing_queued", &[])), (Some(0.0), Some(0.0)));
    assert!(get("rekey_hashing_capacity", &[]) >= Some(1.0));
    assert_eq!(get("rekey_hashing_shed_total", &[]), Some(0.0));
    assert_eq!(get("rekey_outbox_oldest_age_seconds", &[]), Some(0.0));
    assert!(get("rekey_key_age_seconds", &[("kind", "sealing")]) < Some(600.0));
    assert_eq!(get("rekey_cleanup_deleted_total", &[("kind", "guesses")]), Some(3.0));
    assert_eq!(get("rekey_cleanup_deleted_total", &[("kind", "resets")]), Some(0.0));
    assert!(get("rekey_cleanup_last_success_seconds", &[]) > Some(1.7e9));
    assert_eq!(get("rekey_ready", &[("check", "store"), ("required", "true")]), Some(1.0));
    assert_eq!(get("rekey_ready", &[("check", "broker"), ("required", "false")]), Some(1.0));
    let pool = [("db_client_connection_pool_name", "requests")];
    assert_eq!(get("db_client_connection_max", &pool), Some(16.0));
    assert!(get("db_client_connection_count", &pool) >= Some(1.0));
    assert!(get("db_client_connection_wait_time_seconds_count", &pool) >= Some(10.0));
    assert_eq!(get("db_client_connection_timeouts_total", &pool), Some(0.0));
}

fn assert_mailer(mailer: &Metrics, relay: &str) {
    let get = |name, labels: &[(&str, &str)]| mailer.get(name, labels);
    let sent = [("mail", "reset_requested"), ("mode", "live"), ("outcome", "sent")];
    assert!(get("rekey_mail_outcomes_total", &sent) >= Some(1.0));
    assert_eq!(
        get("rekey_mail_outcomes_total", &[("mail", "password_changed"), ("outcome", "sent")]),
        Some(1.0)
    );
    assert_eq!(get("rekey_mail_outcomes_total", &[("outcome", "bounced")]), Some(1.0));
    assert_eq!(get("rekey_mail_reports_total", &[("source", "report"), ("result", "recorded")]), Some(0.0));
    let accepted = get("rekey_mail_outcomes_total", &[("outcome", "sent")]);
    let about_circuit = get("rekey_mail_outcomes_total", &[("mail", "circuit_opened"), ("outcome", "sent")]);
    assert_eq!(about_circuit, Some(1.0));
    assert_eq!(get("rekey_mail_latency_seconds_count", &[]), accepted.map(|count| count - 1.0));
    assert_eq!(
        get("rekey_smtp_duration_seconds_count", &[("relay", relay), ("outcome", "accepted")]),
        accepted
    );
    assert_eq!(get("rekey_smtp_duration_seconds_count", &[("outcome", "refused")]), Some(1.0));
    assert_eq!(get("rekey_smtp_replies_total", &[("relay", relay), ("class", "2xx")]), accepted);
    assert_eq!(get("rekey_smtp_replies_total", &[("relay", relay), ("class", "5xx")]), Some(1.0));
    assert_eq!(get("rekey_smtp_relay_usable", &[("relay", relay)]), Some(1.0));
    let days = get("rekey_smtp_relay_certificate_expiry_seconds", &[("relay", relay)]).unwrap() / 86_400.0;
    assert!((1.9..=2.0).contains(&days), "the certificate is made for two days: {days}");
    assert_eq!(get("rekey_dead_letters_total", &[("reason", "malformed")]), Some(1.0));
    assert_eq!(get("rekey_dead_letters_total", &[("reason", "unverifiable")]), Some(0.0));
    assert_eq!(get("rekey_mail_oldest_age_seconds", &[]), Some(0.0));
    let processed = "messaging_process_duration_seconds_count";
    assert_eq!(get(processed, &[("error_type", "malformed")]), Some(1.0));
    assert!(get(processed, &[("messaging_system", "rabbitmq")]) >= Some(5.0));
    assert_eq!(get("rekey_ready", &[("check", "mail")]), Some(1.0));
    assert_eq!(get("db_client_connection_max", &[("db_client_connection_pool_name", "mailer")]), Some(16.0));
}

fn assert_webhooks(webhooks: &Metrics) {
    let get = |name, labels: &[(&str, &str)]| webhooks.get(name, labels);
    let attempts = |outcome| get("rekey_webhook_attempts_total", &[("outcome", outcome), ("mode", "live")]);
    assert_eq!((attempts("delivered"), attempts("retried")), (Some(1.0), Some(1.0)));
    assert_eq!((attempts("given_up"), attempts("postponed")), (Some(0.0), Some(0.0)));
    assert_eq!(get("rekey_webhook_latency_seconds_count", &[]), Some(1.0));
    assert_eq!(get("rekey_webhook_circuits_opened_total", &[]), Some(1.0));
    let waiting = ["rekey_webhook_due", "rekey_webhook_oldest_due_age_seconds"].map(|name| get(name, &[]));
    assert_eq!(waiting, [Some(0.0); 2]);
    assert_eq!(get("rekey_dead_letters_total", &[("reason", "malformed")]), Some(1.0));
    let pool = [("db_client_connection_pool_name", "webhooks")];
    assert_eq!(get("db_client_connection_max", &pool), Some(16.0));
}

/// Runs `promtool check metrics`.
fn assert_prometheus_accepts(metrics: &Metrics) {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut check = command.spawn().unwrap();
    check.stdin.take().unwrap().write_all(metrics.text.as_bytes()).unwrap();
    let found = check.wait_with_output().unwrap();
    let complaints = String::from_utf8(found.stderr).unwrap();
    // The name is that of OpenTelemetry's conventions.
    let known =
        "db_client_connection_count non-histogram and non-summary metrics should not have \"_count\" suffix";
    let others: Vec<_> = complaints.lines().filter(|line| *line != known).collect();
    assert_eq!(others, [""; 0]);
}

/// `docs/metrics.md` lists exactly the metrics that there are, with their kinds and labels.
fn assert_documented(programs: &[(&str, &Metrics)]) {
    let manual = fs::read_to_string(project().join("docs/metrics.md")).unwrap();
    let rows = manual.lines().filter(|line| line.starts_with("| `"));
    let listed: BTreeMap<_, _> = rows
        .map(|row| {
            let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [name, kind, labels, shown_by, _] = cells.as_slice() else { panic!("five cells: {row}") };
            let names = |cell: &str| -> BTreeSet<String> {
                cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
            };
            let name = name.trim_matches('`');
            for (_, metrics) in programs.iter().filter(|(program, _)| shown_by.contains(program)) {
                assert_eq!(metrics.kinds().get(name).map(String::as_str), Some(*kind), "{row}");
            }
            (name.to_owned(), names(labels))
        })
        .collect();
    let found = programs.iter().flat_map(|(_, metrics)| metrics.kinds()).map(|(name, _)| {
        let labels = programs.iter().flat_map(|(_, metrics)| metrics.labels(&name)).collect();
        (name, labels)
    });
    assert_eq!(listed, found.collect::<BTreeMap<_, BTreeSet<_>>>());
}

/// A thousand different ids, addresses and paths add no series.
async fn assert_bounded(shop: &Shop, webhooks: &Api) {
    let (stack, client) = (&shop.stack, http(|builder| builder));
    let url = &stack.api.url;
    let call = async |n: u32| {
        let body = reset(&format!("nobody{n}@example.com"));
        for (method, path, body) in [
            ("GET", format!("/api/customers/{n}"), Value::Null),
            ("GET", format!("/nothing/{n}/{n}"), Value::Null),
            ("GET", format!("/api/nothing{n}"), Value::Null),
            // Not under /oauth, where the limit that was reached ends meanwhile.
            (&*format!("M{n}"), format!("/token{n}"), Value::Null),
            ("GET", format!("/reset-password/{n}?id={n}"), Value::Null),
            ("POST", "/api/customer_password_resets".to_owned(), body),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = client.request(method, format!("{url}{path}")).bearer_auth(format!("token{n}"));
            request.json(&body).send().await.unwrap();
        }
    };
    call(0).await;
    let series = async || {
        let mut all = BTreeSet::new();
        for admin in [&stack.api_admin(), &stack.mailer(), webhooks] {
            all.extend(Metrics::read(admin).await.all_series());
        }
        all
    };
    let before = series().await;
    for n in 1..=1000 {
        call(n).await;
    }
    let new: Vec<_> = series().await.difference(&before).cloned().collect();
    assert_eq!(new, [""; 0]);
}
