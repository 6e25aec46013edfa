//! `rekey webhook callbacks` and `rekey webhook replay`.

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use rekey_core::{
    events::audit::{Action, AuditEntry},
    ids::{CallbackId, WebhookId},
    random::OsRandom,
    scope::Scope,
    webhooks::replay::{CallbackReplay, CallbackState, MAX_REPLAYED, Replay, ReplayError, Since},
};
use rekey_store_postgres::CallbackFilter;
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use super::{ScopeArguments, Tool, rows::CallbackRow};
use crate::{
    delivery, operator,
    output::{NothingFound, Output},
};

/// The arguments of `rekey webhook callbacks`.
#[derive(Debug, Args)]
pub struct Callbacks {
    #[command(flatten)]
    scope: ScopeArguments,
    /// Only those of this webhook.
    #[arg(long, value_name = "ID")]
    webhook: Option<WebhookId>,
    /// Only those that wait for an attempt, or that failed and are not tried again.
    #[arg(long, value_parser = state())]
    state: Option<CallbackState>,
    /// Only those of events since then: a time such as 2026-11-29T03:00:00Z, or an age such as 2h or 3d.
    #[arg(long, value_name = "TIME|AGE", default_value = "30d", value_parser = since)]
    since: Since,
    /// How many at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

/// The arguments of `rekey webhook replay`: an id, or conditions.
#[derive(Debug, Args)]
pub struct ReplayArguments {
    /// The callback's id.
    #[arg(required_unless_present_any = ["failed", "all"], conflicts_with_all = ["failed", "all", "webhook", "since", "limit", "dry_run"])]
    id: Option<CallbackId>,
    #[command(flatten)]
    scope: ScopeArguments,
    /// All that failed and are not tried again by themselves.
    #[arg(long, conflicts_with = "all")]
    failed: bool,
    /// Those that were delivered, too.
    #[arg(long)]
    all: bool,
    /// Only those of this webhook.
    #[arg(long, value_name = "ID")]
    webhook: Option<WebhookId>,
    /// Only those of events since then: a time such as 2026-11-29T03:00:00Z, or an age such as 2h or 3d. Without it, all that are kept.
    #[arg(long, value_name = "TIME|AGE", value_parser = since)]
    since: Option<Since>,
    /// How many at most, the oldest first.
    #[arg(long, default_value_t = MAX_REPLAYED, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_REPLAYED)))]
    limit: u32,
    /// Only print how many would be due again.
    #[arg(long)]
    dry_run: bool,
}

impl Callbacks {
    /// Runs the command.
    pub async fn run(self, tool: &Tool, output: Output) -> anyhow::Result<()> {
        let scope = tool.find_scope(&self.scope, self.webhook).await?;
        let filter = CallbackFilter { webhook: self.webhook, state: self.state, since: self.since };
        let found = tool.store.logged_callbacks(scope, &filter, self.limit).await?;
        output.list(&found.iter().map(CallbackRow::from).collect::<Vec<_>>())
    }
}

impl ReplayArguments {
    /// Runs the command.
    pub async fn run(self, tool: &Tool, output: Output) -> anyhow::Result<()> {
        let scope = tool.find_scope(&self.scope, self.webhook).await?;
        match self.id {
            Some(id) => replay_one(tool, scope, id, output).await,
            None => self.replay_many(tool, scope, output).await,
        }
    }

    async fn replay_many(self, tool: &Tool, scope: Scope, output: Output) -> anyhow::Result<()> {
        let replay = Replay {
            webhook: self.webhook,
            since: self.since.unwrap_or_default(),
            with_delivered: self.all,
            max: self.limit,
            is_dry_run: self.dry_run,
        };
        let replayed = tool.store.replay_callbacks(scope, &replay, &audit()).await?;
        if replayed.count == 0 {
            return Err(NothingFound("no callback that has ended fulfils these conditions".to_owned()).into());
        }
        let (count, next) = (replayed.count, replayed.next.and_then(|at| at.format(&Rfc3339).ok()));
        let done = if self.dry_run { "Would be due again" } else { "Due again" };
        let rest = next.as_ref().map_or_else(String::new, |next| {
            format!("There are more than these, the oldest: replay the others with --since {next}.\n")
        });
        output.record(
            &json!({ "count": count, "dry_run": self.dry_run, "more_since": next }),
            &format!("{done}: {count}.\n{rest}"),
        )
    }
}

async fn replay_one(tool: &Tool, scope: Scope, id: CallbackId, output: Output) -> anyhow::Result<()> {
    tool.store.replay_callback(scope, id, &audit()).await.map_err(|error| match error {
        ReplayError::Unknown(_) => NothingFound(error.to_string()).into(),
        error => anyhow::Error::from(error),
    })?;
    output.record(&json!({ "id": id.as_str(), "state": "waiting" }), "It is due again.\n")
}

fn audit() -> AuditEntry {
    AuditEntry::by_operator(Action::Replay, Vec::new(), &OsRandom)
}

fn state() -> impl TypedValueParser<Value = CallbackState> {
    PossibleValuesParser::new(CallbackState::LISTED.iter().map(|state| state.as_str()))
        .try_map(|state| state.parse::<CallbackState>())
}

/// Parses a time, or an age.
fn since(text: &str) -> Result<Since, String> {
    if let Ok(ago) = delivery::age(text) {
        return Ok(Since::Ago(ago));
    }
    operator::parse_time(text).map(Since::At).map_err(|error| format!("{error}, or an age such as 2h"))
}
