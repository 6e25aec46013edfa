//! Webhooks and their callbacks as they are printed.

use rekey_core::resources::record::{Record, Value};
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
pub struct CallbackRow {
    id: String,
    created_at: Option<String>,
    updated_at: Option<String>,
    response_code: Option<String>,
    response_message: Option<String>,
}

impl From<&Record> for CallbackRow {
    fn from(record: &Record) -> Self {
        let time = |name| record.get(name).as_time().map(timestamp);
        let text = |name| record.get(name).as_text().map(str::to_owned);
        Self {
            id: record.id().to_string(),
            created_at: time("created_at"),
            updated_at: time("updated_at"),
            response_code: text("response_code"),
            response_message: text("response_message"),
        }
    }
}

impl Row for CallbackRow {
    const COLUMNS: &'static [&'static str] = &["ID", "CREATED", "LAST ATTEMPT", "STATUS", "ANSWER"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            or_dash(self.created_at.as_ref()),
            or_dash(self.updated_at.as_ref()),
            or_dash(self.response_code.as_ref()),
            or_dash(self.response_message.as_ref()),
        ]
    }
}
