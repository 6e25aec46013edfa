//! `rekey suppression`: addresses that get no mail.

use clap::Subcommand;
use rekey_core::{
    deliveries::suppression::Suppression, email::EmailAddress, organizations::Slug, scope::Mode,
};
use rekey_runtime::config::Source;
use serde::Serialize;
use serde_json::json;

use crate::{
    operator,
    output::{NothingFound, Output, Row, timestamp},
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
                let reason = format!("the address {} is not suppressed", address.as_str());
                return Err(NothingFound(reason).into());
            }
            output.record(&json!({ "address": address.as_str(), "state": "lifted" }), "Lifted.\n")
        }
    }
}

/// A suppression as it is printed.
#[derive(Serialize)]
struct SuppressionRow<'a> {
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
