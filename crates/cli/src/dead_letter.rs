//! `rekey dead-letter`: messages that no mailer could handle.

use std::collections::BTreeSet;

use anyhow::Context;
use clap::{Args, Subcommand};
use rekey_broker::rabbitmq::{DeadLetters, DeadMessage, RabbitConfig};
use rekey_core::{
    deliveries::log::DeliveryLog,
    events::audit::{Action, AuditEntry},
    ids::EventId,
    random::OsRandom,
};
use rekey_runtime::config::{Configuration, DeadLetterSettings, Source};
use rekey_store_postgres::PostgresStore;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::json;

use crate::{
    operator,
    output::{self, NothingFound, Output, Row, or_dash, timestamp},
};

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
    /// Give dead letters back to the mailer, after the cause was repaired. Their mails are due again.
    Replay(Selection),
    /// Delete dead letters. Their mails are not sent; `rekey delivery resend` can still do so.
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
pub async fn run(command: DeadLetterCommand, source: &Source, output: Output) -> anyhow::Result<()> {
    let DeadLetterSettings { broker } = Configuration::load(source)?.settings()?;
    let config = RabbitConfig::new(broker.urls.iter().map(ExposeSecret::expose_secret), &broker.namespace)?;
    let mut letters = DeadLetters::connect(&config).await?;
    let done = match &command {
        DeadLetterCommand::List { limit } => list(&mut letters, *limit, output).await,
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

async fn list(letters: &mut DeadLetters, limit: u32, output: Output) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for _ in 0..limit {
        let Some(message) = letters.next().await? else { break };
        rows.push(DeadLetterRow::from(&message));
        letters.keep(&message).await?;
    }
    output.list(&rows)
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

/// What is done with a dead letter.
#[derive(Debug, Clone, Copy)]
enum Change {
    Replay,
    Drop,
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
        let result = match obstacle(&message, change, store).await? {
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
                apply(letters, &message, change, store).await?;
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

/// Returns why a message is not given back to the mailer, if so: the mailer would reject it, or do nothing with it.
async fn obstacle(
    message: &DeadMessage,
    change: Change,
    store: &PostgresStore,
) -> anyhow::Result<Option<String>> {
    let (Change::Replay, Some(id)) = (change, event_id(message)) else { return Ok(None) };
    if store.is_event(id, message.payload()).await? == Some(false) {
        return Ok(Some("it is not the event of this id, but forged or damaged: drop it".to_owned()));
    }
    let life = store.delivery_life(id).await?;
    Ok(life.and_then(|life| life.delivery.not_replayable()).map(|reason| reason.to_string()))
}

/// Records what is done in the audit log, and does it. If this ends in between, the message is still here.
async fn apply(
    letters: &DeadLetters,
    message: &DeadMessage,
    change: Change,
    store: &PostgresStore,
) -> anyhow::Result<()> {
    let audit = AuditEntry::by_operator(change.action(), Vec::new(), &OsRandom);
    match (change, event_id(message)) {
        (Change::Replay, Some(id)) => {
            if let Some(life) = store.delivery_life(id).await? {
                let is_due = store.revive_delivery(life.delivery.scope, id, false, &audit).await?;
                anyhow::ensure!(is_due, "the mail {id} has changed meanwhile: look at it again");
            } else {
                store.record_dead_letter(id, &audit).await?;
            }
            letters.replay(message).await
        }
        (Change::Replay, None) => letters.replay(message).await,
        (Change::Drop, id) => {
            if let Some(id) = id {
                store.record_dead_letter(id, &audit).await?;
            }
            letters.remove(message).await
        }
    }
    .with_context(|| format!("{} stays a dead letter", or_dash(message.id())))
}

/// Returns the id of the event that the message names. Nothing proves that it is the event.
fn event_id(message: &DeadMessage) -> Option<EventId> {
    message.id()?.parse().ok()
}

fn unknown(id: &str) -> anyhow::Error {
    NothingFound(format!("no dead letter has the id {id}")).into()
}

impl Change {
    fn action(self) -> Action {
        match self {
            Self::Replay => Action::ReplayDeadLetter,
            Self::Drop => Action::DropDeadLetter,
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Replay => "replayed",
            Self::Drop => "dropped",
        }
    }

    fn planned(self) -> &'static str {
        match self {
            Self::Replay => "would be replayed",
            Self::Drop => "would be dropped",
        }
    }
}

/// A dead letter as it is printed.
#[derive(Serialize)]
struct DeadLetterRow {
    id: Option<String>,
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
