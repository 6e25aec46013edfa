//! The broker: its nodes, the exchange and the queues, alarms, and the rights of the user in `broker.url`.

use futures_util::future::join_all;
use rekey_broker::rabbitmq::{Consumer, Inspector, Problem, QueueState, RabbitConfig, Right};
use rekey_runtime::config::{Broker, Configuration};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{finding::Finding, settings};
use crate::config::Program;

#[derive(Deserialize)]
struct Sections {
    broker: Broker,
}

/// Checks the broker.
pub async fn check(configuration: &Configuration, programs: &[Program]) -> Vec<Finding> {
    const CHECK: &str = "broker.connection";
    let broker = match settings(configuration, CHECK) {
        Ok(Sections { broker }) => broker,
        Err(skipped) => return vec![skipped],
    };
    let config = RabbitConfig::new(broker.urls.iter().map(ExposeSecret::expose_secret), &broker.namespace);
    let config = match config {
        Ok(config) => config,
        Err(error) => return vec![Finding::fail(CHECK, error.to_string(), "correct broker.url")],
    };
    let names = config.node_names();
    let connected = join_all((0..names.len()).map(|node| Inspector::connect(&config, node))).await;
    let (mut findings, mut inspectors) = (Vec::new(), Vec::new());
    for (name, connected) in names.iter().zip(connected) {
        match connected {
            Ok(inspector) => {
                findings.push(Finding::ok(CHECK, format!("{name}, logged in")));
                inspectors.push(inspector);
            }
            Err(problem) => findings.push(failed(CHECK, name, problem)),
        }
    }
    match inspectors.first() {
        Some(inspector) => findings.extend(inspect(inspector, programs).await),
        None => findings.push(Finding::skipped("broker", "no connection: nothing else of it was checked")),
    }
    join_all(inspectors.into_iter().map(Inspector::close)).await;
    findings
}

async fn inspect(inspector: &Inspector, programs: &[Program]) -> Vec<Finding> {
    let mut findings = vec![match inspector.exchange().await {
        Ok(()) => Finding::ok("broker.exchange", "it exists"),
        Err(problem) => Finding::fail("broker.exchange", problem.found, problem.advice),
    }];
    findings.extend(queues(inspector.queues().await));
    let publishing =
        if programs.contains(&Program::Api) { Right::PublishEvents } else { Right::PublishToQueues };
    match inspector.alarms(publishing).await {
        Ok(()) => {
            findings.push(Finding::ok("broker.alarms", "the broker takes messages"));
            findings.push(rights(inspector, programs).await);
        }
        Err(problem) => {
            findings.push(Finding::fail("broker.alarms", problem.found, problem.advice));
            findings.push(Finding::skipped("broker.permissions", "the broker takes no messages"));
        }
    }
    findings
}

fn queues(looked_up: Vec<Result<QueueState, Problem>>) -> Vec<Finding> {
    const CHECK: &str = "broker.queues";
    let (mut findings, mut states) = (Vec::new(), Vec::new());
    for queue in looked_up {
        match queue {
            Ok(state) if state.is_as_declared == Some(false) => findings.push(Finding::fail(
                CHECK,
                format!("the queue {} has other arguments than we declare", state.name),
                "delete it once it is empty, so that the programs declare it again, or choose another broker.namespace",
            )),
            Ok(state) => states.push(state),
            Err(problem) => findings.push(Finding::fail(CHECK, problem.found, problem.advice)),
        }
    }
    if findings.is_empty() {
        let is_compared = states.iter().all(|state| state.is_as_declared.is_some());
        let arguments =
            if is_compared { "with our arguments" } else { "this user may not compare their arguments" };
        findings.push(Finding::ok(CHECK, format!("all {} exist, {arguments}", states.len())));
    }
    findings.extend(states.iter().filter_map(contents));
    findings
}

/// Reports a queue that nobody reads, and dead letters.
fn contents(queue: &QueueState) -> Option<Finding> {
    const CHECK: &str = "broker.messages";
    let QueueState { name, message_count, consumer_count, .. } = queue;
    let (has_messages, is_read) = (*message_count > 0, *consumer_count > 0);
    let (found, fix) = if name.ends_with(".mailer.dead") && has_messages {
        let fix = "`rekey dead-letter list` shows why: docs/runbooks/mails.md";
        (format!("{message_count} dead letters"), fix)
    } else if name.ends_with(".webhooks.dead") && has_messages {
        let fix = "`rekey dead-letter list --queue webhooks` shows why: docs/runbooks/mails.md";
        (format!("{message_count} dead letters of webhooks"), fix)
    } else if name.ends_with(".mailer") && !is_read {
        (format!("no mailer reads {name}, which has {message_count} messages"), "start rekey-mailer")
    } else if name.ends_with(".webhooks") && has_messages && !is_read {
        let fix =
            "start rekey-webhooks; if webhooks are switched off, delete their queues: docs/operations.md";
        (format!("nobody reads {name}, which has {message_count} messages and grows"), fix)
    } else {
        return None;
    };
    Some(Finding::warn(CHECK, found, fix))
}

async fn rights(inspector: &Inspector, programs: &[Program]) -> Finding {
    const CHECK: &str = "broker.permissions";
    let mut names = Vec::new();
    for program in programs {
        for right in needed(*program) {
            if let Err(problem) = inspector.has_right(*right).await {
                return failed(CHECK, program.name(), problem);
            }
        }
        names.push(program.name());
    }
    Finding::ok(CHECK, format!("enough for {}", names.join(" and ")))
}

fn needed(program: Program) -> &'static [Right] {
    match program {
        Program::Api => &[Right::PublishEvents],
        Program::Mailer => &[Right::ReadEvents(Consumer::Mailer), Right::PublishToQueues],
        Program::Webhooks => &[Right::ReadEvents(Consumer::Webhooks), Right::PublishToQueues],
        Program::Console | Program::Tool => &[Right::ReadDeadLetters, Right::PublishToQueues],
    }
}

fn failed(check: &str, name: &str, problem: Problem) -> Finding {
    Finding::fail(check, format!("{name}: {}", problem.found), problem.advice)
}
