//! `rekey console` and `rekey operator`: the pages in Chromium, and what a browser can't show.
#![cfg(test)]

use std::{fs, process::Command, time::Duration};

use rekey_e2e::{
    client::http,
    process::{Exit, Program, free_ports, project},
    receiver::{Receiver, Reply},
    shop::{ANNA, Shop},
    stack::{Registered, Stack, amqp_url},
    wait::eventually,
};
use reqwest::{Client, Response, StatusCode, header};
use tempfile::TempDir;

const BOUNCED: &str = "bert@example.com";
/// Many times its duration on an idle machine.
const TIMEOUT: Duration = Duration::from_mins(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_look_at_mails_and_repair_what_is_stuck_in_a_real_browser() {
    let mut stack = Stack::prepare_on(&amqp_url(), &["--unknown", &format!("{BOUNCED}:1")]).await;
    let [port] = free_ports();
    stack.set("admin.listen", &format!("127.0.0.1:{port}"));
    stack.set("webhooks.allowed_networks", "127.0.0.0/8");
    let shop = Shop::open(stack).await;
    let stack = &shop.stack;
    let _api = stack.start_api().await;
    let dead = dead_letter(&shop).await;
    let mailer = stack.start_mailer().await;
    let _webhooks = stack.start_another("rekey-webhooks").await;
    let receiver = receiver(stack).await;
    mail_that_bounces(&shop).await;
    webhook_that_failed(stack).await;

    let password = create(stack, "anna", "act").await;
    let console = stack.spawn_tool("rekey_console", &["console"]);
    let url = format!("http://127.0.0.1:{port}");
    let site = Site { url: &url, http: http(|builder| builder.cookie_store(true)) };
    eventually("the console to be ready", async || {
        let asked = site.http.get(format!("{url}/readyz")).send().await.map_err(|error| error.to_string())?;
        if asked.status().is_success() { Ok(()) } else { Err(asked.status().to_string()) }
    })
    .await;
    let health = stack.spawn_tool("rekey_console", &["console", "--health"]).end().await;
    assert_eq!((health.code, health.stdout.as_str()), (Some(0), "{\"status\":\"ready\"}\n"), "{health:?}");
    in_chromium(&shop, &url, &dead, &password).await;
    let mut ids: Vec<_> = receiver.received().iter().map(|one| one.headers["webhook-id"].clone()).collect();
    ids[2..].sort();
    ids[..2].sort();
    assert!(ids.len() == 4 && ids[..2] == ids[2..], "each was sent once, and replayed once: {ids:?}");
    mailer.terminate().await;

    mails_that_wait_are_shown_and_sent_again(&shop, &site, &password).await;
    callbacks_are_replayed_if_they_can_be(stack, &site).await;
    readers_change_nothing(stack, &site).await;
    only_our_own_forms_count(stack, &site, &password).await;
    sessions_end(stack, &site, &password).await;
    wrong_passwords_are_throttled(&site).await;

    let log = console.terminate().await.stderr;
    assert!(
        log.contains("an operator signed in") && log.contains("a sign-in to the console failed"),
        "{log}"
    );
    assert!(!log.contains(&password) && !log.contains("hunter2") && !log.contains("@example.com"), "{log}");
}

/// Makes two dead letters, a customer's and a mail's, and returns the mail's id.
async fn dead_letter(shop: &Shop) -> String {
    let (stack, folder) = (&shop.stack, TempDir::new().unwrap());
    let file = folder.path().join("sealing_keys");
    fs::write(&file, "k1:AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw=").unwrap();
    let own = [
        ("keys.sealing_file", file.to_str().unwrap().to_owned()),
        ("database.url", stack.database.url_as("rekey_mailer")),
    ];
    let mailer = stack.spawn_with("rekey-mailer", &own);
    let token = shop.register_anna().await;
    stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    let id = eventually("the mail to have failed, and both dead letters", async || {
        let failed = stack.texts("SELECT event_id FROM deliveries WHERE status = 'failed'").await;
        let letters = stack.tool(&["dead-letter", "list", "--json"]).await.stdout.lines().count();
        if failed.len() == 1 && letters == 2 { Ok(failed[0].clone()) } else { Err((failed, letters)) }
    })
    .await;
    mailer.terminate().await;
    id
}

/// Makes a mail that bounces, so that its address is suppressed, and one that is sent.
async fn mail_that_bounces(shop: &Shop) {
    let stack = &shop.stack;
    let token = shop.back_office.token(&stack.api).await;
    for address in [BOUNCED, "carla@example.com"] {
        stack.api.create_customer(&token, address, "the first of all passwords").await;
        stack.api.create_reset(&token, address).await.expect(StatusCode::CREATED);
    }
    eventually("a mail that bounced and one that was sent", async || {
        let ended = stack.texts("SELECT status FROM deliveries WHERE status IN ('sent', 'bounced')").await;
        if ended.len() == 2 { Ok(()) } else { Err(ended) }
    })
    .await;
}

/// Creates a webhook with a receiver that fails twice, by an answer that is HTML.
async fn receiver(stack: &Stack) -> Receiver {
    let receiver = Receiver::start().await;
    let body = "<h1>Down for maintenance</h1>";
    let down = Reply { body, headers: "retry-after: 86400\r\n", ..Reply::status(503) };
    receiver.reply([down.clone(), down]);
    let create = "webhook create --organization shop --topic customers.create --name Back-office --url";
    let create: Vec<_> = create.split(' ').chain([receiver.url.as_str()]).collect();
    let created = stack.tool(&create).await;
    assert_eq!(created.code, Some(0), "{created:?}");
    receiver
}

/// Opens the webhook's circuit, and gives up both callbacks: nobody waits three days here.
async fn webhook_that_failed(stack: &Stack) {
    eventually("both answers", async || {
        let codes = stack.texts("SELECT response_code FROM event_callbacks WHERE lease_until IS NULL").await;
        if codes == ["503", "503"] { Ok(()) } else { Err(codes) }
    })
    .await;
    let open = "UPDATE webhooks SET circuit_opened_at = now(), circuit_failure_count = 30 RETURNING id";
    stack.texts(open).await;
    stack.texts("UPDATE event_callbacks SET due_at = NULL, attempts = 10 RETURNING id").await;
}

async fn in_chromium(shop: &Shop, url: &str, dead: &str, password: &str) {
    let Registered { client_id, secret } = &shop.back_office;
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec", "console.js"]).current_dir(project().join("tests/browser"));
    node.envs([
        ("REKEY_CONSOLE_URL", url),
        ("REKEY_OPERATOR_PASSWORD", password),
        ("REKEY_DEAD_MAIL", dead),
        ("REKEY_BOUNCED_ADDRESS", BOUNCED),
        ("REKEY_CUSTOMER", ANNA),
        // What the helpers of the other tests in that folder need.
        ("REKEY_URL", &shop.stack.api.url),
        ("REKEY_CLIENT_ID", client_id),
        ("REKEY_CLIENT_SECRET", secret.as_deref().unwrap()),
        ("REKEY_SALES_CLIENT_ID", &shop.storefront.client_id),
        ("REKEY_EXPIRING_LINK", "none"),
        ("REKEY_EXPIRES_AT", "2026-01-01T00:00:00Z"),
    ]);
    let exit = Program::spawn("node --test", &mut node).end_within(TIMEOUT).await;
    println!("{}{}", exit.stdout, exit.stderr);
    assert_eq!(exit.code, Some(0), "tests/browser/console.js failed, see above");
    assert!(exit.stdout.contains("pass 1"), "Node found no test");
    let audited =
        "SELECT action || ' ' || actor FROM audit_entries WHERE actor LIKE 'operator:%' ORDER BY created_at";
    let expected = ["replay_dead_letter", "lift_suppression", "update", "replay", "replay"];
    let expected = expected.map(|action| format!("{action} operator:anna"));
    assert_eq!(shop.stack.texts(audited).await, expected);
}

async fn mails_that_wait_are_shown_and_sent_again(shop: &Shop, site: &Site<'_>, password: &str) {
    let (stack, dora) = (&shop.stack, "dora@example.com");
    let token = shop.back_office.token(&stack.api).await;
    stack.api.create_customer(&token, dora, "the first of all passwords").await;
    let reset = stack.api.create_reset(&token, dora).await.expect(StatusCode::CREATED).text("/data/id");
    let id = stack.texts("SELECT event_id FROM deliveries WHERE status = 'queued'").await.remove(0);
    site.sign_in("anna", password).await;
    let (overview, path) = (site.get("/").await, format!("/mails/{id}"));
    assert!(overview.contains("1 queued") && overview.contains("waits since <time"), "{overview}");
    assert_eq!(location(&site.try_get(&format!("/mails?q={id}")).await), path);
    assert!(site.get(&format!("/mails?q={reset}&status=queued&organization=shop")).await.contains(&id));
    assert!(site.get("/mails?q=&status=suppressed").await.contains("No mail was found."));
    let page = site.get(&path).await;
    assert!(page.contains("It waits because"), "{page}");
    let fields = [("form_token", form_token(&page))];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let due = site.post(&format!("{path}/resend"), &fields, "same-origin").await;
    assert_eq!(location(&due), format!("{path}?done=resent"));
    let page = site.get(location(&due)).await;
    assert!(page.contains("The mail is due again.") && page.contains("resend by anna"), "{page}");
    stack.texts("UPDATE password_resets SET expires_at = now() RETURNING id").await;
    let refused = site.post(&format!("{path}/resend"), &fields, "same-origin").await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert!(refused.text().await.unwrap().contains("(reset expired)"));
}

async fn callbacks_are_replayed_if_they_can_be(stack: &Stack, site: &Site<'_>) {
    eventually("all to be delivered", async || {
        let rest = stack.texts("SELECT id FROM logged_callbacks WHERE state <> 'delivered'").await;
        if rest.is_empty() { Ok(()) } else { Err(rest) }
    })
    .await;
    let webhook = format!("/webhooks/{}", stack.texts("SELECT id FROM webhooks").await[0]);
    let page = site.get(&webhook).await;
    assert!(page.contains("Replay</button>") && !page.contains("Close the circuit"), "{page}");
    let token = form_token(&page);
    for (since, message) in
        [("2100-01-01T00:00", "no callback has failed since then"), ("<i>", "the time is not understood")]
    {
        let fields = [("form_token", token.as_str()), ("since", since)];
        let refused = site.post(&format!("{webhook}/replay"), &fields, "same-origin").await;
        assert_eq!(refused.status(), StatusCode::CONFLICT);
        assert!(refused.text().await.unwrap().contains(message), "{since}");
    }
    let erase = "UPDATE event_callbacks SET sealed_payload = NULL RETURNING id";
    let callback = format!("{webhook}/callbacks/{}/replay", stack.texts(erase).await[0]);
    let form = [("form_token", token.as_str())];
    let refused = site.post(&callback, &form, "same-origin").await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert!(refused.text().await.unwrap().contains("its payload was erased"));
    assert_eq!(site.post(&callback, &form, "cross-site").await.status(), StatusCode::FORBIDDEN);
    let page = site.get(&webhook).await;
    assert!(page.contains("erased") && !page.contains("Replay</button>"), "{page}");
    assert_eq!(site.try_get(&format!("{webhook}?state=%3Cb%3E")).await.status(), StatusCode::BAD_REQUEST);
    assert!(site.get("/webhooks?organization=shop").await.contains(&webhook));
    assert!(site.get("/webhooks?organization=%3Cb%3E").await.contains("There are none."));
    stack.texts("UPDATE webhooks SET circuit_opened_at = now() RETURNING id").await;
    assert!(site.get(&webhook).await.contains("Close the circuit</button>"));
}

async fn readers_change_nothing(stack: &Stack, site: &Site<'_>) {
    let password = create(stack, "rita", "read").await;
    assert_eq!(location(&site.sign_in("rita", &password).await), "/?done=signed_in");
    let webhook = &stack.texts("SELECT id FROM webhooks").await[0];
    let page = site.get(&format!("/webhooks/{webhook}")).await;
    assert!(page.contains("Its circuit is open") && !page.contains("Close the circuit</button>"), "{page}");
    let page = site.get("/dead-letters").await;
    assert!(page.contains("rita") && !page.contains("Replay</button>"), "{page}");
    let (letters, form) = (stack.tool(&["dead-letter", "list", "--json"]).await.stdout, form_token(&page));
    let id = letters.split('"').nth(3).unwrap();
    let refused =
        site.post("/dead-letters/replay", &[("form_token", &form), ("id", id)], "same-origin").await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(refused.text().await.unwrap().contains("Your role may look at everything and change nothing"));
    let updated = stack.tool(&["operator", "update", "rita", "--role", "act"]).await;
    assert_eq!((updated.code, updated.stdout.as_str()), (Some(0), "Updated.\n"), "{updated:?}");
    assert_eq!(location(&site.try_get("/").await), "/sign-in?done=expired", "the new role ends the session");
    site.sign_in("rita", &password).await;
    assert!(site.get("/dead-letters").await.contains("Replay</button>"));

    let listed = stack.tool(&["operator", "list"]).await.stdout;
    assert!(listed.lines().count() == 3 && listed.contains("rita  act   2"), "{listed}");
    let taken = stack.tool(&["operator", "create", "rita", "--role", "read"]).await;
    assert_eq!((taken.code, taken.stderr.as_str()), (Some(1), "rekey: the name rita is taken\n"));
    let deleted = stack.tool(&["operator", "delete", "rita"]).await;
    assert_eq!((deleted.code, deleted.stdout.as_str()), (Some(0), "Deleted.\n"), "{deleted:?}");
    assert_eq!(location(&site.try_get("/").await), "/sign-in?done=expired");
    for command in
        [&["delete", "rita"][..], &["reset-password", "rita"], &["update", "rita", "--role", "read"]]
    {
        let Exit { code, stderr, .. } = stack.tool(&[&["operator"], command].concat()).await;
        assert_eq!((code, stderr.as_str()), (Some(3), "rekey: no operator has the name rita\n"));
    }
}

async fn only_our_own_forms_count(stack: &Stack, site: &Site<'_>, password: &str) {
    let credentials = [("name", "anna"), ("password", password)];
    let refused = site.post("/sign-in", &credentials, "cross-site").await;
    assert_eq!((refused.status(), refused.headers().get("set-cookie")), (StatusCode::FORBIDDEN, None));
    let opened = site.sign_in("anna", password).await;
    let cookie = opened.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("rekey_console="), "{cookie}");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(cookie.split("; ").any(|own| own == part), "{cookie}");
    }
    let elsewhere = site.http.post(format!("{}/sign-in", site.url)).header(header::HOST, "console.example");
    let elsewhere = elsewhere.form(&credentials).send().await.unwrap();
    let cookie = elsewhere.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Secure-rekey_console=") && cookie.contains("; Secure"), "{cookie}");

    let page = site.get("/dead-letters").await;
    let own = form_token(&page);
    let letters = stack.tool(&["dead-letter", "list", "--json"]).await.stdout;
    let id = letters.split('"').nth(3).unwrap();
    for (token, from) in
        [(own.as_str(), "cross-site"), (&own, "same-site"), ("forged", "same-origin"), ("", "same-origin")]
    {
        let fields = [("form_token", token), ("id", id)];
        let refused = site.post("/dead-letters/replay", &fields, from).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{token} from {from}");
    }
    let old = site.http.post(format!("{}/sign-out", site.url)).header("origin", "https://evil.example");
    let refused = old.form(&[("form_token", &own)]).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN, "of a browser without fetch metadata");
    assert_eq!(stack.tool(&["dead-letter", "list", "--json"]).await.stdout, letters);

    let answer = site.try_get("/").await;
    let headers = answer.headers();
    let policy =
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    assert_eq!(headers["content-security-policy"], policy);
    assert_eq!(
        (&headers["cache-control"], &headers["referrer-policy"]),
        (&"no-store".parse().unwrap(), &"no-referrer".parse().unwrap())
    );
    let gone =
        site.post("/dead-letters/replay", &[("form_token", &own), ("id", "../<b>")], "same-origin").await;
    assert_eq!(gone.status(), StatusCode::CONFLICT);
    let found = site.get("/mails?q=%3Ci%3E%00&status=sent").await;
    assert!(found.contains("neither an address nor an id") && !found.contains("<i>"), "{found}");
    for path in ["/nowhere", "/mails/short", "/mails/AAAAAAAAAA", "/mails/%2e%2e%2f", "/webhooks/AAAAAAAAAA"]
    {
        assert_eq!(site.try_get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(site.try_get("/?done=%3Cb%3E").await.status(), StatusCode::BAD_REQUEST);
    assert!(site.get("/suppressions?q=b%00").await.contains("No suppressed address"));
}

async fn sessions_end(stack: &Stack, site: &Site<'_>, password: &str) {
    site.get("/").await;
    let age = "UPDATE operator_sessions SET used_at = used_at - interval '30 min' RETURNING operator_name";
    stack.texts(age).await;
    assert_eq!(location(&site.try_get("/").await), "/sign-in?done=expired");
    site.sign_in("anna", password).await;
    let own = form_token(&site.get("/").await);
    let ended = site.post("/sign-out", &[("form_token", &own)], "same-origin").await;
    assert_eq!(location(&ended), "/sign-in?done=signed_out");
    assert!(stack.texts("SELECT operator_name FROM operator_sessions").await.is_empty());
    // As when the browser refused the cookie of the sign-in.
    assert_eq!(location(&site.try_get("/?done=signed_in").await), "/sign-in?done=no_cookie");
    assert_eq!(location(&site.try_get("/mails").await), "/sign-in");
    let reset = stack.tool(&["operator", "reset-password", "anna"]).await;
    let new = reset.stdout.lines().find_map(|line| line.strip_prefix("PASSWORD=")).unwrap();
    assert_eq!(site.sign_in("anna", password).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(location(&site.sign_in("anna", new).await), "/?done=signed_in");
}

async fn wrong_passwords_are_throttled(site: &Site<'_>) {
    for name in ["anna", "nobody"] {
        let mut wrong = 0;
        // The first delay is a second, which may be over on a busy machine.
        let throttled = loop {
            let answer = site.sign_in(name, "hunter2").await;
            if answer.status() == StatusCode::TOO_MANY_REQUESTS {
                break answer;
            }
            assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{name}");
            wrong += 1;
        };
        assert!((6..15).contains(&wrong), "{name}: {wrong}");
        assert!(throttled.headers().contains_key("retry-after"));
        assert!(throttled.text().await.unwrap().contains("Too many wrong passwords for this name."));
    }
    for _ in 0..7 {
        assert_eq!(site.sign_in("Not a name", "hunter2").await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
}

/// Creates an operator, and returns the password.
async fn create(stack: &Stack, name: &str, role: &str) -> String {
    let created = stack.tool(&["operator", "create", name, "--role", role]).await;
    assert_eq!(created.code, Some(0), "{created:?}");
    let password = created.stdout.strip_prefix(&format!("NAME={name}\nPASSWORD=")).unwrap().trim().to_owned();
    assert_eq!(password.len(), 24, "{created:?}");
    password
}

/// The console, with a browser's cookies.
struct Site<'a> {
    url: &'a str,
    http: Client,
}

impl Site<'_> {
    async fn try_get(&self, path: &str) -> Response {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    async fn get(&self, path: &str) -> String {
        let answer = self.try_get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}: {:?}", answer.headers());
        answer.text().await.unwrap()
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)], from: &str) -> Response {
        let form = self.http.post(format!("{}{path}", self.url)).header("sec-fetch-site", from).form(fields);
        form.send().await.unwrap()
    }

    async fn sign_in(&self, name: &str, password: &str) -> Response {
        self.post("/sign-in", &[("name", name), ("password", password)], "same-origin").await
    }
}

fn location(answer: &Response) -> &str {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()["location"].to_str().unwrap()
}

fn form_token(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"form_token\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}
