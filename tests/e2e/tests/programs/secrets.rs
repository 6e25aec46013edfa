//! token-nowhere: searches a deployment for tokens, passwords, codes and keys, which must not be found.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds nothing is to fail")]

mod deployment;
mod forms;
mod views;

use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD};
use rekey_broker::rabbitmq::Consumer;
use rekey_e2e::{
    broker::{contents, waiting},
    client::Answer,
    process::Exit,
    shop::{ANNA, OLD_PASSWORD, Shop},
    wait::eventually,
};
use reqwest::{Method, StatusCode};
use serde_json::json;

use self::{
    deployment::Deployment,
    forms::{around, readings},
};

/// A customer whose address is changed.
const BOB: &str = "bob@example.com";
const NEW_PASSWORD: &str = "a password that nobody else has";

/// Where secrets are searched for.
struct Place {
    name: &'static str,
    bytes: Vec<u8>,
    /// What must be found: the place is the right one, and the search works.
    known: Vec<String>,
    /// Whether Anna's address must be found. It must not be elsewhere.
    has_address: bool,
}

/// What a flow has left.
#[derive(Default)]
struct Evidence {
    /// Each with its name.
    secrets: Vec<(&'static str, Vec<u8>)>,
    places: Vec<Place>,
    exits: Vec<Exit>,
}

impl Evidence {
    fn secret(&mut self, name: &'static str, secret: impl Into<Vec<u8>>) {
        self.secrets.push((name, secret.into()));
    }

    fn place(&mut self, name: &'static str, bytes: Vec<u8>, known: &[&str], has_address: bool) {
        let known = known.iter().map(|&text| text.to_owned()).collect();
        self.places.push(Place { name, bytes, known, has_address });
    }

    /// Returns what is wrong, of all places.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for Place { name: place, bytes, known, has_address } in &self.places {
            let readings = readings(bytes);
            let mut expect = |name: &str, text: &[u8], is_there: bool| {
                let found = around(&readings, text);
                if found.is_some() != is_there {
                    problems.push(format!("{name} in {place}: {found:?}"));
                }
            };
            for (name, secret) in &self.secrets {
                expect(name, secret, false);
            }
            for text in known {
                expect(text, text.as_bytes(), true);
            }
            expect("Anna's address", ANNA.as_bytes(), *has_address);
            if !has_address {
                expect("Bob's address", BOB.as_bytes(), false);
            }
        }
        problems
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_nowhere() {
    let deployment = Deployment::open().await;
    let mut evidence = Evidence { secrets: deployment.secrets(), ..Evidence::default() };
    evidence.secret("client's secret", deployment.shop.back_office.secret.clone().unwrap());
    evidence.secret("password", OLD_PASSWORD);
    evidence.secret("password", NEW_PASSWORD);
    go_through(&deployment, &mut evidence).await;
    let problems = evidence.problems();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(deployment.collector.paths().contains(&"/v1/traces".to_owned()));
}

/// Runs a flow from a reset to a log-in, and searches everywhere on the way.
async fn go_through(deployment: &Deployment, evidence: &mut Evidence) {
    let Deployment { shop, collector, receiver, .. } = deployment;
    let (stack, client) = (&shop.stack, &shop.stack.api);
    let (api, api_admin) = deployment.start("rekey-api", &[]).await;
    let (token, webhook, dead) = dead_letters(deployment, evidence).await;
    let reset = wait_in_queues(deployment, evidence, &token).await;

    let (mailer, mailer_admin) = deployment.start("rekey-mailer", &[]).await;
    let (webhooks, webhooks_admin) = deployment.start("rekey-webhooks", &[]).await;
    let code = short_code(&stack.smtp.mail_to(ANNA, 1).await.text());
    evidence.secret("code", code.replace('-', ""));
    evidence.secret("code", code.clone());
    let (id, reset_token) = (reset.text("/data/id"), reset.text("/data/attributes/reset_password_token"));
    for secret in [&code, &reset_token] {
        let refused = client.complete(&token, &id, secret, "short").await;
        refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
    }
    client.complete(&token, &id, &reset_token, NEW_PASSWORD).await.expect(StatusCode::OK);
    stay_logged_in(shop, evidence).await;
    evidence.secret("undo token", undo_token(&stack.smtp.mail_to(BOB, 1).await.text()));
    stack.smtp.mail_to(ANNA, 2).await;
    // Of the two events, the first is sent twice.
    let sent = receiver.requests(3).await;
    evidence.place("the webhooks' requests", format!("{sent:?}").into(), &[&id, "webhook-signature"], true);

    let mail =
        stack.texts(&format!("SELECT event_id FROM deliveries WHERE reset_id = '{id}'")).await.remove(0);
    let ids = [("MAIL", mail.as_str()), ("DEAD", &dead), ("WEBHOOK", &webhook)];
    let made = stack.tool(&["operator", "create", "olga", "--role", "act"]).await.stdout;
    let password = made.split_once("PASSWORD=").unwrap().1.trim().to_owned();
    let (console, console_admin) = deployment.start("rekey-console", &[]).await;
    let pages = views::pages(&console_admin, &password, &ids).await;
    evidence.place("the console's pages", pages, &[&id, &dead, &webhook], false);
    evidence.secret("operator's password", password);
    let printed = views::commands(stack, &ids).await;
    evidence.place("the commands' output", printed, &[&id, &dead, &webhook, "broker.url"], false);
    let mut shown = Vec::new();
    for admin in [api_admin, mailer_admin, webhooks_admin, console_admin] {
        shown.extend(views::metrics(&admin).await);
    }
    let known =
        ["rekey_resets_total", "rekey_mail_outcomes_total", "rekey_webhook_attempts_total", "\"console\""];
    evidence.place("the metrics", shown, &known, false);
    evidence.place("the dump", deployment.dump(), &[&id, &mail, &webhook], true);

    let programs = [api, mailer, webhooks, console];
    let arguments =
        programs.each_ref().map(|program| fs::read(format!("/proc/{}/cmdline", program.pid())).unwrap());
    evidence.place(
        "the arguments",
        arguments.concat(),
        &["rekey-mailer", "rekey-webhooks", "console"],
        false,
    );
    let crashed = deployment.crash(&token, NEW_PASSWORD).await;
    evidence.place("the crash", output(&[crashed]), &["memory allocation of"], false);
    for program in programs {
        evidence.exits.push(program.terminate().await);
    }
    let known = [id.as_str(), &mail, "an operator signed in", "moved to the dead letters"];
    evidence.place("the logs", output(&evidence.exits), &known, false);
    let known = [id.as_str(), "rekey-api", "rekey-mailer", "rekey-webhooks", "rekey-console"];
    evidence.place("the exported spans and logs", views::exported(collector), &known, false);
    let failed = output(&deployment.fail().await);
    let known = ["keys.sealing", "auth.signing_key", "nowhere", "smtp.relays", "broker.url"];
    evidence.place("failed starts", failed, &known, false);
}

/// Requests a reset that ends in the dead letters. Returns an access token, and the ids of a webhook and of the event.
async fn dead_letters(deployment: &Deployment, evidence: &mut Evidence) -> (String, String, String) {
    let stack = &deployment.shop.stack;
    let mailer = deployment.start_with_another_key("rekey-mailer").await;
    let webhooks = deployment.start_with_another_key("rekey-webhooks").await;
    let token = deployment.shop.register_anna().await;
    let mut id = String::new();
    for topic in ["customer_password_resets.create", "customer_password_resets.reset_password"] {
        let attributes = json!({ "topic": topic, "callback_url": deployment.receiver.url, "include_resources": ["customer"] });
        let body = json!({ "data": { "type": "webhooks", "attributes": attributes } });
        let made = stack.api.call(Method::POST, "webhooks", &token, &body).await.expect(StatusCode::CREATED);
        let secret = made.text("/data/attributes/shared_secret");
        evidence.secret("webhook's secret", STANDARD.decode(&secret).unwrap());
        id = made.text("/data/id");
    }
    let reset = stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    evidence.secret("access token", token.clone());
    evidence.secret("reset token", reset.text("/data/attributes/reset_password_token"));
    let topology = stack.topology();
    let queues = [topology.dead(), topology.for_consumer(Consumer::Webhooks).dead()];
    let event = stack.texts("SELECT event_id FROM deliveries").await.remove(0);
    let letters = in_queues(stack.get("broker.url").unwrap(), &queues, 2).await;
    evidence.place("the dead letters", letters, &[&event, "customers.create"], false);
    for program in [mailer, webhooks] {
        evidence.exits.push(program.terminate().await);
    }
    (token, id, event)
}

/// Requests a reset and changes an address while no program takes their events. Returns the answer to the reset.
async fn wait_in_queues(deployment: &Deployment, evidence: &mut Evidence, token: &str) -> Answer {
    let (stack, client) = (&deployment.shop.stack, &deployment.shop.stack.api);
    let reset = client.create_reset(token, ANNA).await.expect(StatusCode::CREATED);
    evidence.secret("reset token", reset.text("/data/attributes/reset_password_token"));
    let bob = client.create_customer(token, BOB, OLD_PASSWORD).await;
    let moved =
        json!({"data": {"type": "customers", "id": bob, "attributes": {"email": "robert@example.com"}}});
    client.call(Method::PATCH, &format!("customers/{bob}"), token, &moved).await.expect(StatusCode::OK);
    let id = reset.text("/data/id");
    let event =
        stack.texts(&format!("SELECT event_id FROM deliveries WHERE reset_id = '{id}'")).await.remove(0);
    let topology = stack.topology();
    let queues = [topology.queue(), topology.for_consumer(Consumer::Webhooks).queue()];
    let messages = in_queues(stack.get("broker.url").unwrap(), &queues, 3).await;
    evidence.place("the queues", messages, &[&event, "customers.create"], false);
    evidence.place("the dump before", deployment.dump(), &[&id, &event], true);
    reset
}

/// Returns the messages of queues, once each has that many.
async fn in_queues(url: &str, queues: &[String], count: u32) -> Vec<u8> {
    let mut found = Vec::new();
    for queue in queues {
        eventually(&format!("{count} messages in {queue}"), async || match waiting(url, queue).await.0 {
            waiting if waiting == count => Ok(()),
            waiting => Err(waiting),
        })
        .await;
        found.extend(contents(url, queue).await.concat());
    }
    found
}

fn output(exits: &[Exit]) -> Vec<u8> {
    exits.iter().flat_map(|exit| [exit.stdout.as_bytes(), exit.stderr.as_bytes()].concat()).collect()
}

/// Finds the code in a mail, on a line of its own: `CDFH-JKMN`.
fn short_code(text: &str) -> String {
    let is_code = |line: &&str| line.len() == 9 && line.find('-') == Some(4) && line.to_uppercase() == **line;
    text.lines().map(str::trim).find(is_code).unwrap_or_else(|| panic!("no code in: {text}")).to_owned()
}

/// Finds the token of the link that restores an address in a mail.
fn undo_token(text: &str) -> String {
    let (_, link) = text.split_once("/restore-email?").unwrap_or_else(|| panic!("no link in: {text}"));
    let (_, token) = link.split_once("token=").unwrap();
    token.chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// Logs in, refreshes, and ends the session.
async fn stay_logged_in(shop: &Shop, evidence: &mut Evidence) {
    let (api, client_id) = (&shop.stack.api, &shop.storefront.client_id);
    let first = api.log_in(client_id, ANNA, NEW_PASSWORD).await.expect(StatusCode::OK);
    let refresh = json!({"grant_type": "refresh_token", "client_id": client_id, "refresh_token": first.text("/refresh_token")});
    let second = api.grant(&refresh).await.expect(StatusCode::OK);
    api.grant(&refresh).await.expect(StatusCode::BAD_REQUEST);
    for answer in [first, second] {
        evidence.secret("access token", answer.text("/access_token"));
        evidence.secret("refresh token", answer.text("/refresh_token"));
    }
}
