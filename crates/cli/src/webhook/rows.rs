//! Webhooks and their callbacks as they are printed.

use rekey_core::resources::record::{Record, Value};
use rekey_store_postgres::LoggedCallback;
use serde::Serialize;

use crate::output::{Row, joined, or_dash, timestamp};

/// A webhook as it is printed.
#[derive(Serialize)]
pub struct WebhookRow {
    id: String,
    topic: String,
    state: &'static str,
    failures: i64,
    name: String,
    callback_url: String,
    include_resources: Vec<String>,
    disabled_at: Option<String>,
}

impl From<&Record> for WebhookRow {
    fn from(record: &Record) -> Self {
        let text = |name| record.get(name).as_text().unwrap_or_default().to_owned();
        let disabled_at = record.get("disabled_at").as_time().map(timestamp);
        let is_open = record.get("circuit_state").as_text() == Some("open");
        Self {
            id: record.id().to_string(),
            topic: text("topic"),
            state: match (&disabled_at, is_open) {
                (Some(_), _) => "disabled",
                (None, true) => "open",
                (None, false) => "closed",
            },
            failures: match record.get("circuit_failure_count") {
                Value::Integer(count) => *count,
                _ => 0,
            },
            name: text("name"),
            callback_url: text("callback_url"),
            include_resources: match record.get("include_resources") {
                Value::Texts(names) => names.clone(),
                _ => Vec::new(),
            },
            disabled_at,
        }
    }
}

impl Row for WebhookRow {
    const COLUMNS: &'static [&'static str] = &["ID", "TOPIC", "STATE", "FAILURES", "INCLUDES", "NAME", "URL"];

    fn cells(&self) -> Vec<String> {
        let includes = joined(self.include_resources.iter().map(String::as_str));
        let (id, topic, name, url) =
            (self.id.clone(), self.topic.clone(), self.name.clone(), self.callback_url.clone());
        vec![id, topic, self.state.to_owned(), self.failures.to_string(), includes, name, url]
    }
}

/// What a webhook was sent, as it is printed.
#[derive(Serialize)]
pub struct CallbackRow<'a> {
    id: &'a str,
    webhook: &'a str,
    event: &'a str,
    topic: &'a str,
    state: &'static str,
    /// Since it was last replayed.
    attempts: u64,
    created_at: String,
    updated_at: String,
    next_attempt_at: Option<String>,
    response_code: Option<&'a str>,
    response_message: Option<&'a str>,
}

impl<'a> From<&'a LoggedCallback> for CallbackRow<'a> {
    fn from(callback: &'a LoggedCallback) -> Self {
        Self {
            id: callback.id.as_str(),
            webhook: callback.webhook.as_str(),
            event: callback.event.as_str(),
            topic: &callback.topic,
            state: callback.state.as_str(),
            attempts: callback.attempts,
            created_at: timestamp(callback.created_at),
            updated_at: timestamp(callback.updated_at),
            next_attempt_at: callback.due_at.map(timestamp),
            response_code: callback.response_code.as_deref(),
            response_message: callback.response_message.as_deref(),
        }
    }
}

impl Row for CallbackRow<'_> {
    const COLUMNS: &'static [&'static str] =
        &["ID", "WEBHOOK", "TOPIC", "EVENT", "CREATED", "STATE", "ATTEMPTS", "NEXT", "STATUS", "ANSWER"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_owned(),
            self.webhook.to_owned(),
            self.topic.to_owned(),
            self.event.to_owned(),
            self.created_at.clone(),
            self.state.to_owned(),
            self.attempts.to_string(),
            or_dash(self.next_attempt_at.as_deref()),
            or_dash(self.response_code),
            or_dash(self.response_message),
        ]
    }
}
