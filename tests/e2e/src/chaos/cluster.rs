//! A deployment of two of each program, with a proxy between every pair of parts.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use rekey_testkit::{postgres::TestDatabase, proxy::Proxy};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::task::block_in_place;

use super::resources::Resources;
use crate::{
    broker::Broker,
    client::Api,
    postgres::Postgres,
    process::{Exit, Program, free_ports, signal},
    receiver::Receiver,
    shop::Shop,
    stack::Stack,
};

/// How long a program may take to stop: twice the default of `server.shutdown_seconds`.
const STOP_TIMEOUT: Duration = Duration::from_mins(1);
/// How often programs that ended are looked for.
const LOOK: Duration = Duration::from_millis(250);

/// The deployment, with servers of its own.
pub struct Cluster {
    /// api 1, api 2, mailer 1, mailer 2, webhooks 1. They come first, to be ended before their servers.
    pub nodes: Vec<Node>,
    pub shop: Shop,
    pub links: Vec<Link>,
    pub postgres: Postgres,
    /// The nodes of a RabbitMQ cluster. The last one must be dropped last: the others use its name service.
    pub brokers: [Broker; 3],
    /// It is sent each reset that is created.
    pub receiver: Receiver,
    pub ends: Ends,
    pub resources: Resources,
}

/// One process of a program.
pub struct Node {
    /// Such as "api 1".
    pub name: String,
    program: &'static str,
    settings: Vec<(&'static str, String)>,
    /// Its own port, not a proxy's.
    url: String,
    /// `None` after it was killed.
    running: Option<Program>,
}

/// A proxy between two parts.
pub struct Link {
    /// Such as "api 1 -> PostgreSQL".
    pub name: String,
    pub proxy: Proxy,
}

/// How programs ended that were not killed.
#[derive(Debug, Default)]
pub struct Ends {
    /// How many programs were started.
    pub starts: usize,
    /// How many did not start, as a database that can't be reached at that moment stops `rekey-api`.
    pub failed_starts: usize,
    /// Those that ended later, or did not end after SIGTERM, with their last lines.
    pub exits: Vec<String>,
    /// The lines that panics logged, also those of killed programs.
    pub panics: Vec<String>,
    /// What each node logged, but for programs that run still.
    pub logs: BTreeMap<String, String>,
}

impl Cluster {
    /// Starts everything, and waits until it is ready.
    pub async fn start() -> Self {
        let (postgres, brokers) = block_in_place(|| {
            let first = Broker::start();
            (Postgres::start(), [first.start_another(), first.start_another(), first])
        });
        let database = TestDatabase::create_on(postgres.options()).await;
        // Mails take some time, so that they are interrupted before and after the server has them.
        let options = ["--delay-ms", "60", "--linger-ms", "120"];
        let mut stack = Stack::prepare_with(database, &brokers[2].url, &options).await;
        let settings = [
            // Enough for a mail of a fifth of a second.
            ("smtp.connections", "16"),
            // Short leases, so that faults outlast them.
            ("relay.lease_seconds", "5"),
            ("smtp.timeout_seconds", "4"),
            // Each customer asks every few seconds.
            ("resets.self_service_cooldown_seconds", "0"),
            ("resets.self_service_budget", "1000"),
            ("resets.self_service_window_seconds", "60"),
            ("webhooks.allowed_networks", "127.0.0.0/8"),
        ];
        for (key, value) in settings {
            stack.set(key, value);
        }
        let shop = Shop::open(stack).await;
        let (nodes, links, ends) = (Vec::new(), Vec::new(), Ends::default());
        let (receiver, resources) = (Receiver::start().await, Resources::default());
        let mut cluster = Self { nodes, shop, links, postgres, brokers, receiver, ends, resources };
        for (program, number) in [("api", 1), ("api", 2), ("mailer", 1), ("mailer", 2), ("webhooks", 1)] {
            cluster.add(program, number).await;
        }
        for node in &cluster.nodes {
            Api::new(&node.url).ready().await;
        }
        cluster.create_webhook().await;
        cluster
    }

    async fn add(&mut self, program: &'static str, number: usize) {
        let name = format!("{program} {number}");
        let ([port], stack) = (free_ports(), &self.shop.stack);
        let (address, database) = (format!("127.0.0.1:{port}"), &stack.database);
        let mut settings = match program {
            "api" => vec![("server.listen", address.clone()), ("database.url", database.url_as("rekey_api"))],
            "webhooks" => {
                vec![("admin.listen", address.clone()), ("database.url", database.url_as("rekey_webhooks"))]
            }
            _ => vec![
                ("admin.listen", address.clone()),
                ("database.url", database.url_as("rekey_mailer")),
                ("smtp.relays", stack.get("smtp.relays").unwrap().to_owned()),
            ],
        };
        for (key, value) in &mut settings {
            let server = match *key {
                "database.url" => "PostgreSQL",
                "smtp.relays" => "SMTP",
                _ => continue,
            };
            *value = self.link(&format!("{name} -> {server}"), value).await;
        }
        let mut urls = Vec::new();
        for (number, url) in self.brokers.each_ref().map(|broker| broker.url.clone()).iter().enumerate() {
            urls.push(self.link(&format!("{name} -> RabbitMQ {}", number + 1), url).await);
        }
        // Each begins with another node.
        urls.rotate_left(self.nodes.len() % 3);
        settings.push(("broker.url", urls.join(",")));
        if program == "api" {
            self.link(&format!("client -> {name}"), &address).await;
        }
        let program = match program {
            "api" => "rekey-api",
            "webhooks" => "rekey-webhooks",
            _ => "rekey-mailer",
        };
        let url = format!("http://{address}");
        self.nodes.push(Node { name, program, settings, url, running: None });
        self.restart(self.nodes.len() - 1);
    }

    /// Puts a proxy before a server, and returns its URL through the proxy.
    async fn link(&mut self, name: &str, url: &str) -> String {
        let proxy = Proxy::start(url).await;
        let through = proxy.url(url);
        self.links.push(Link { name: name.to_owned(), proxy });
        through
    }

    /// Creates a webhook for resets that are created, with a proxy before its receiver.
    async fn create_webhook(&mut self) {
        let url = self.link("webhooks 1 -> receiver", &self.receiver.url.clone()).await;
        let api = Api::new(&self.nodes[0].url);
        let token = self.shop.back_office.token(&api).await;
        let attributes = json!({ "topic": "customer_password_resets.create", "callback_url": url });
        let body = json!({ "data": { "type": "webhooks", "attributes": attributes } });
        api.call(Method::POST, "webhooks", &token, &body).await.expect(StatusCode::CREATED);
    }

    /// Returns the APIs as the clients reach them.
    #[must_use]
    pub fn apis(&self) -> Vec<String> {
        let links = self.links.iter().filter(|link| link.name.starts_with("client"));
        links.map(|link| format!("http://{}", link.proxy.address())).collect()
    }

    /// Returns the URL of a node of RabbitMQ, without a proxy.
    #[must_use]
    pub fn broker_url(&self) -> &str {
        &self.brokers[2].url
    }

    /// Kills a program (SIGKILL).
    pub fn kill(&mut self, node: usize) {
        if let Some(program) = self.nodes[node].running.take() {
            let exit = block_in_place(|| program.crash());
            self.keep_log(node, &exit.stderr);
        }
    }

    /// Starts a program that was killed.
    pub fn restart(&mut self, node: usize) {
        let Node { program, settings, running, .. } = &mut self.nodes[node];
        *running = Some(self.shop.stack.spawn_with(program, settings));
        self.ends.starts += 1;
    }

    /// Starts nodes of RabbitMQ that were killed. All at once, since a node may wait for those that it knew last.
    pub fn restart_brokers(&self, numbers: &[usize]) {
        thread::scope(|scope| {
            for number in numbers {
                scope.spawn(|| self.brokers[*number].restart());
            }
        });
    }

    /// Returns the process id of a program, unless it was killed.
    #[must_use]
    pub fn pid(&self, node: usize) -> Option<u32> {
        self.nodes[node].running.as_ref().map(Program::pid)
    }

    /// Waits, and restarts programs that end meanwhile, as a supervisor would.
    pub async fn wait(&mut self, length: Duration) {
        let end = Instant::now() + length;
        loop {
            for node in 0..self.nodes.len() {
                if self.nodes[node].running.as_mut().is_some_and(|program| program.ended().is_some()) {
                    let exit = self.nodes[node].running.take().unwrap().end().await;
                    self.keep_end(node, &exit);
                    self.restart(node);
                }
            }
            let running =
                self.nodes.iter().filter_map(|node| Some((&node.name, node.running.as_ref()?.pid())));
            self.resources.sample(running);
            let rest = end.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return;
            }
            tokio::time::sleep(rest.min(LOOK)).await;
        }
    }

    /// Stops all programs (SIGTERM), and keeps how they ended.
    pub async fn stop(&mut self) {
        for node in 0..self.nodes.len() {
            let mut program = self.nodes[node].running.take().unwrap();
            signal(program.pid(), "TERM");
            let start = Instant::now();
            while program.ended().is_none() && start.elapsed() < STOP_TIMEOUT {
                tokio::time::sleep(LOOK).await;
            }
            let exit = block_in_place(|| program.crash());
            if exit.code == Some(0) {
                self.keep_log(node, &exit.stderr);
            } else {
                self.keep_end(node, &exit);
            }
        }
    }

    fn keep_end(&mut self, node: usize, exit: &Exit) {
        self.keep_log(node, &exit.stderr);
        let Node { name, program, .. } = &self.nodes[node];
        if *program == "rekey-api" && exit.stderr.contains("the database can't be used") {
            self.ends.failed_starts += 1;
        } else {
            let lines: Vec<_> = exit.stderr.lines().rev().take(3).collect();
            self.ends.exits.push(format!("{name}: code {:?}: {lines:?}", exit.code));
        }
    }

    fn keep_log(&mut self, node: usize, stderr: &str) {
        let name = &self.nodes[node].name;
        let panics = stderr.lines().filter(|line| line.contains("panicked"));
        self.ends.panics.extend(panics.map(|line| format!("{name}: {line}")));
        self.ends.logs.entry(name.clone()).or_default().push_str(stderr);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A failing test may leave it stopped, and then its database can't be dropped.
        self.postgres.signal("CONT");
    }
}
