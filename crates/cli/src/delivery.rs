//! `rekey delivery`: the mails, what became of them, and sending one again. `rekey mail stuck`: those that wait.

mod rows;

use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use rekey_core::{
    deliveries::{
        Status,
        log::{DeliveryFilter, DeliveryLog, ResendError},
    },
    email::EmailAddress,
    ids::{EventId, ResetId},
    organizations::Slug,
    random::OsRandom,
    scope::Mode,
};
use rekey_runtime::config::Source;
use serde_json::json;
use strum::VariantArray;
use time::Duration;

use self::rows::LifeRow;
pub use self::rows::{DeliveryRow, StepRow, StuckRow};
use crate::{
    operator,
    output::{self, NothingFound, Output},
};

/// The commands on deliveries.
#[derive(Debug, Subcommand)]
pub enum DeliveryCommand {
    /// List mails, newest first.
    List(List),
    /// Show the whole life of one mail: when it was made, published, claimed, attempted with which reply, and what is due.
    Show {
        /// The delivery's id, which is its event's.
        id: EventId,
    },
    /// Send a mail again that failed or waits, if its link can still be used.
    Resend {
        /// The delivery's id, which is its event's.
        id: EventId,
    },
}

/// The arguments of `rekey delivery list`.
#[derive(Debug, Args)]
pub struct List {
    /// Only this organization's, by its slug.
    #[arg(long)]
    organization: Option<Slug>,
    /// Only test or live data.
    #[arg(long, value_parser = operator::mode())]
    mode: Option<Mode>,
    /// Only those of the customer who has this address now.
    #[arg(long)]
    address: Option<EmailAddress>,
    /// Only those of this reset.
    #[arg(long, value_name = "ID")]
    reset: Option<ResetId>,
    /// Only those in this status.
    #[arg(long, value_parser = status())]
    status: Option<Status>,
    /// Only those made at least this long ago, such as 15m, 2h or 3d.
    #[arg(long, value_name = "AGE", value_parser = age)]
    min_age: Option<Duration>,
    /// Only those made at most this long ago.
    #[arg(long, value_name = "AGE", value_parser = age)]
    max_age: Option<Duration>,
    /// How many at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

/// The arguments of `rekey mail stuck`.
#[derive(Debug, Args)]
pub struct Stuck {
    /// How long a mail has waited at least, such as 15m or 2h.
    #[arg(long, value_name = "AGE", default_value = "15m", value_parser = age)]
    age: Duration,
    /// How many at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

/// Runs `rekey delivery`.
pub async fn run(command: DeliveryCommand, source: &Source, output: Output) -> anyhow::Result<()> {
    let store = operator::connect(source).await?;
    match command {
        DeliveryCommand::List(list) => {
            let organization = match &list.organization {
                Some(slug) => Some(operator::find_organization(&store, slug).await?.id),
                None => None,
            };
            let List { mode, address, reset, status, min_age, max_age, limit, .. } = list;
            let filter = DeliveryFilter { organization, mode, address, reset, status, min_age, max_age };
            let found = store.deliveries(&filter, limit).await?;
            output.list(&found.iter().map(DeliveryRow::from).collect::<Vec<_>>())
        }
        DeliveryCommand::Show { id } => {
            let life = store.delivery_life(id).await?;
            let life = life.ok_or_else(|| NothingFound(format!("no delivery has the id {id}")))?;
            let steps: Vec<_> = life.timeline().into_iter().map(StepRow::from).collect();
            let row = DeliveryRow::from(&life.delivery);
            if output.is_json {
                return output.record(&LifeRow { delivery: row, timeline: steps }, "");
            }
            output.show(&row)?;
            output::print("\n")?;
            output.list(&steps)
        }
        DeliveryCommand::Resend { id } => {
            let log: &dyn DeliveryLog = &store;
            log.resend(id, None, &OsRandom).await.map_err(|error| match error {
                ResendError::Unknown(_) => NothingFound(error.to_string()).into(),
                ResendError::NotResendable(..) | ResendError::Changed(_) | ResendError::Store(_) => {
                    anyhow::Error::from(error)
                }
            })?;
            output.record(&json!({ "id": id.as_str(), "state": "due" }), "It is due again.\n")
        }
    }
}

/// Runs `rekey mail stuck`.
pub async fn stuck(options: &Stuck, source: &Source, output: Output) -> anyhow::Result<()> {
    let store = operator::connect(source).await?;
    let waiting = store.waiting_deliveries(options.age, options.limit).await?;
    output.list(&waiting.iter().map(StuckRow::from).collect::<Vec<_>>())
}

fn status() -> impl TypedValueParser<Value = Status> {
    PossibleValuesParser::new(Status::VARIANTS.iter().map(|status| status.as_str()))
        .try_map(|status| Status::parse(&status).ok_or("unknown status"))
}

/// Parses an age.
pub fn age(text: &str) -> Result<Duration, String> {
    let age = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    age.try_into().map_err(|_| "too long".to_owned())
}
