//! `rekey doctor` on a healthy deployment, and with one fault at a time, each of which it names with the fix.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{fs, process::Command};

use futures_util::future::join_all;
use lapin::BasicProperties;
use rekey_broker::rabbitmq::Consumer;
use rekey_core::events::bus::Verdict;
use rekey_e2e::{
    broker::{Broker, Webhooks, publish},
    dns::{DnsServer, Entry},
    process::{Exit, Program, free_ports},
    shop::{ANNA, Shop},
    smtp::{SmtpServer, self_signed},
    stack::Stack,
    wait::eventually,
};
use rekey_testkit::{conformance::bus::Scripted, pgbouncer::PgBouncer, postgres::TestDatabase};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

/// How many programs run at once.
const AT_ONCE: usize = 4;
/// A clock that connections have which look for functions there first.
const SKEWED_CLOCK: &str = "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
    $$SELECT pg_catalog.clock_timestamp() + interval '90 seconds'$$";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_deployment_has_no_failure_and_each_planted_fault_is_named_with_its_fix() {
    let ward = Ward::open().await;
    ward.execute(SKEWED_CLOCK).await;
    healthy(&ward).await;

    let folder = TempDir::new().unwrap();
    let [certificate, key] = self_signed(folder.path());
    let tls = ["--tls-cert", &certificate, "--tls-key", &key, "--auth", "u:correct"];
    let server = SmtpServer::start(folder.path().join("mails"), &tls).await;
    let empty = TestDatabase::create().await;
    let bouncer = PgBouncer::start(&ward.shop.stack.database.url(), "transaction");
    let faults = [
        settings(&ward),
        databases(&ward, &empty.url(), &bouncer),
        brokers(&ward),
        dns(),
        relays(&ward, server.port, &certificate),
    ]
    .concat();
    let faults: Vec<_> = faults.lines().map(Fault::parse).collect();
    assert!(faults.len() > 35, "{}", faults.len());
    for some in faults.chunks(AT_ONCE) {
        join_all(some.iter().map(|fault| fault.is_named(&ward))).await;
    }
    in_the_servers(&ward).await;
}

/// A deployment with a running API, a DNS server, and a mail that waits.
struct Ward {
    shop: Shop,
    broker: Broker,
    dns: DnsServer,
    folder: TempDir,
    _api: Program,
}

impl Ward {
    async fn open() -> Self {
        let broker = tokio::task::spawn_blocking(Broker::start).await.unwrap();
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let key = ["genpkey", "-algorithm", "ed25519", "-out", &path("dkim.pem")];
        assert!(Command::new("openssl").args(key).status().unwrap().success());
        fs::write(path("max"), "max\n").unwrap();
        let mut stack = Stack::prepare_on(&broker.url, &[]).await;
        stack.set("organizations.directory", &path("organizations"));
        stack.set("dkim.private_key_file", &path("dkim.pem"));
        fs::create_dir_all(path("organizations/shop")).unwrap();
        let shop = Shop::open(stack).await;
        let own = format!("[pages]\nclient_id = \"{}\"\n", shop.storefront.client_id);
        fs::write(path("organizations/shop/organization.toml"), own).unwrap();
        let api = shop.stack.start_api().await;
        let token = shop.register_anna().await;
        shop.stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
        eventually("the keys to be recorded", async || {
            let known = shop.stack.texts("SELECT kind FROM known_keys").await;
            if known.len() == 2 { Ok(()) } else { Err(known) }
        })
        .await;
        let record = shop.stack.tool(&["mail", "dkim", "--organization", "shop"]).await.stdout;
        let dns = DnsServer::start(zone(record.split('"').nth(1).unwrap())).await;
        Self { shop, broker, dns, folder, _api: api }
    }

    /// Runs `rekey doctor` for a program.
    async fn run(&self, own: &[(&str, String)], program: &str, more: &[&str]) -> (Exit, Vec<Value>) {
        let (dns, max) = (self.dns.address.to_string(), self.path("max"));
        let mut arguments = vec!["doctor", "--json", "--for", program];
        for [name, value] in [["--dns-server", dns.as_str()], ["--memory-limit-file", max.as_str()]] {
            if !more.contains(&name) {
                arguments.extend([name, value]);
            }
        }
        arguments.extend(more);
        let exit = self.shop.stack.spawn_tool_with(own, &arguments).end().await;
        let findings = exit.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (exit, findings)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(self.folder.path().join(name).parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    async fn execute(&self, statement: &str) {
        let mut connection = PgConnection::connect(&self.shop.stack.database.url()).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
}

/// The records of some domains, of which each but the first lacks one.
fn zone(key: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for domain in ["shop", "nospf", "twospf", "nomx", "nodmarc"] {
        let name = format!("{domain}.example");
        let spf = || Entry::Txt(name.clone(), "v=spf1 include:relay.example -all".to_owned());
        if domain != "nospf" {
            entries.push(spf());
        }
        if domain == "twospf" {
            entries.push(spf());
        }
        if domain != "nomx" {
            entries.push(Entry::Mx(name.clone(), format!("mail.{name}.")));
        }
        if domain != "nodmarc" {
            entries.push(Entry::Txt(format!("_dmarc.{name}"), "v=DMARC1; p=reject".to_owned()));
        }
        entries.push(Entry::Txt(format!("rekey._domainkey.{name}"), key.to_owned()));
    }
    let other = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    entries.push(Entry::Txt("old._domainkey.shop.example".to_owned(), other.to_owned()));
    entries
}

async fn healthy(ward: &Ward) {
    let stack = &ward.shop.stack;
    let mail = ["--test-mail", "test@shop.example", "--organization", "shop"];
    for (program, url, more, warned) in [
        ("api", stack.database.url_as("rekey_api"), &[][..], ""),
        ("mailer", stack.database.url_as("rekey_mailer"), &mail, ""),
        // The tests' role is a superuser.
        ("tool", stack.database.url(), &[], "database.role "),
    ] {
        let own = [("database.url", url), ("mail.bounce_domain", "shop.example".to_owned())];
        let (exit, findings) = ward.run(&own, program, more).await;
        assert_eq!((exit.code, exit.stderr.as_str()), (Some(0), ""), "{exit:#?}");
        let checks = |status: &str| {
            let with = findings.iter().filter(|finding| finding["status"] == status);
            with.map(|finding| finding["check"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
        };
        // No mailer runs, and the tests have no public address.
        assert_eq!(checks("warn"), format!("{warned}broker.messages links.public_url"), "{exit:#?}");
        assert!(checks("ok").split(' ').count() > 13, "{program}: {exit:#?}");
        let has_fix = |finding: &Value| finding["fix"].is_string() == (finding["status"] == "warn");
        assert!(findings.iter().all(has_fix), "{exit:#?}");
    }
    let mail = stack.smtp.mail_to("test@shop.example", 1).await;
    let raw = String::from_utf8(mail.raw.clone()).unwrap();
    assert!(raw.starts_with("DKIM-Signature: ") && mail.text().contains("a test of rekey doctor"), "{raw}");
    assert!(mail.sender.starts_with("b+") && mail.sender.ends_with("@shop.example"), "{}", mail.sender);
    // As people see it.
    let exit = stack.tool(&["doctor", "--dns-server", &ward.dns.address.to_string()]).await;
    let line = exit.stdout.lines().find(|line| line.contains("no mailer reads")).unwrap();
    assert!(line.starts_with("warn  broker.messages             no mailer reads"), "{exit:#?}");
    assert!(exit.stdout.contains("  fix: start rekey-mailer\n"), "{exit:#?}");
}

/// Settings with a fault, and how it is named.
struct Fault<'a> {
    program: &'a str,
    own: Vec<(&'a str, String)>,
    arguments: Vec<&'a str>,
    status: &'a str,
    check: &'a str,
    found: &'a str,
    fix: &'a str,
}

impl<'a> Fault<'a> {
    /// Parses `program | key = value; --option = value | status check | found | fix`.
    fn parse(line: &'a str) -> Self {
        let [program, changes, check, found, fix] =
            line.split(" | ").collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{line}"));
        let (status, check) = check.split_once(' ').unwrap();
        let (mut own, mut arguments) = (Vec::new(), Vec::new());
        for (name, value) in changes.split("; ").filter_map(|change| change.split_once(" =")) {
            let value = value.trim();
            if name.starts_with("--") {
                arguments.extend([name, value]);
            } else {
                own.push((name, value.to_owned()));
            }
        }
        Self { program, own, arguments, status, check, found, fix }
    }

    /// Asserts that the fault is named, and that nothing else fails.
    async fn is_named(&self, ward: &Ward) {
        let (exit, findings) = ward.run(&self.own, self.program, &self.arguments).await;
        let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        let is_this = |finding: &Value| {
            finding["check"] == self.check
                && finding["status"] == self.status
                && text(finding, "found").contains(self.found)
                && text(finding, "fix").contains(self.fix)
        };
        let Self { check, found, fix, .. } = self;
        assert!(findings.iter().any(is_this), "{check}: {found}: {fix}: {exit:#?}");
        let part = |check: &str| check.split('.').next().unwrap_or_default().to_owned();
        let is_other = |one: &&Value| one["status"] == "fail" && part(&text(one, "check")) != part(check);
        assert_eq!(findings.iter().filter(is_other).count(), 0, "{check}: {found}: {exit:#?}");
        assert_eq!(exit.code, Some(i32::from(self.status == "fail")), "{check}: {found}: {exit:#?}");
    }
}

fn settings(ward: &Ward) -> String {
    ward.write("wrong/shop/organization.toml", "[brand]\ncolor = \"green\"\n");
    ward.write("unknown/shopp/organization.toml", "[brand]\ncolor = \"#1f5fbf\"\n");
    let [wrong, unknown] = ["wrong", "unknown"].map(|name| ward.path(name));
    let limit = ward.write("limit", "402653184\n");
    let keys = ward.write("keys", "k9:AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw=\n");
    let ([closed], api) = (free_ports(), &ward.shop.stack.api.url);
    let office = &ward.shop.back_office.client_id;
    format!(
        "mailer | mail.from = | fail configuration.rekey-mailer | mail.from is missing | REKEY__MAIL__FROM
api | brand.colour = #fff | fail configuration | unknown key brand.colour | correct its name
api | organizations.directory = {wrong} | fail configuration.organization | shop: brand.color is \"green\" | expected a colour
api | organizations.directory = {unknown} | fail organizations | the slug of the folder shopp | rename the folder
api | pages.client_id = nobody | fail pages.client_id | nobody of the deployment does not exist | rekey client list
api | pages.client_id = {office} | fail pages.client_id | is an integration | rekey client list
mailer | links.reset_url_template = http://localhost:{closed}/r?id={{id}}&token={{token}} | fail links.open | Connection refused | correct links.reset_url_template
mailer | links.reset_url_template = {api}/nowhere?id={{id}}&token={{token}} | fail links.open | /nowhere answers 404 | correct links.reset_url_template
mailer | links.clients = {office}={api}/gone?id={{id}}&token={{token}} | fail links.open | /gone answers 404 | correct links.clients
api | passwords.hashing_threads = 8; --memory-limit-file = {limit} | fail hashing.memory | need 472 MiB, and the limit is 384 MiB | at most 3
mailer | keys.sealing_file = {keys} | fail keys.sealing | has no k1, which 1 pending resets | put it back
"
    )
}

fn databases(ward: &Ward, empty: &str, bouncer: &PgBouncer) -> String {
    let database = &ward.shop.stack.database;
    let url = database.url();
    let missing = url.replacen("/rekey_", "/not_there_", 1);
    let (pooler, mailer) = (bouncer.url(&url), database.url_as("rekey_mailer"));
    let separator = if url.contains('?') { '&' } else { '?' };
    let with = |option: &str| format!("{url}{separator}options[{option}");
    let (read_only, skewed) =
        (with("default_transaction_read_only]=on"), with("search_path]=public,pg_catalog"));
    format!(
        "tool | database.url = postgres://app@127.0.0.1:1/app | fail database.connection | Connection refused | check host and port in database.url
tool | database.url = {missing} | fail database.connection | 3D000 | check the name of the database
tool | database.url = {read_only} | fail database.connection | is read-only | must lead to the primary server
tool | database.url = {pooler} | fail database.connection | a pooler in transaction mode | use its session mode
tool | database.url = {empty} | fail database.migrations | was not migrated by this version | run `rekey migrate`
api | database.url = {mailer} | fail database.role | rekey_mailer is not the role of rekey-api | give it the role rekey_api
tool | database.url = {skewed} | fail database.clock | s ahead of this machine's | by NTP
tool | database.max_connections = 1000 | fail database.connections | one process may open 1000 | lower database.max_connections
"
    )
}

fn brokers(ward: &Ward) -> String {
    let url = &ward.broker.url;
    let user = |name: &str| json!({ "name": name, "password": "secret", "tags": "" });
    let rights = |user: &str, write: &str, read: &str| json!({ "user": user, "vhost": "/", "configure": "", "write": write, "read": read });
    let definitions = json!({
        "users": [user("reader"), user("writer")],
        "permissions": [rights("reader", "", ".*"), rights("writer", ".*", "")],
    });
    ward.broker.ctl(&["import_definitions", &ward.write("users.json", &definitions.to_string())]);
    let [reader, writer] =
        ["reader", "writer"].map(|name| url.replace("guest:guest", &format!("{name}:secret")));
    let (wrong, elsewhere) = (url.replace("guest:guest", "guest:wrong"), url.replace("%2f", "nope"));
    format!(
        "api | broker.url = amqp://u:p@127.0.0.1:1/%2f | fail broker.connection | 127.0.0.1:1: Connection refused | whether the broker is running
api | broker.url = {wrong} | fail broker.connection | Login was refused | check user and password in broker.url
api | broker.url = {elsewhere} | fail broker.connection | vhost nope not found | check the virtual host
api | broker.namespace = empty | fail broker.queues | the queue empty.mailer does not exist | import deploy/rabbitmq
api | broker.url = {reader} | fail broker.permissions | rekey-api: ACCESS_REFUSED | grant the user of broker.url this right
mailer | broker.url = {writer} | fail broker.permissions | rekey-mailer: ACCESS_REFUSED | grant the user of broker.url this right
"
    )
}

fn dns() -> String {
    let [closed] = free_ports();
    format!(
        "mailer | mail.from = a@nospf.example | warn dns.spf | nospf.example has no SPF record | publish a TXT record
mailer | mail.from = a@twospf.example | fail dns.spf | twospf.example has 2 SPF records | join them to one
mailer | mail.bounce_domain = nospf.example | warn dns.spf | nospf.example has no SPF record | publish a TXT record
mailer | mail.bounce_domain = nomx.example | fail dns.mx | nomx.example has no MX record and no address | publish an MX record
mailer | mail.envelope_from = a@nomx.example | fail dns.mx | nomx.example has no MX record and no address | publish an MX record
mailer | mail.from = a@nodmarc.example | warn dns.dmarc | nodmarc.example has no DMARC record | v=DMARC1
mailer | dkim.selector = new | fail dns.dkim | new._domainkey.shop.example has no key | rekey mail dkim
mailer | dkim.selector = old | fail dns.dkim | has another key than the mailer signs with | rekey mail dkim
mailer | --dns-server = 127.0.0.1:{closed} | warn dns | no answer for  | --dns-server
"
    )
}

fn relays(ward: &Ward, encrypted: u16, certificate: &str) -> String {
    let plain = ward.shop.stack.smtp.port;
    let denied = "check its user, password and scheme in smtp.relays";
    let own = format!("smtp.ca_file = {certificate}; smtp.relays = smtp://u");
    format!(
        "mailer | smtp.relays = smtp://localhost:1 | fail relays.connection | Connection refused | check its host and port in smtp.relays
mailer | smtp.relays = smtp://localhost:{plain} | fail relays.connection | the relay offers no STARTTLS | {denied}
mailer | {own}:wrong@localhost:{encrypted} | fail relays.connection | 535 | {denied}
mailer | smtp.relays = smtp://u:correct@localhost:{encrypted} | fail relays.connection | certificate | smtp.ca_file
mailer | {own}:correct@localhost:{encrypted} | warn relays.connection | logged in, its certificate is valid for 1 days | renew it
"
    )
}

/// Faults that are no settings, one after the other.
async fn in_the_servers(ward: &Ward) {
    let is_named = async |line: &str| Fault::parse(line).is_named(ward).await;
    ward.execute("REVOKE SELECT ON organizations FROM rekey_mailer").await;
    is_named("tool |  | fail database.rights | rekey_mailer: SELECT on organizations | run `rekey migrate`")
        .await;
    assert_eq!(ward.shop.stack.tool(&["migrate"]).await.code, Some(0));
    ward.execute("UPDATE known_keys SET current_since = now() - interval '500 days'").await;
    is_named("tool |  | warn keys.signing | the key in use is 500 days old | rotate it").await;
    ward.execute("UPDATE api_clients SET self_service = false").await;
    is_named("tool |  | fail pages.client_id | of shop may not ask for resets | --allow self-service").await;
    ward.execute("UPDATE api_clients SET self_service = true WHERE kind = 'sales_channel'").await;
    let webhooks = ward.shop.stack.topology().for_consumer(Consumer::Webhooks).queue();
    let namespace = &ward.shop.stack.namespace;
    let fan_out = Scripted::new(|_| Verdict::Done);
    Webhooks::start(&ward.broker.url, namespace, fan_out).await.stop().await;
    publish(&ward.broker.url, &webhooks, b"event", BasicProperties::default()).await;
    let fault = format!(
        "tool |  | warn broker.messages | nobody reads {webhooks}, which has 1 messages | start rekey-webhooks"
    );
    is_named(&fault).await;
    ward.broker.ctl(&["set_vm_memory_high_watermark", "absolute", "1"]);
    is_named("tool |  | fail broker.alarms | because of an alarm | rabbitmq-diagnostics alarms").await;
    ward.broker.ctl(&["set_vm_memory_high_watermark", "0.6"]);
    let queue = ward.shop.stack.topology().retry(time::Duration::ZERO);
    ward.broker.ctl(&["delete_queue", &queue]);
    let fault =
        format!("tool |  | fail broker.queues | {queue} does not exist | start rekey-api or rekey-mailer");
    is_named(&fault).await;
    let other = format!(
        "rabbit_amqqueue:declare(rabbit_misc:r(<<\"/\">>, queue, <<\"{queue}\">>), true, false, [], none, <<\"x\">>)."
    );
    ward.broker.ctl(&["eval", &other]);
    let fault =
        format!("tool |  | fail broker.queues | {queue} has other arguments | delete it once it is empty");
    is_named(&fault).await;
}
