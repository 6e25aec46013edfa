//! `rekey dead-letter`: messages that the mailer, or the program that sends webhooks, could not handle.

mod change;

use std::collections::BTreeSet;

use clap::{Args, Subcommand, ValueEnum};
use rekey_broker::rabbitmq::{Consumer, DeadLetters, DeadMessage, RabbitConfig};
use rekey_runtime::config::{Broker, Configuration, DeadLetterSettings, Source};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::json;

pub use self::change::Change;
use crate::{
    operator,
    output::{self, NothingFound, Output, Row, or_dash, timestamp},
};

/// The arguments of `rekey dead-letter`.
#[derive(Debug, Args)]
pub struct DeadLetterOptions {
    /// The queue that they could not be handled from.
    #[arg(long, global = true, value_enum, default_value_t = Queue::Mailer)]
    queue: Queue,
    #[command(subcommand)]
    command: DeadLetterCommand,
}

/// A queue with dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Queue {
    /// `rekey-mailer`'s.
    Mailer,
    /// `rekey-webhooks`'.
    Webhooks,
}

impl From<Queue> for Consumer {
    fn from(queue: Queue) -> Self {
        match queue {
            Queue::Mailer => Self::Mailer,
            Queue::Webhooks => Self::Webhooks,
        }
    }
}

/// The commands on dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadLetterCommand {
    /// List the dead letters, the oldest first. They stay where they are.
    List {
        /// How many at most.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Show one dead letter.
    Show {
        /// The message's id, which is its event's.
        id: String,
    },
    /// Give dead letters back to their queue, after the cause was repaired. Those of the mailer make their mails due again.
    Replay(Selection),
    /// Delete dead letters. Their mails or webhooks are not sent; `rekey delivery resend` can still send a mail.
    Drop(Selection),
}

/// Which dead letters.
#[derive(Debug, Args)]
pub struct Selection {
    /// The messages' ids. An id selects all dead letters that have it.
    #[arg(required_unless_present = "all")]
    ids: Vec<String>,
    /// All of them, also those without an id.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Only print which ones would be changed.
    #[arg(long)]
    dry_run: bool,
}

/// Runs `rekey dead-letter`.
pub async fn run(options: DeadLetterOptions, source: &Source, output: Output) -> anyhow::Result<()> {
    let DeadLetterSettings { broker } = Configuration::load(source)?.settings()?;
    let mut letters =
        DeadLetters::connect(&rabbit_config(&broker)?.for_consumer(options.queue.into())).await?;
    let done = match &options.command {
        DeadLetterCommand::List { limit } => {
            read(&mut letters, *limit).await.and_then(|rows| output.list(&rows))
        }
        DeadLetterCommand::Show { id } => show(&mut letters, id, output).await,
        DeadLetterCommand::Replay(selection) => {
            change(&mut letters, selection, Change::Replay, source, output).await
        }
        DeadLetterCommand::Drop(selection) => {
            change(&mut letters, selection, Change::Drop, source, output).await
        }
    };
    letters.close().await;
    done
}

/// Returns how to reach the broker.
pub fn rabbit_config(broker: &Broker) -> anyhow::Result<RabbitConfig> {
    Ok(RabbitConfig::new(broker.urls.iter().map(ExposeSecret::expose_secret), &broker.namespace)?)
}

/// Returns the dead letters, the oldest first, at most `limit`. They stay where they are.
pub async fn read(letters: &mut DeadLetters, limit: u32) -> anyhow::Result<Vec<DeadLetterRow>> {
    let mut rows = Vec::new();
    for _ in 0..limit {
        let Some(message) = letters.next().await? else { break };
        rows.push(DeadLetterRow::from(&message));
        letters.keep(&message).await?;
    }
    Ok(rows)
}

async fn show(letters: &mut DeadLetters, id: &str, output: Output) -> anyhow::Result<()> {
    while let Some(message) = letters.next().await? {
        letters.keep(&message).await?;
        if message.id() == Some(id) {
            return output.show(&DeadLetterRow::from(&message));
        }
    }
    Err(unknown(id))
}

async fn change(
    letters: &mut DeadLetters,
    selection: &Selection,
    change: Change,
    source: &Source,
    output: Output,
) -> anyhow::Result<()> {
    let store = &operator::connect(source).await?;
    let mut missing: BTreeSet<&str> = selection.ids.iter().map(String::as_str).collect();
    let (mut changed, mut kept) = (0_u64, 0_u64);
    while let Some(message) = letters.next().await? {
        let is_selected = message.id().is_some_and(|id| selection.ids.iter().any(|selected| selected == id));
        if !selection.all && !is_selected {
            letters.keep(&message).await?;
            continue;
        }
        missing.remove(message.id().unwrap_or_default());
        let result = match change.obstacle(letters, &message, store).await? {
            Some(obstacle) => {
                kept += 1;
                letters.keep(&message).await?;
                format!("kept: {obstacle}")
            }
            None if selection.dry_run => {
                changed += 1;
                letters.keep(&message).await?;
                change.planned().to_owned()
            }
            None => {
                changed += 1;
                change.apply(letters, &message, store, None).await?;
                change.done().to_owned()
            }
        };
        let text = format!("{}: {result}\n", output::printable(&or_dash(message.id())));
        output.record(&json!({ "id": message.id(), "result": result }), &text)?;
    }
    if let Some(id) = missing.first() {
        return Err(unknown(id));
    }
    anyhow::ensure!(kept == 0, "{kept} dead letters were kept, for the reasons above");
    if changed == 0 { Err(NothingFound("there are no dead letters".to_owned()).into()) } else { Ok(()) }
}

fn unknown(id: &str) -> anyhow::Error {
    NothingFound(format!("no dead letter has the id {id}")).into()
}

/// A dead letter as it is printed.
#[derive(Serialize)]
pub struct DeadLetterRow {
    pub id: Option<String>,
    event: Option<String>,
    published_at: Option<String>,
    attempt: u32,
    bytes: usize,
    reason: String,
}

impl From<&DeadMessage> for DeadLetterRow {
    fn from(message: &DeadMessage) -> Self {
        Self {
            id: message.id().map(str::to_owned),
            event: message.name().map(str::to_owned),
            published_at: message.published_at().map(timestamp),
            attempt: message.attempt(),
            bytes: message.payload().len(),
            reason: message.reason(),
        }
    }
}

impl Row for DeadLetterRow {
    const COLUMNS: &'static [&'static str] = &["ID", "EVENT", "PUBLISHED", "ATTEMPT", "BYTES", "REASON"];

    fn cells(&self) -> Vec<String> {
        vec![
            or_dash(self.id.as_deref()),
            or_dash(self.event.as_deref()),
            or_dash(self.published_at.as_deref()),
            self.attempt.to_string(),
            self.bytes.to_string(),
            self.reason.clone(),
        ]
    }
}
