//! `rekey`: the whole service in one process for trying it out, and the operator's commands.

mod audit;
mod bounce;
mod config;
mod console;
mod dead_letter;
mod delivery;
mod dev;
mod doctor;
mod import;
mod key;
mod mail;
mod maintain;
mod manual;
mod operator;
mod operators;
mod output;
mod purge;
mod suppression;
mod webhook;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use rekey_core::administration::{NewClientError, OrganizationError};
use rekey_runtime::{config::Source, lifecycle};

use crate::{
    config::Rejected,
    output::{NothingFound, Output},
};

/// Customer password resets for storefronts.
///
/// Exit codes: 0 when it is done, 1 when it failed, 2 when the command line or the configuration can't be used, 3 when there is no such
/// record or nothing to do.
#[derive(Debug, Parser)]
#[command(name = "rekey", version, propagate_version = true)]
struct Cli {
    /// Configuration file; `REKEY__SECTION__KEY` in the environment overrides it.
    #[arg(long, global = true, env = "REKEY_CONFIG")]
    config: Option<PathBuf>,
    /// Print records and results as JSON, one object a line, for scripts. Members may be added; times are RFC 3339.
    #[arg(long, global = true)]
    json: bool,
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
    /// Mails: what became of each, and sending one again.
    #[command(subcommand)]
    Delivery(delivery::DeliveryCommand),
    /// Messages that could not be handled: in the broker, with the reason.
    DeadLetter(dead_letter::DeadLetterOptions),
    /// Reports that come after a relay has accepted a mail.
    #[command(subcommand)]
    Bounce(bounce::BounceCommand),
    /// Addresses that get no mail, because a mail server rejected one permanently.
    #[command(subcommand)]
    Suppression(suppression::SuppressionCommand),
    /// Webhooks: the receivers that are sent events.
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
    /// The audit log: its entries, and whether they are those that were written.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// The keys that sign access tokens and seal what is stored.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Operators: who may sign in to the console, and what they may do there.
    #[command(subcommand)]
    Operator(operators::OperatorCommand),
    /// Serve the operators' pages at `admin.listen`, until SIGTERM or Ctrl-C.
    Console(console::Options),
    /// Delete old records from time to time, until SIGTERM or Ctrl-C, where rekey-api may not.
    Maintain,
    /// Delete records that are older than `[retention]` keeps them, as `rekey maintain` does by itself.
    Purge(purge::Options),
    /// Import records from another system.
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Mails: previews, the DNS record of their signatures, and those that wait.
    #[command(subcommand)]
    Mail(mail::MailCommand),
    /// The configuration: what is wrong with it, and where each value comes from.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Check an installation: configuration, database, broker, relays, DNS, keys, links and memory. Nothing is changed. Each line is ok,
    /// warn, fail or skip, with what to do. Exit code 1 if a check fails; warnings and skipped checks are no failure.
    Doctor(doctor::Doctor),
    /// Print a script that completes these commands in a shell.
    Completions(manual::Completions),
    /// Write man pages of all commands.
    Man(manual::Man),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut own_code = None;
    let code = lifecycle::run("rekey", async {
        let result = run(cli).await;
        own_code = result.as_ref().err().and_then(own_exit_code);
        result
    });
    own_code.map_or(code, ExitCode::from)
}

/// Returns the exit code of an error that is not one of all programs.
fn own_exit_code(error: &anyhow::Error) -> Option<u8> {
    let is_unknown = matches!(error.downcast_ref(), Some(OrganizationError::UnknownOrganization(_)))
        || matches!(error.downcast_ref(), Some(NewClientError::UnknownOrganization(_)));
    if is_unknown || error.is::<NothingFound>() {
        Some(3)
    } else if error.is::<Rejected>() {
        Some(2)
    } else {
        None
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let output = Output { is_json: cli.json };
    let source = Source::from_process()?.file(cli.config.as_deref());
    match cli.command {
        Command::Dev(options) => dev::run(options, source).await,
        Command::Migrate => operator::migrate(&source, output).await,
        Command::Organization(command) => operator::organization(command, &source, output).await,
        Command::Client(command) => operator::client(command, &source, output).await,
        Command::Delivery(command) => delivery::run(command, &source, output).await,
        Command::DeadLetter(options) => dead_letter::run(options, &source, output).await,
        Command::Webhook(command) => webhook::run(command, &source, output).await,
        Command::Bounce(command) => bounce::run(command, &source, output).await,
        Command::Suppression(command) => suppression::run(command, &source, output).await,
        Command::Audit(command) => audit::run(command, &source, output).await,
        Command::Key(command) => key::run(command, &source, output).await,
        Command::Operator(command) => operators::run(command, &source, output).await,
        Command::Console(options) => console::run(&options, source).await,
        Command::Maintain => maintain::run(source).await,
        Command::Purge(options) => purge::run(options, &source, output).await,
        Command::Import(command) => import::run(command, &source, output).await,
        Command::Mail(command) => mail::run(command, source, output).await,
        Command::Config(command) => config::run(command, &source, output),
        Command::Doctor(options) => doctor::run(options, &source, output).await,
        Command::Completions(options) => manual::completions(&options),
        Command::Man(options) => manual::man(&options, output),
    }
}

#[cfg(test)]
mod tests;
