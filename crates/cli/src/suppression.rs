//! `rekey suppression`: addresses that get no mail.

use clap::{Args, Subcommand};
use rekey_core::{
    administration::Administration, deliveries::suppression::Suppression, email::EmailAddress,
    organizations::Slug, scope::Mode,
};
use rekey_runtime::config::Source;
use serde::Serialize;
use serde_json::json;
use time::OffsetDateTime;

use crate::{
    operator,
    output::{self, NothingFound, Output, Row, timestamp},
};

/// The commands on suppressed addresses.
#[derive(Debug, Subcommand)]
pub enum SuppressionCommand {
    /// List the suppressed addresses, with the mail server's reasons.
    List {
        /// Only this organization's, by its slug.
        #[arg(long)]
        organization: Option<Slug>,
        /// Only test or live data.
        #[arg(long, value_parser = operator::mode())]
        mode: Option<Mode>,
    },
    /// Let mails go to an address again: future ones, not those that were held back.
    Lift {
        /// The address.
        address: EmailAddress,
        /// The organization's slug.
        #[arg(long)]
        organization: Slug,
        /// Test or live data.
        #[arg(long, default_value = "live", value_parser = operator::mode())]
        mode: Mode,
    },
    /// Show why an address is suppressed.
    Show {
        /// The address.
        address: EmailAddress,
        /// The organization's slug.
        #[arg(long)]
        organization: Slug,
        /// Test or live data.
        #[arg(long, default_value = "live", value_parser = operator::mode())]
        mode: Mode,
    },
    /// Let mails go to many addresses again: those that a relay refused with this reply, in this time. For a relay that was wrong.
    LiftMany(LiftMany),
}

/// The arguments of `rekey suppression lift-many`. An address is chosen when all conditions hold.
#[derive(Debug, Args)]
pub struct LiftMany {
    /// The organization's slug.
    #[arg(long)]
    organization: Slug,
    /// Test or live data.
    #[arg(long, default_value = "live", value_parser = operator::mode())]
    mode: Mode,
    /// A part of the reply, in any case, such as "5.1.1" or a relay's name.
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["since", "until"])]
    reply: Option<String>,
    /// Suppressed at this time or later, such as 2026-11-29T03:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = operator::parse_time)]
    since: Option<OffsetDateTime>,
    /// Suppressed before this time.
    #[arg(long, value_name = "TIME", value_parser = operator::parse_time)]
    until: Option<OffsetDateTime>,
    /// Only print which ones would be lifted.
    #[arg(long)]
    dry_run: bool,
}

/// Runs a command on the production database.
pub async fn run(command: SuppressionCommand, source: &Source, output: Output) -> anyhow::Result<()> {
    let administration = operator::administration(source).await?;
    match command {
        SuppressionCommand::List { organization, mode } => {
            let suppressions = administration.suppressions(organization.as_ref(), mode).await?;
            output.list(&suppressions.iter().map(SuppressionRow::from).collect::<Vec<_>>())
        }
        SuppressionCommand::Lift { address, organization, mode } => {
            if !administration.lift_suppression(&organization, mode, &address).await? {
                return Err(not_suppressed(&address).into());
            }
            output.record(&json!({ "address": address.as_str(), "state": "lifted" }), "Lifted.\n")
        }
        SuppressionCommand::Show { address, organization, mode } => {
            let all = administration.suppressions(Some(&organization), Some(mode)).await?;
            let found = all.iter().find(|suppression| suppression.email == address);
            let found = found.ok_or_else(|| not_suppressed(&address))?;
            output.show(&SuppressionRow::from(found))
        }
        SuppressionCommand::LiftMany(lift) => lift.run(&administration, output).await,
    }
}

fn not_suppressed(address: &EmailAddress) -> NothingFound {
    NothingFound(format!("the address {} is not suppressed", address.as_str()))
}

impl LiftMany {
    async fn run(&self, administration: &Administration, output: Output) -> anyhow::Result<()> {
        let all = administration.suppressions(Some(&self.organization), Some(self.mode)).await?;
        let chosen: Vec<_> = all.iter().filter(|suppression| self.chooses(suppression)).collect();
        if chosen.is_empty() {
            return Err(NothingFound("no suppressed address fulfils these conditions".to_owned()).into());
        }
        let progress = output::spinner("lifted:");
        for suppression in chosen.iter().filter(|_| !self.dry_run) {
            administration.lift_suppression(&self.organization, self.mode, &suppression.email).await?;
            progress.inc(1);
        }
        progress.finish_and_clear();
        output.list(&chosen.into_iter().map(SuppressionRow::from).collect::<Vec<_>>())
    }

    fn chooses(&self, suppression: &Suppression) -> bool {
        let reason = suppression.reason.to_lowercase();
        self.reply.as_ref().is_none_or(|reply| reason.contains(&reply.to_lowercase()))
            && self.since.is_none_or(|since| suppression.created_at >= since)
            && self.until.is_none_or(|until| suppression.created_at < until)
    }
}

/// A suppression as it is printed.
#[derive(Serialize)]
pub struct SuppressionRow<'a> {
    organization: &'a str,
    mode: &'static str,
    address: &'a str,
    since: String,
    delivery: &'a str,
    smtp_code: Option<u16>,
    reason: &'a str,
}

impl<'a> From<&'a Suppression> for SuppressionRow<'a> {
    fn from(suppression: &'a Suppression) -> Self {
        Self {
            organization: suppression.organization.as_str(),
            mode: suppression.mode.as_str(),
            address: suppression.email.as_str(),
            since: timestamp(suppression.created_at),
            delivery: suppression.delivery.as_str(),
            smtp_code: suppression.smtp_code,
            reason: &suppression.reason,
        }
    }
}

impl Row for SuppressionRow<'_> {
    const COLUMNS: &'static [&'static str] =
        &["ORGANIZATION", "MODE", "ADDRESS", "SINCE", "DELIVERY", "REASON"];

    fn cells(&self) -> Vec<String> {
        let Self { organization, mode, address, delivery, reason, .. } = *self;
        [organization, mode, address, &self.since, delivery, reason].map(str::to_owned).into()
    }
}
