//! Clients that request resets while a test changes the programs and servers under them.

use std::{
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::StatusCode;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    client::Api,
    shop::ANNA,
    stack::Stack,
    wait::{TIMEOUT, eventually},
};

/// How many clients there are, each with one request at a time.
const CLIENTS: usize = 4;
/// The pause of a client between two requests, and between two tries of one.
const PAUSE: Duration = Duration::from_millis(50);
/// How many resets show that requests are accepted.
const SOME: usize = 20;

/// Clients that request resets for [`ANNA`], each request with an Idempotency-Key until it is accepted.
pub struct Load {
    /// As a proxy in front of the API sees it: the process that gets requests.
    api: Mutex<Api>,
    token: String,
    accepted: Mutex<Vec<Accepted>>,
    refused: Mutex<Vec<String>>,
    end: CancellationToken,
}

/// A reset that was accepted.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Its id.
    pub id: String,
    /// The time from the first try to the answer.
    pub waited: Duration,
}

impl Load {
    /// The requests go to that API, with a token of the back office.
    #[must_use]
    pub fn new(api: &Api, token: &str) -> Self {
        Self {
            api: Mutex::new(api.clone()),
            token: token.to_owned(),
            accepted: Mutex::default(),
            refused: Mutex::default(),
            end: CancellationToken::new(),
        }
    }

    /// Requests resets until [`Load::end`] is called and the last request of each client is accepted.
    pub async fn run(&self) {
        let clients = (0..CLIENTS).map(|client| async move {
            for n in 0.. {
                if self.end.is_cancelled() {
                    break;
                }
                let accepted = self.request(&format!("{client}-{n}")).await;
                self.accepted().push(accepted);
                sleep(PAUSE).await;
            }
        });
        join_all(clients).await;
    }

    /// Lets [`Load::run`] return.
    pub fn end(&self) {
        self.end.cancel();
    }

    /// Sends the requests to another process from now on, and waits until none is at the former one.
    pub async fn switch(&self, api: Api) {
        *self.api.lock().unwrap() = api;
        self.some_more().await;
    }

    /// Waits for [`SOME`] more accepted resets, and returns how many there are then.
    pub async fn some_more(&self) -> usize {
        let before = self.accepted().len();
        eventually("more accepted resets", async || match self.accepted().len() {
            count if count >= before + SOME => Ok(count),
            count => Err((count, self.refused().last().cloned())),
        })
        .await
    }

    /// Waits until [`SOME`] more resets are accepted and mailed.
    pub async fn some_more_mailed(&self, stack: &Stack) {
        let accepted = self.some_more().await;
        self.mailed(stack, accepted).await;
    }

    /// Waits until each accepted reset is mailed, and returns their number. [`Load::run`] must have returned.
    pub async fn all_mailed(&self, stack: &Stack) -> usize {
        let accepted = self.accepted().len();
        self.mailed(stack, accepted).await;
        let mut ids: Vec<_> = self.accepted().iter().map(|reset| reset.id.clone()).collect();
        let mut mailed = stack.texts(&format!("SELECT reset_id {MAILED}")).await;
        ids.sort_unstable();
        mailed.sort_unstable();
        assert!(mailed == ids, "{accepted} accepted, {} mailed, and not the same ones", mailed.len());
        accepted
    }

    async fn mailed(&self, stack: &Stack, at_least: usize) {
        let mails = format!("SELECT count(*)::text {MAILED}");
        eventually("the mails of accepted resets", async || {
            let count: usize = stack.texts(&mails).await[0].parse().unwrap();
            if count >= at_least { Ok(()) } else { Err((count, at_least)) }
        })
        .await;
    }

    /// The resets that were accepted.
    pub fn accepted(&self) -> MutexGuard<'_, Vec<Accepted>> {
        self.accepted.lock().unwrap()
    }

    /// The answers other than 201, and failed connections.
    pub fn refused(&self) -> MutexGuard<'_, Vec<String>> {
        self.refused.lock().unwrap()
    }

    async fn request(&self, key: &str) -> Accepted {
        let start = Instant::now();
        loop {
            let api = self.api.lock().unwrap().clone();
            let refused = match api.try_reset(&self.token, ANNA, key).await {
                Ok(answer) if answer.status == StatusCode::CREATED => {
                    return Accepted { id: answer.text("/data/id"), waited: start.elapsed() };
                }
                Ok(answer) => format!("{} {}", answer.status, answer.body),
                Err(error) => format!("{error:?}"),
            };
            assert!(start.elapsed() < TIMEOUT, "{key} is still refused: {refused}");
            self.refused().push(refused);
            sleep(PAUSE).await;
        }
    }
}

/// The sent mails of Anna's resets.
const MAILED: &str = "FROM deliveries d JOIN customers c ON c.id = d.customer_id
    WHERE d.status = 'sent' AND d.mail = 'reset_requested' AND c.email = 'anna@example.com'";
