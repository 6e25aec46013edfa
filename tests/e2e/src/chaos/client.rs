//! Clients that request resets, and repeat each request with its Idempotency-Key until it is acknowledged. Half of them use the tokens.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use reqwest::StatusCode;
use serde_json::json;
use time::OffsetDateTime;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{caller::Caller, now, uses::Customer};
use crate::client::reset;

/// The pause between two requests, in milliseconds.
const PACE: std::ops::Range<u64> = 1_500..4_000;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An integration, for a customer of its own.
    Integration,
    /// An integration that does not repeat its requests.
    Impatient,
    /// An integration for a customer who sets new passwords with the tokens and logs in.
    Completer,
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
    pub caller: Caller,
    /// The customer of a [`Kind::Completer`].
    pub customer: Option<Customer>,
    /// Counts the acknowledged requests of all clients.
    pub acknowledged: Arc<AtomicUsize>,
}

/// A request for a reset, with all its tries.
#[derive(Debug)]
pub struct Asked {
    pub kind: Kind,
    pub address: String,
    pub key: String,
    pub started_at: OffsetDateTime,
    /// When the 201 came.
    pub acknowledged: Option<(OffsetDateTime, Reset)>,
}

/// A reset as a 201 has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reset {
    pub id: String,
    /// Its token, which only integrations get.
    pub token: Option<String>,
}

/// What a client did.
#[derive(Debug, Default)]
pub struct History {
    pub asked: Vec<Asked>,
    /// How often each answer came that was not final, by its status; "none" is no answer.
    pub other_answers: BTreeMap<String, usize>,
    /// Answers that no fault explains.
    pub wrong_answers: Vec<String>,
    /// Resets that set a new password.
    pub completed: Vec<String>,
}

impl Kind {
    fn is_integration(self) -> bool {
        matches!(self, Self::Integration | Self::Impatient | Self::Completer)
    }
}

impl Client {
    /// Requests resets until `stop`, then repeats each acknowledged request once, which must return the same reset.
    pub async fn run(mut self, stop: CancellationToken) -> History {
        let mut history = History::default();
        while !stop.is_cancelled() {
            let key = format!("{}-{}", self.address, history.asked.len());
            let started_at = now();
            let is_patient = self.kind != Kind::Impatient;
            let reset = self.ask(&key, is_patient, &mut history).await;
            let at = now();
            if let (Some(reset), Some(customer)) = (&reset, &mut self.customer)
                && history.asked.len().is_multiple_of(customer.uses_every)
            {
                // The mail comes first, unless a fault holds it up.
                sleep(self.caller.dice.millis(PACE)).await;
                customer.use_token(reset, &self.token, &mut self.caller, &mut history).await;
            }
            self.acknowledged.fetch_add(usize::from(reset.is_some()), Ordering::Relaxed);
            let acknowledged = reset.map(|reset| (at, reset));
            history.asked.push(Asked {
                kind: self.kind,
                address: self.address.clone(),
                key,
                started_at,
                acknowledged,
            });
            let pause = self.caller.dice.millis(PACE);
            tokio::select! {
                () = sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
        for n in 0..history.asked.len() {
            let Asked { key, acknowledged, .. } = &history.asked[n];
            let Some((_, Reset { id, .. })) = acknowledged.clone() else { continue };
            let again = self.ask(&key.clone(), true, &mut history).await;
            if again.as_ref().map(|reset| &reset.id) != Some(&id) {
                let wrong = format!("{}: first {id}, repeated {again:?}", history.asked[n].key);
                history.wrong_answers.push(wrong);
            }
        }
        history.other_answers = self.caller.other_answers;
        history
    }

    /// Asks, if patient until there is a final answer, and returns the reset.
    async fn ask(&mut self, key: &str, is_patient: bool, history: &mut History) -> Option<Reset> {
        let mut document = reset(&self.address);
        if self.kind.is_integration() {
            document["data"]["attributes"]["reference"] = json!(key);
        }
        let (document, token) = (document.to_string(), &self.token);
        let build = |http: &reqwest::Client, api: &str| {
            let request = http.post(format!("{api}/api/customer_password_resets")).bearer_auth(token);
            let request = request.header("idempotency-key", key);
            request.header("content-type", "application/vnd.api+json").body(document.clone())
        };
        let answer = if is_patient {
            self.caller.send(build).await
        } else {
            let api = self.caller.any_api();
            self.caller.send_once(api, build).await
        };
        let (status, body) = answer?;
        if status != StatusCode::CREATED {
            history.wrong_answers.push(format!("{key}: {status}: {body}"));
            return None;
        }
        let token = body["data"]["attributes"]["reset_password_token"].as_str().map(str::to_owned);
        Some(Reset { id: body["data"]["id"].as_str().unwrap().to_owned(), token })
    }
}
