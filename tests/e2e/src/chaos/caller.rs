//! Requests that are sent again until there is a final answer.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use futures_util::future::join_all;
use reqwest::{Client as Http, RequestBuilder, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{client::http, dice::Dice};

/// How long a client waits for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);
/// The pause between two tries of a request, in milliseconds.
const RETRY_PAUSE: Range<u64> = 200..800;
/// Longer than any fault lasts, and than the programs need to recover from it.
const GIVE_UP: Duration = Duration::from_mins(4);

/// A status with its JSON body, or null.
pub type Answer = (StatusCode, Value);

/// The sender of one client's requests, to all APIs in turn.
pub struct Caller {
    pub dice: Dice,
    /// How often each answer came that was not final, by its status; "none" is no answer.
    pub other_answers: BTreeMap<String, usize>,
    http: Http,
    apis: Vec<String>,
}

impl Caller {
    #[must_use]
    pub fn new(apis: Vec<String>, dice: Dice) -> Self {
        let http = http(|builder| builder.timeout(ANSWER_TIMEOUT));
        Self { dice, other_answers: BTreeMap::new(), http, apis }
    }

    /// Sends a request to one API after the other until there is a final answer. `None` if there is none for longer than any fault lasts.
    pub async fn send(&mut self, build: impl Fn(&Http, &str) -> RequestBuilder) -> Option<Answer> {
        let start = Instant::now();
        let mut api = self.any_api();
        while start.elapsed() < GIVE_UP {
            if let Some(answer) = self.send_once(api, &build).await {
                return Some(answer);
            }
            api += 1;
            sleep(self.dice.millis(RETRY_PAUSE)).await;
        }
        None
    }

    /// Sends a request once, to the API with that number.
    pub async fn send_once(
        &mut self,
        api: usize,
        build: impl Fn(&Http, &str) -> RequestBuilder,
    ) -> Option<Answer> {
        let received = receive(build(&self.http, self.api(api))).await;
        self.keep(received)
    }

    /// Sends requests at the same time, each once, to all APIs in turn. The last argument of `build` is the request's number, from 0.
    pub async fn send_at_once(
        &mut self,
        count: usize,
        build: impl Fn(&Http, &str, usize) -> RequestBuilder,
    ) -> Vec<Option<Answer>> {
        let requests = (0..count).map(|number| receive(build(&self.http, self.api(number), number)));
        let received = join_all(requests).await;
        received.into_iter().map(|received| self.keep(received)).collect()
    }

    /// Draws the number of an API.
    pub fn any_api(&mut self) -> usize {
        usize::try_from(self.dice.roll()).unwrap() % self.apis.len()
    }

    fn api(&self, number: usize) -> &str {
        &self.apis[number % self.apis.len()]
    }

    /// Returns a final answer, and counts others.
    fn keep(&mut self, received: Result<Answer, reqwest::Error>) -> Option<Answer> {
        match received {
            Ok((status, body)) if is_final(status, &body) => Some((status, body)),
            other => {
                let status = other.map_or("none".to_owned(), |(status, _)| status.as_u16().to_string());
                *self.other_answers.entry(status).or_default() += 1;
                None
            }
        }
    }
}

async fn receive(request: RequestBuilder) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    let (status, body) = (response.status(), response.bytes().await?);
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}

/// Whether an answer stays the same if the request is sent again: a fault explains no other one. A 408 without a body comes when a fault held up
/// the request, or the API itself, for longer than a request's head may take (decision 20).
fn is_final(status: StatusCode, body: &Value) -> bool {
    let is_late_head = status == StatusCode::REQUEST_TIMEOUT && body.is_null();
    let is_passing = [StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    !(status.is_server_error() || is_late_head || is_passing)
}
