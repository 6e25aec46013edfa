//! `rekey`: the whole service in one process for trying it out, and the operator's commands.

mod audit;
mod dev;
mod import;
mod key;
mod mail;
mod maintain;
mod operator;
mod purge;
mod suppression;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use rekey_runtime::{config::Source, lifecycle};

/// Customer password resets for storefronts.
#[derive(Debug, Parser)]
#[command(name = "rekey", version, propagate_version = true)]
struct Cli {
    /// Configuration file; `REKEY__SECTION__KEY` in the environment overrides it.
    #[arg(long, global = true, env = "REKEY_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run API and mailer in one process, on SQLite, with a demo organization and a mailbox to read.
    Dev(dev::Options),
    /// Bring the database's schema up to date.
    Migrate,
    /// Organizations: the shops that this deployment serves.
    #[command(subcommand)]
    Organization(operator::OrganizationCommand),
    /// API clients: the programs that call the API for an organization.
    #[command(subcommand)]
    Client(operator::ClientCommand),
    /// Addresses that get no mail, because a mail server rejected one permanently.
    #[command(subcommand)]
    Suppression(suppression::SuppressionCommand),
    /// The audit log: its entries, and whether they are those that were written.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// The keys that sign access tokens and seal what is stored.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Delete old records from time to time, until SIGTERM or Ctrl-C, where rekey-api may not.
    Maintain,
    /// Delete records that are older than `[retention]` keeps them, as `rekey maintain` does by itself.
    Purge(purge::Options),
    /// Import records from another system.
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Mails: previews, and the DNS record of their signatures.
    #[command(subcommand)]
    Mail(mail::MailCommand),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    lifecycle::run("rekey", async {
        let source = Source::from_process()?.file(cli.config.as_deref());
        match cli.command {
            Command::Dev(options) => dev::run(options, source).await,
            Command::Migrate => operator::migrate(&source).await,
            Command::Organization(command) => operator::organization(command, &source).await,
            Command::Client(command) => operator::client(command, &source).await,
            Command::Suppression(command) => suppression::run(command, &source).await,
            Command::Audit(command) => audit::run(command, &source).await,
            Command::Key(command) => key::run(command, &source).await,
            Command::Maintain => maintain::run(&source).await,
            Command::Purge(options) => purge::run(options, &source).await,
            Command::Import(command) => import::run(command, &source).await,
            Command::Mail(command) => mail::run(command, source),
        }
    })
}

#[cfg(test)]
mod tests;
