//! Clients that request resets, and repeat each request with its Idempotency-Key until it is acknowledged.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Client as Http, StatusCode};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::now;
use crate::{
    client::{http, reset},
    dice::Dice,
    wait::TIMEOUT,
};

/// How long a client waits for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);
/// The pause between two requests, in milliseconds, and between two tries of one.
const PACE: std::ops::Range<u64> = 1_500..4_000;
const RETRY_PAUSE: std::ops::Range<u64> = 200..800;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An integration, for a customer of its own.
    Integration,
    /// An integration that does not repeat its requests.
    Impatient,
    /// A visitor of a sales channel, for a customer's address.
    Visitor,
    /// A visitor who asks for an address that nobody has.
    Stranger,
}

/// One client, which asks for one address.
pub struct Client {
    pub kind: Kind,
    pub address: String,
    /// The access token of its API client.
    pub token: String,
    /// The APIs that it may ask: the next one when one fails.
    pub apis: Vec<String>,
    pub dice: Dice,
}

/// A request for a reset, with all its tries.
#[derive(Debug)]
pub struct Asked {
    pub kind: Kind,
    pub address: String,
    pub key: String,
    pub started_at: OffsetDateTime,
    /// When the 201 came, with the reset's id.
    pub acknowledged: Option<(OffsetDateTime, String)>,
}

/// What a client did.
#[derive(Debug, Default)]
pub struct History {
    pub asked: Vec<Asked>,
    /// How often each answer other than a 201 came, by its status; "none" is no answer.
    pub other_answers: BTreeMap<String, usize>,
    /// Answers that no fault explains.
    pub wrong_answers: Vec<String>,
}

impl Client {
    /// Requests resets until `stop`, then repeats each acknowledged request once, which must return the same reset.
    pub async fn run(mut self, stop: CancellationToken) -> History {
        let http = http(|builder| builder.timeout(ANSWER_TIMEOUT));
        let mut history = History::default();
        while !stop.is_cancelled() {
            let key = format!("{}-{}", self.address, history.asked.len());
            let started_at = now();
            let is_patient = self.kind != Kind::Impatient;
            let id = self.ask(&http, &key, is_patient, &mut history).await;
            let acknowledged = id.map(|id| (now(), id));
            history.asked.push(Asked {
                kind: self.kind,
                address: self.address.clone(),
                key,
                started_at,
                acknowledged,
            });
            tokio::select! {
                () = sleep(self.dice.millis(PACE)) => {}
                () = stop.cancelled() => {}
            }
        }
        for n in 0..history.asked.len() {
            let Asked { key, acknowledged, .. } = &history.asked[n];
            let Some((_, id)) = acknowledged.clone() else { continue };
            let again = self.ask(&http, &key.clone(), true, &mut history).await;
            if again.as_ref() != Some(&id) {
                let wrong = format!("{}: first {id}, repeated {again:?}", history.asked[n].key);
                history.wrong_answers.push(wrong);
            }
        }
        history
    }

    /// Asks, if patient until there is a 201, and returns the reset's id. Gives up after an answer that no fault explains, and after a time
    /// that no fault lasts.
    async fn ask(
        &mut self,
        http: &Http,
        key: &str,
        is_patient: bool,
        history: &mut History,
    ) -> Option<String> {
        let start = Instant::now();
        let mut api = usize::try_from(self.dice.roll() % 2).unwrap();
        loop {
            let answer = match self.post(http, api, key).await {
                Ok((StatusCode::CREATED, body)) => {
                    return Some(body["data"]["id"].as_str().unwrap().to_owned());
                }
                Ok((status, body)) => {
                    let is_temporary =
                        [StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
                    if status.is_client_error() && !is_temporary {
                        history.wrong_answers.push(format!("{key}: {status}: {body}"));
                        return None;
                    }
                    status.as_u16().to_string()
                }
                Err(_) => "none".to_owned(),
            };
            *history.other_answers.entry(answer).or_default() += 1;
            if !is_patient || start.elapsed() > TIMEOUT {
                return None;
            }
            api += 1;
            sleep(self.dice.millis(RETRY_PAUSE)).await;
        }
    }

    async fn post(&self, http: &Http, api: usize, key: &str) -> Result<(StatusCode, Value), reqwest::Error> {
        let url = format!("{}/api/customer_password_resets", self.apis[api % self.apis.len()]);
        let mut document = reset(&self.address);
        if matches!(self.kind, Kind::Integration | Kind::Impatient) {
            document["data"]["attributes"]["reference"] = json!(key);
        }
        let request = http.post(url).bearer_auth(&self.token).header("idempotency-key", key);
        let request = request.header("content-type", "application/vnd.api+json").body(document.to_string());
        let response = request.send().await?;
        let (status, body) = (response.status(), response.bytes().await?);
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}
