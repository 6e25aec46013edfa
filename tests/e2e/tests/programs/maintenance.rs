//! A11: each program under its own database role, and `rekey maintain` for what rekey-api may not do.

use std::{fs, path::Path, process::Command};

use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data, number_data_point::Value};
use rekey_e2e::{
    postgres::Postgres,
    process::{Exit, Program, project},
    shop::{ANNA, Shop},
    stack::Stack,
    wait::eventually,
};
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor},
    postgres::TestDatabase,
};
use reqwest::StatusCode;

use crate::{
    collector::Collector,
    tracing::{metrics_of, text},
};

const LEFT_TO_MAINTAIN: &str = "retention, erasure and the deletion of decoys are left to `rekey maintain`";
const NOT_MIGRATED: &str =
    "the database was not migrated by this version: run `rekey migrate` as the role that owns the schema";

#[tokio::test]
async fn a11_maintain_deletes_the_old_records_that_the_api_leaves() {
    let shop = Shop::open(Stack::prepare().await).await;
    let (stack, database) = (&shop.stack, PostgresBackdoor::open(&shop.stack.database.url()));
    let api = stack.start_api().await;
    shop.register_anna().await;
    let guest = shop.storefront.token(&stack.api).await;
    for address in [ANNA, "nobody@example.com"] {
        stack.api.create_reset(&guest, address).await.expect(StatusCode::CREATED);
    }
    eventually("the entries to be chained", async || match database.count("audit_queue", "true").await {
        0 => Ok(()),
        left => Err(left),
    })
    .await;
    assert_eq!(api.terminate().await.code, Some(0));
    database
        .script(
            "UPDATE audit_chain SET entry_created_at = entry_created_at - interval '401 days';
             UPDATE password_resets SET created_at = now() - interval '9 days';
             UPDATE audit_entries SET created_at = created_at - interval '401 days'",
        )
        .await;
    let old = async || {
        [
            database.count("password_resets", "customer_id IS NULL").await,
            database.count("audit_entries", "resource_type = 'customers'").await,
        ]
    };

    let api = stack.start_api().await;
    logs(&api, LEFT_TO_MAINTAIN).await;
    assert_eq!(old().await, [1, 1]);
    let collector = Collector::start();
    let own = [
        ("database.url", stack.database.url_as("rekey_maintenance")),
        ("telemetry.otlp_endpoint", collector.url.clone()),
    ];
    let maintain = stack.spawn_tool_with(&own, &["maintain"]);
    eventually("old records to be deleted", async || match old().await {
        [0, 0] => Ok(()),
        left => Err(left),
    })
    .await;
    assert_eq!(database.count("password_resets", "true").await, 1, "Anna's is kept for longer");
    logs(&maintain, "deleted old records").await;
    for exit in [maintain.terminate().await, api.terminate().await] {
        assert_eq!(exit.code, Some(0), "{exit:?}");
        assert!(!exit.stderr.contains("WARN") && !exit.stderr.contains("ERROR"), "{exit:?}");
    }
    assert_cleanup_metrics(&metrics_of(&collector, "rekey-maintain"));
}

/// It has no listener, so its metrics go to the collector, the last ones when it stops.
fn assert_cleanup_metrics(metrics: &[Metric]) {
    let last = |name: &str, kind: Option<&str>| {
        let mut points =
            metrics.iter().filter(|metric| metric.name == name).flat_map(|metric| match &metric.data {
                Some(Data::Sum(sum)) => &sum.data_points[..],
                Some(Data::Gauge(gauge)) => &gauge.data_points,
                _ => &[],
            });
        points.rfind(|point| text(&point.attributes, "kind") == kind).and_then(|point| point.value)
    };
    let deleted = |kind| last("rekey.cleanup.deleted", Some(kind));
    assert_eq!([deleted("decoys"), deleted("resets")], [1, 0].map(|count| Some(Value::AsInt(count))));
    assert!(matches!(deleted("audit"), Some(Value::AsInt(1..))), "{metrics:?}");
    let succeeded_at = last("rekey.cleanup.last_success", None);
    assert!(matches!(succeeded_at, Some(Value::AsDouble(1.7e9..))), "{succeeded_at:?}");
}

#[tokio::test]
async fn a11_a_role_that_may_not_delete_is_refused_and_the_right_one_named() {
    let stack = Stack::prepare().await;
    for (command, refusal) in [
        (
            "maintain",
            "rekey: the role in database.url may not delete old records: use the role rekey_maintenance",
        ),
        ("purge", "rekey: the store failed: 42501: permission denied for table"),
    ] {
        let exit = stack.spawn_tool("rekey_api", &[command]).end().await;
        assert_eq!(exit.code, Some(1), "{exit:?}");
        let is_one_line = exit.stderr.lines().count() == 1 && exit.stderr.starts_with(refusal);
        assert!(is_one_line && exit.stderr.contains("rekey_maintenance"), "{exit:?}");
    }
    let purged = stack.spawn_tool("rekey_maintenance", &["purge"]).end().await;
    assert_eq!((purged.code, purged.stdout.lines().count()), (Some(0), 5), "{purged:?}");
}

#[tokio::test]
async fn a11_a_database_that_is_not_migrated_is_refused_by_all_but_its_owner() {
    let mut stack = Stack::prepare().await;
    stack.database = TestDatabase::create().await;
    stack.set("database.url", &stack.database.url());
    for exit in [
        stack.spawn("rekey-api").end().await,
        stack.spawn_tool("rekey_maintenance", &["maintain"]).end().await,
    ] {
        let Exit { code, stderr, .. } = &exit;
        let last = stderr.lines().last().unwrap_or_default();
        assert!(*code == Some(1) && last.ends_with(NOT_MIGRATED), "{exit:?}");
    }
    // A deployment with one role for all needs no command before the first start.
    let owner = stack.spawn_with("rekey-api", &[("database.url", stack.database.url())]);
    stack.api.ready().await;
    let log = owner.terminate().await.stderr;
    assert!(!log.contains(LEFT_TO_MAINTAIN), "{log}");
    let migrated = stack.start_api().await;
    logs(&migrated, LEFT_TO_MAINTAIN).await;
}

/// With the roles that docker-compose.yml's database has, under their passwords; from a database that had the mailer's only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a11_an_older_database_gets_the_roles_of_the_compose_file() {
    let server = Postgres::start();
    let mut stack = Stack::prepare().await;
    let secrets = Path::new(stack.get("auth.signing_key_file").unwrap()).parent().unwrap().to_owned();
    let secret = |name: &str| fs::read_to_string(secrets.join(name)).unwrap().trim().to_owned();
    let options = server.options();
    server.execute("CREATE DATABASE rekey").await;
    let older = ["rekey", "rekey_mailer"].map(|role| format!("CREATE ROLE {role} LOGIN PASSWORD 'older'"));
    server.execute(&older.join(";")).await;
    for role in ["rekey", "rekey_api", "rekey_mailer", "rekey_maintenance"] {
        server.require_passwords(role).await;
    }
    for _ in 0..2 {
        let created = Command::new(project().join("deploy/postgres/roles.sh"))
            .env("SECRETS", &secrets)
            .env("POSTGRES_USER", options.get_username())
            .env("POSTGRES_DB", "rekey")
            .env("PGHOST", options.get_host())
            .env("PGPORT", options.get_port().to_string())
            .output()
            .unwrap();
        assert!(created.status.success(), "{created:?}");
    }
    server.execute(&format!("ALTER ROLE rekey PASSWORD '{}'", secret("database_password"))).await;

    let address = format!("@{}:{}/", options.get_host(), options.get_port());
    let url = |name: &str| ("database.url", secret(name).replace("@postgres:5432/", &address));
    stack.set("database.url", &url("database_url").1);
    stack.migrate().await;
    let api = stack.spawn_with("rekey-api", &[url("api_database_url")]);
    stack.api.ready().await;
    logs(&api, LEFT_TO_MAINTAIN).await;
    stack.set("database.url", &url("maintenance_database_url").1);
    let purged = stack.tool(&["purge"]).await;
    assert_eq!(purged.code, Some(0), "{purged:?}");
}

async fn logs(program: &Program, text: &str) {
    let has_logged = async || if program.stderr().contains(text) { Ok(()) } else { Err(program.stderr()) };
    eventually(text, has_logged).await;
}
