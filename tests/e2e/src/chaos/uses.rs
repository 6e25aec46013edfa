//! A customer who sets new passwords with the tokens of resets, several at the same time, of which exactly one must win.

use reqwest::{Client as Http, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::{
    caller::{Answer, Caller},
    client::{History, Reset},
};

/// How many uses of a token are sent at the same time, each with a password of its own.
pub const USES: usize = 3;

/// A customer who logs in.
pub struct Customer {
    pub address: String,
    pub password: String,
    /// The sales channel at which the customer logs in.
    pub client_id: String,
    /// One reset of that many is used: each costs several password hashes.
    pub uses_every: usize,
    /// Of the last log-in.
    pub refresh_token: Option<String>,
}

impl Customer {
    /// Uses a token [`USES`] times at once, until each use has a final answer. Then one password logs in, neither the others nor the old one
    /// do, and the session from before has ended.
    pub async fn use_token(
        &mut self,
        reset: &Reset,
        token: &str,
        caller: &mut Caller,
        history: &mut History,
    ) {
        let Some(winner) = self.set_password(reset, token, caller, history).await else { return };
        let mut wrong = |what: String| history.wrong_answers.push(format!("reset {}: {what}", reset.id));
        let old = std::mem::take(&mut self.password);
        let (mut accepted, mut refresh_token) = (Vec::new(), None);
        for password in passwords(reset).into_iter().chain([old]) {
            match self.log_in(&password, caller).await {
                Some((StatusCode::OK, body)) => {
                    refresh_token = body["refresh_token"].as_str().map(str::to_owned);
                    accepted.push(password);
                }
                Some((StatusCode::BAD_REQUEST, _)) => {}
                other => wrong(format!("a log-in: {other:?}")),
            }
        }
        match accepted.as_slice() {
            [password] if winner.is_none_or(|winner| passwords(reset)[winner] == *password) => {
                self.password.clone_from(password);
                history.completed.push(reset.id.clone());
            }
            _ => wrong(format!("{accepted:?} log in, the use {winner:?} was accepted")),
        }
        let mut wrong = |what: String| history.wrong_answers.push(format!("reset {}: {what}", reset.id));
        let before = std::mem::replace(&mut self.refresh_token, refresh_token);
        if let Some(before) = before {
            let grant =
                json!({"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": before});
            match request_token(&grant, caller).await {
                Some((StatusCode::BAD_REQUEST, _)) => {}
                other => wrong(format!("the session from before the reset: {other:?}")),
            }
        }
    }

    /// Returns which use was accepted, if the answer of that use was not lost; and nothing if one has no final answer for longer than any fault
    /// lasts.
    async fn set_password(
        &self,
        reset: &Reset,
        token: &str,
        caller: &mut Caller,
        history: &mut History,
    ) -> Option<Option<usize>> {
        let passwords = passwords(reset);
        let build =
            |http: &Http, api: &str, index: usize| complete(http, api, token, reset, &passwords[index]);
        let mut answers = caller.send_at_once(USES, build).await;
        let is_lost = answers.iter().any(Option::is_none);
        for (index, answer) in answers.iter_mut().enumerate() {
            if answer.is_none() {
                *answer = caller.send(|http, api| build(http, api, index)).await;
            }
        }
        let mut wrong = |what: String| history.wrong_answers.push(format!("reset {}: {what}", reset.id));
        let mut accepted = Vec::new();
        for (index, answer) in answers.iter().enumerate() {
            match answer {
                Some((StatusCode::OK, _)) => accepted.push(index),
                Some((StatusCode::UNPROCESSABLE_ENTITY, _)) => {}
                other => {
                    wrong(format!("a use of its token: {other:?}"));
                    return None;
                }
            }
        }
        match accepted.as_slice() {
            [winner] => Some(Some(*winner)),
            // The answer of the one that won was lost, and its repetition refused.
            [] if is_lost => Some(None),
            _ => {
                wrong(format!("of {USES} uses at once {} were accepted", accepted.len()));
                None
            }
        }
    }

    async fn log_in(&self, password: &str, caller: &mut Caller) -> Option<Answer> {
        let grant = json!({"grant_type": "password", "client_id": self.client_id, "username": self.address, "password": password});
        request_token(&grant, caller).await
    }
}

fn passwords(reset: &Reset) -> [String; USES] {
    std::array::from_fn(|index| format!("a long password for {} number {index}", reset.id))
}

fn complete(http: &Http, api: &str, token: &str, reset: &Reset, password: &str) -> RequestBuilder {
    let attributes = json!({"customer_password": password, "_reset_password_token": reset.token});
    let document =
        json!({"data": {"type": "customer_password_resets", "id": reset.id, "attributes": attributes}});
    let request = http.patch(format!("{api}/api/customer_password_resets/{}", reset.id)).bearer_auth(token);
    request.header("content-type", "application/vnd.api+json").body(document.to_string())
}

async fn request_token(grant: &Value, caller: &mut Caller) -> Option<Answer> {
    caller.send(|http, api| http.post(format!("{api}/oauth/token")).json(grant)).await
}
