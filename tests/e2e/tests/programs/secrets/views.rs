//! What operators see: commands, pages, metrics, and what was exported.

use crate::collector::Collector;
use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest,
};
use prost::Message;
use rekey_e2e::{
    client::{Api, http},
    stack::Stack,
};
use reqwest::StatusCode;

/// Commands without those that make a secret.
const COMMANDS: &str = "
config check --for api --for mailer --for webhooks
config show
config show --json
doctor --dns-server 127.0.0.1:1 --for api --for mailer --for webhooks
delivery list
delivery list --json
delivery show MAIL
delivery show MAIL --json
dead-letter list
dead-letter list --queue webhooks --json
dead-letter show DEAD
webhook list --organization shop
webhook show WEBHOOK --organization shop --json
webhook callbacks --organization shop --json
audit list --json
audit verify
key list --json
client list --json
operator list
suppression list
mail stuck --age 0s --json";

/// Returns what the commands print, with their logs.
pub async fn commands(stack: &Stack, ids: &[(&str, &str)]) -> Vec<u8> {
    let mut printed = String::new();
    for command in COMMANDS.trim().lines() {
        let words: Vec<_> = command.split(' ').map(|word| replace_name(word, ids)).collect();
        let exit = stack.tool(&words).await;
        assert!(exit.code.is_some_and(|code| code < 2), "{command}: {exit:?}");
        printed += &(exit.stdout + &exit.stderr);
    }
    printed.into_bytes()
}

fn replace_name<'a>(word: &'a str, ids: &[(&str, &'a str)]) -> &'a str {
    ids.iter().find(|(name, _)| *name == word).map_or(word, |(_, id)| id)
}

/// Signs in to the console, and returns its pages.
pub async fn pages(console: &Api, password: &str, ids: &[(&str, &str)]) -> Vec<u8> {
    let http = http(|builder| builder.cookie_store(true));
    let form = http.post(format!("{}/sign-in", console.url)).header("sec-fetch-site", "same-origin");
    let signed_in = form.form(&[("name", "olga"), ("password", password)]).send().await.unwrap();
    assert_eq!(signed_in.status(), StatusCode::SEE_OTHER);
    let mut pages = Vec::new();
    for path in
        ["/", "/mails", "/mails/MAIL", "/dead-letters", "/suppressions", "/webhooks", "/webhooks/WEBHOOK"]
    {
        let path = path.split('/').map(|part| replace_name(part, ids)).collect::<Vec<_>>().join("/");
        let page = http.get(format!("{}{path}", console.url)).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        pages.extend(page.bytes().await.unwrap());
    }
    pages
}

/// Returns the admin listener's metrics and states.
pub async fn metrics(admin: &Api) -> Vec<u8> {
    let http = http(|builder| builder);
    let mut shown = Vec::new();
    for path in ["/metrics", "/readyz", "/livez"] {
        let answer = http.get(format!("{}{path}", admin.url)).send().await.unwrap();
        shown.extend(answer.error_for_status().unwrap().bytes().await.unwrap());
    }
    shown
}

/// Returns everything that was sent to the collector.
pub fn exported(collector: &Collector) -> Vec<u8> {
    let traces = collector.bodies::<ExportTraceServiceRequest>("/v1/traces");
    let logs = collector.bodies::<ExportLogsServiceRequest>("/v1/logs");
    assert!(!traces.is_empty() && !logs.is_empty());
    let traces = traces.iter().flat_map(Message::encode_to_vec);
    traces.chain(logs.iter().flat_map(Message::encode_to_vec)).collect()
}
