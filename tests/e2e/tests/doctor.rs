//! `rekey doctor` on a healthy deployment, and with one fault at a time, each of which it names with the fix.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{fs, process::Command};

use futures_util::future::join_all;
use rekey_e2e::{
    broker::Broker,
    dns::{DnsServer, Entry},
    process::{Exit, Program, free_ports},
    shop::{ANNA, Shop},
    smtp::{SmtpServer, self_signed},
    stack::Stack,
    wait::eventually,
};
use rekey_testkit::{pgbouncer::PgBouncer, postgres::TestDatabase};
use reqwest::StatusCode;
use serde_json::Value;
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

    let mut faults = settings(&ward);
    faults.extend(databases(&ward));
    faults.extend(brokers(&ward));
    faults.extend(senders());
    let folder = TempDir::new().unwrap();
    let [certificate, key] = self_signed(folder.path());
    let tls = ["--tls-cert", &certificate, "--tls-key", &key, "--auth", "u:correct"];
    let server = SmtpServer::start(folder.path().join("mails"), &tls).await;
    faults.extend(relays(&ward, server.port, &certificate));
    let empty = TestDatabase::create().await;
    faults.push(Fault::new(
        &[("database.url", &empty.url())],
        "tool",
        "database.migrations",
        "was not migrated by this version",
        "run `rekey migrate`",
    ));
    let bouncer = PgBouncer::start(&ward.shop.stack.database.url(), "transaction");
    faults.push(Fault::new(
        &[("database.url", &bouncer.url(&ward.shop.stack.database.url()))],
        "tool",
        "database.connection",
        "a pooler in transaction mode",
        "use its session mode",
    ));
    assert!(faults.len() > 30);
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
        let made = Command::new("openssl")
            .args(["genpkey", "-algorithm", "ed25519", "-out", &path("dkim.pem")])
            .status();
        assert!(made.unwrap().success());
        fs::create_dir_all(path("organizations/shop")).unwrap();
        fs::write(path("max"), "max\n").unwrap();
        let mut stack = Stack::prepare_on(&broker.url, &[]).await;
        stack.set("organizations.directory", &path("organizations"));
        stack.set("dkim.private_key_file", &path("dkim.pem"));
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

    async fn execute(&self, statement: &str) {
        let mut connection = PgConnection::connect(&self.shop.stack.database.url()).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
}

/// The records of some domains, of which each lacks one.
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
    for (program, role, warned) in [
        ("api", Some("rekey_api"), &["broker.messages", "links.public_url"][..]),
        ("mailer", Some("rekey_mailer"), &["broker.messages", "links.public_url"]),
        // The tests' role is a superuser.
        ("tool", None, &["database.role", "broker.messages", "links.public_url"]),
    ] {
        let url = role.map_or_else(|| stack.database.url(), |role| stack.database.url_as(role));
        let mail: &[&str] = if program == "mailer" {
            &["--test-mail", "test@shop.example", "--organization", "shop"]
        } else {
            &[]
        };
        let (exit, findings) = ward.run(&[("database.url", url)], program, mail).await;
        assert_eq!((exit.code, exit.stderr.as_str()), (Some(0), ""), "{exit:#?}");
        let with = |status: &'static str| findings.iter().filter(move |finding| finding["status"] == status);
        let checks: Vec<_> = with("warn").map(|finding| finding["check"].as_str().unwrap()).collect();
        assert_eq!(checks, warned, "{program}: {exit:#?}");
        assert!(with("ok").count() > 15, "{program}: {exit:#?}");
        assert!(
            with("ok").all(|finding| finding["fix"].is_null())
                && with("warn").all(|finding| finding["fix"].is_string())
        );
    }
    let mail = stack.smtp.mail_to("test@shop.example", 1).await;
    let raw = String::from_utf8(mail.raw.clone()).unwrap();
    assert!(raw.starts_with("DKIM-Signature: ") && mail.text().contains("a test of rekey doctor"), "{raw}");
    let exit = stack.tool(&["doctor", "--dns-server", &ward.dns.address.to_string()]).await;
    let line = exit.stdout.lines().find(|line| line.contains("no mailer reads")).unwrap();
    assert!(line.starts_with("warn  broker.messages             no mailer reads"), "{exit:#?}");
    assert!(exit.stdout.contains("fix: start rekey-mailer\n"), "{exit:#?}");
}

/// Settings with a fault, and how it is named.
struct Fault {
    own: Vec<(&'static str, String)>,
    program: &'static str,
    arguments: Vec<String>,
    check: &'static str,
    status: &'static str,
    found: String,
    fix: &'static str,
}

impl Fault {
    fn new(
        own: &[(&'static str, &str)],
        program: &'static str,
        check: &'static str,
        found: &str,
        fix: &'static str,
    ) -> Self {
        let own = own.iter().map(|&(key, value)| (key, value.to_owned())).collect();
        Self { own, program, arguments: Vec::new(), check, status: "fail", found: found.to_owned(), fix }
    }

    fn warning(self) -> Self {
        Self { status: "warn", ..self }
    }

    fn with(self, arguments: &[&str]) -> Self {
        Self { arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(), ..self }
    }

    /// Asserts that the fault is named, and that nothing else fails.
    async fn is_named(&self, ward: &Ward) {
        let arguments: Vec<_> = self.arguments.iter().map(String::as_str).collect();
        let (exit, findings) = ward.run(&self.own, self.program, &arguments).await;
        let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        let is_this = |finding: &&Value| {
            finding["check"] == self.check
                && finding["status"] == self.status
                && text(finding, "found").contains(&self.found)
                && text(finding, "fix").contains(self.fix)
        };
        let Self { check, found, .. } = self;
        assert!(findings.iter().any(|finding| is_this(&finding)), "{check}: {found}: {exit:#?}");
        let part = |check: &str| check.split('.').next().unwrap_or_default().to_owned();
        let others =
            findings.iter().filter(|one| one["status"] == "fail" && part(&text(one, "check")) != part(check));
        assert_eq!(others.count(), 0, "{check}: {found}: {exit:#?}");
        assert_eq!(exit.code, Some(i32::from(self.status == "fail")), "{check}: {found}: {exit:#?}");
    }
}

fn settings(ward: &Ward) -> Vec<Fault> {
    let write = |name: &str, text: &str| {
        let path = ward.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    };
    write("wrong/shop/organization.toml", "[brand]\ncolor = \"green\"\n");
    write("unknown/shopp/organization.toml", "[brand]\ncolor = \"#1f5fbf\"\n");
    write("limit", "402653184\n");
    write("keys", "k9:AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw=\n");
    let stack = &ward.shop.stack;
    let [closed] = free_ports();
    let page = |path: &str| format!("{}{path}?id={{id}}&token={{token}}", stack.api.url);
    let unopened = format!("http://localhost:{closed}/r?id={{id}}&token={{token}}");
    let limit = ward.path("limit");
    let threads = [("passwords.hashing_threads", "8")];
    let office = ward.shop.back_office.client_id.as_str();
    vec![
        Fault::new(
            &[("mail.from", "")],
            "mailer",
            "configuration.rekey-mailer",
            "mail.from is missing",
            "REKEY__MAIL__FROM",
        ),
        Fault::new(
            &[("brand.colour", "#fff")],
            "api",
            "configuration",
            "unknown key brand.colour",
            "correct its name",
        ),
        Fault::new(
            &[("organizations.directory", &ward.path("wrong"))],
            "api",
            "configuration.organization",
            "shop: brand.color is \"green\"",
            "expected a colour",
        ),
        Fault::new(
            &[("organizations.directory", &ward.path("unknown"))],
            "api",
            "organizations",
            "the slug of the folder shopp",
            "rename the folder",
        ),
        Fault::new(
            &[("pages.client_id", "nobody")],
            "api",
            "pages.client_id",
            "nobody of the deployment does not exist",
            "rekey client list",
        ),
        Fault::new(
            &[("pages.client_id", office)],
            "api",
            "pages.client_id",
            "is an integration",
            "rekey client list",
        ),
        Fault::new(
            &[("links.reset_url_template", &unopened)],
            "mailer",
            "links.open",
            "Connection refused",
            "correct links.reset_url_template",
        ),
        Fault::new(
            &[("links.reset_url_template", &page("/nowhere"))],
            "mailer",
            "links.open",
            "/nowhere answers 404",
            "correct links.reset_url_template",
        ),
        Fault::new(
            &threads,
            "api",
            "hashing.memory",
            "8 hashing threads and the rest need 472 MiB, and the limit is 384 MiB",
            "at most 3",
        )
        .with(&["--memory-limit-file", &limit]),
        Fault::new(
            &[("keys.sealing_file", &ward.path("keys"))],
            "mailer",
            "keys.sealing",
            "has no k1, which 1 pending resets",
            "put it back",
        ),
    ]
}

fn databases(ward: &Ward) -> Vec<Fault> {
    let database = &ward.shop.stack.database;
    let url = database.url();
    let missing = url.replacen("/rekey_", "/not_there_", 1);
    let [read_only, skewed] = ["default_transaction_read_only]=on", "search_path]=public,pg_catalog"]
        .map(|option| format!("{url}?options[{option}"));
    let check = "database.connection";
    vec![
        Fault::new(
            &[("database.url", "postgres://app@127.0.0.1:1/app")],
            "tool",
            check,
            "Connection refused",
            "check host and port in database.url",
        ),
        Fault::new(&[("database.url", &missing)], "tool", check, "3D000", "check the name of the database"),
        Fault::new(
            &[("database.url", &read_only)],
            "tool",
            check,
            "the database is read-only",
            "must lead to the primary server",
        ),
        Fault::new(
            &[("database.url", &database.url_as("rekey_mailer"))],
            "api",
            "database.role",
            "rekey_mailer is not the role of rekey-api",
            "give it the role rekey_api",
        ),
        Fault::new(
            &[("database.url", &skewed)],
            "tool",
            "database.clock",
            "s ahead of this machine's",
            "by NTP",
        ),
        Fault::new(
            &[("database.max_connections", "1000")],
            "tool",
            "database.connections",
            "one process may open 1000",
            "lower database.max_connections",
        ),
    ]
}

fn brokers(ward: &Ward) -> Vec<Fault> {
    let url = ward.broker.url.as_str();
    let user = |name: &str, rights: [&str; 3]| {
        ward.broker.ctl(&["add_user", name, "secret"]);
        ward.broker.ctl(&[&["set_permissions", name], &rights[..]].concat());
        url.replace("guest:guest", &format!("{name}:secret"))
    };
    let (reader, writer) = (user("reader", ["", "", ".*"]), user("writer", ["", ".*", ""]));
    let check = "broker.connection";
    vec![
        Fault::new(
            &[("broker.url", "amqp://u:p@127.0.0.1:1/%2f")],
            "api",
            check,
            "127.0.0.1:1: Connection refused",
            "whether the broker is running",
        ),
        Fault::new(
            &[("broker.url", &url.replace("guest:guest", "guest:wrong"))],
            "api",
            check,
            "Login was refused",
            "check user and password in broker.url",
        ),
        Fault::new(
            &[("broker.url", &url.replace("%2f", "nope"))],
            "api",
            check,
            "vhost nope not found",
            "check the virtual host",
        ),
        Fault::new(
            &[("broker.namespace", "empty")],
            "api",
            "broker.queues",
            "the queue empty.mailer does not exist",
            "import deploy/rabbitmq",
        ),
        Fault::new(
            &[("broker.url", &reader)],
            "api",
            "broker.permissions",
            "rekey-api: ACCESS_REFUSED",
            "grant the user of broker.url this right",
        ),
        Fault::new(
            &[("broker.url", &writer)],
            "mailer",
            "broker.permissions",
            "rekey-mailer: ACCESS_REFUSED",
            "grant the user of broker.url this right",
        ),
    ]
}

fn senders() -> Vec<Fault> {
    let from = |domain: &str| format!("Shop <post@{domain}.example>");
    let mailer =
        |own: &[(&'static str, &str)], check, found: &str, fix| Fault::new(own, "mailer", check, found, fix);
    let [closed] = free_ports();
    let silent = format!("127.0.0.1:{closed}");
    vec![
        mailer(
            &[("mail.from", &from("nospf"))],
            "dns.spf",
            "nospf.example has no SPF record",
            "publish a TXT record",
        )
        .warning(),
        mailer(
            &[("mail.from", &from("twospf"))],
            "dns.spf",
            "twospf.example has 2 SPF records",
            "join them to one",
        ),
        mailer(
            &[("mail.from", &from("nomx"))],
            "dns.mx",
            "nomx.example has no MX record and no address",
            "publish an MX record",
        ),
        mailer(
            &[("mail.from", &from("nodmarc"))],
            "dns.dmarc",
            "nodmarc.example has no DMARC record",
            "v=DMARC1",
        )
        .warning(),
        mailer(
            &[("dkim.selector", "new")],
            "dns.dkim",
            "new._domainkey.shop.example has no key",
            "rekey mail dkim",
        ),
        mailer(
            &[("dkim.selector", "old")],
            "dns.dkim",
            "has another key than the mailer signs with",
            "rekey mail dkim",
        ),
        mailer(&[], "dns", "no answer for ", "--dns-server").with(&["--dns-server", &silent]).warning(),
    ]
}

fn relays(ward: &Ward, encrypted: u16, certificate: &str) -> Vec<Fault> {
    let plain = ward.shop.stack.smtp.port;
    let mailer = |relay: &str, ca_file: &str, found: &str, fix| {
        let own = [("smtp.relays", relay), ("smtp.ca_file", ca_file)];
        Fault::new(&own, "mailer", "relays.connection", found, fix)
    };
    let denied = "check its user, password and scheme in smtp.relays";
    let to = |user: &str, port: u16| format!("smtp://{user}@localhost:{port}");
    vec![
        mailer(&to("u:p", 1), certificate, "Connection refused", "check its host and port in smtp.relays"),
        mailer(&to("u:p", plain), certificate, "the relay offers no STARTTLS", denied),
        mailer(&to("u:wrong", encrypted), certificate, "535", denied),
        mailer(&to("u:correct", encrypted), "", "certificate", "smtp.ca_file"),
        mailer(
            &to("u:correct", encrypted),
            certificate,
            "logged in, its certificate is valid for 1 days",
            "renew it",
        )
        .warning(),
    ]
}

/// Faults that are no settings, one after the other.
async fn in_the_servers(ward: &Ward) {
    let tool = |check, found: &str, fix| Fault::new(&[], "tool", check, found, fix);
    ward.execute("REVOKE SELECT ON organizations FROM rekey_mailer").await;
    tool("database.rights", "missing: rekey_mailer: SELECT on organizations", "run `rekey migrate`")
        .is_named(ward)
        .await;
    assert_eq!(ward.shop.stack.tool(&["migrate"]).await.code, Some(0));
    ward.execute(
        "UPDATE known_keys SET current_since = now() - interval '500 days' WHERE kind = 'signing_keys'",
    )
    .await;
    tool("keys.signing", "the key in use is 500 days old", "rotate it").warning().is_named(ward).await;
    ward.execute("UPDATE api_clients SET self_service = false").await;
    tool("pages.client_id", "of shop may not ask for resets", "--allow self-service").is_named(ward).await;
    ward.execute("UPDATE api_clients SET self_service = true WHERE kind = 'sales_channel'").await;
    ward.broker.ctl(&["set_vm_memory_high_watermark", "absolute", "1"]);
    tool("broker.alarms", "takes no messages because of an alarm", "rabbitmq-diagnostics alarms")
        .is_named(ward)
        .await;
    ward.broker.ctl(&["set_vm_memory_high_watermark", "0.6"]);
    let topology = ward.shop.stack.topology();
    ward.broker.ctl(&["delete_queue", &topology.retry(time::Duration::ZERO)]);
    let missing = format!("the queue {} does not exist", topology.retry(time::Duration::ZERO));
    tool("broker.queues", &missing, "start rekey-api or rekey-mailer").is_named(ward).await;
}
