//! `rekey suppression`: addresses that get no mail.

use clap::Subcommand;
use rekey_core::{
    deliveries::suppression::Suppression, email::EmailAddress, organizations::Slug, scope::Mode,
};
use rekey_runtime::config::Source;
use time::format_description::well_known::Rfc3339;

use crate::operator;

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
pub async fn run(command: SuppressionCommand, source: &Source) -> anyhow::Result<()> {
    let administration = operator::administration(source).await?;
    match command {
        SuppressionCommand::List { organization, mode } => {
            list(&administration.suppressions(organization.as_ref(), mode).await?);
        }
        SuppressionCommand::Lift { address, organization, mode } => {
            let lifted = administration.lift_suppression(&organization, mode, &address).await?;
            anyhow::ensure!(lifted, "the address {} is not suppressed", address.as_str());
            println!("Lifted.");
        }
    }
    Ok(())
}

fn list(suppressions: &[Suppression]) {
    println!("{:<20}{:<6}{:<41}{:<22}{:<12}REASON", "ORGANIZATION", "MODE", "ADDRESS", "SINCE", "DELIVERY");
    for Suppression { organization, mode, email, reason, delivery, created_at, .. } in suppressions {
        let since = created_at.truncate_to_second().format(&Rfc3339).unwrap_or_default();
        println!(
            "{:<20}{:<6}{:<40} {since:<22}{:<12}{reason}",
            organization.as_str(),
            mode.as_str(),
            email.as_str(),
            delivery.as_str(),
        );
    }
}
