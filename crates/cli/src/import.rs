//! `rekey import`: records of another system, from a file.

mod csv;
mod json;
mod lines;
mod progress;
mod report;
mod row;
mod sink;
mod source;
mod target;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use rekey_core::{customers::import::ImportedCustomer, organizations::Slug, scope::Scope, store::Store};
use rekey_runtime::config::Source;

use self::{
    progress::Progress,
    report::Report,
    row::{Refusal, Row},
    sink::Sink,
    source::{Format, Input},
    target::Target,
};
use crate::operator::ModeArgument;

/// What can be brought in.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Customers, with their password hashes. Killed and started again with the same command, it goes on where it was.
    ///
    /// The file is CSV, whose first line names the columns, or JSON lines, each an object. The columns are `email`,
    /// `reference`, `reference_origin`, `metadata` (a JSON object), `locale` (such as pt-BR) and `password_hash`: argon2,
    /// bcrypt, scrypt or PBKDF2, in PHC string form or as PHP, Rails, Django, passlib, Werkzeug, Spring Security,
    /// WordPress 6.8 or ASP.NET Core Identity writes it. Only `email` must be there. A line has 64 KiB at most.
    ///
    /// A customer who is there already is left as they are and counted as taken. Nobody is mailed, and no event is
    /// published; the audit log says who was created. The exit code is 0 when no line was refused, 1 when one was or the
    /// import failed, and 2 when command line or configuration can't be used.
    Customers(Options),
}

/// What to import, and where to.
#[derive(Debug, Args)]
pub struct Options {
    /// The file; `-` is the standard input.
    file: PathBuf,
    /// The organization's slug.
    #[arg(long)]
    organization: Slug,
    /// Test or live data.
    #[arg(long)]
    mode: ModeArgument,
    /// What the file is; by default its name's ending tells: .csv, .jsonl or .ndjson.
    #[arg(long)]
    format: Option<Format>,
    /// Checks everything, also against the customers that are there, and writes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Names every line that was refused or taken in this file, as CSV: line, outcome, column, reason.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Imports into the data directory of a `rekey dev` instead of the production database.
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

/// Rows written at a time: enough that the round trip doesn't count, and done in a fraction of a second.
const BATCH_ROWS: usize = 1_000;
/// Octets of the rows written at a time, at most, so that memory is bounded whatever the lines are like.
const BATCH_OCTETS: u64 = 4 << 20;

/// Runs one import to its end.
pub async fn run(command: ImportCommand, source: &Source) -> anyhow::Result<()> {
    let ImportCommand::Customers(options) = command;
    let input = Input::open(&options.file, options.format)?;
    let mut report = Report::create(options.report.as_deref())?;
    let target = Target::open(options.data_dir.as_deref(), source).await?;
    let scope = scope(&*target.store(), &options).await?;
    let mut sink = Sink::begin(&target, scope, input.digest(), options.dry_run).await?;
    if sink.is_resumed() {
        eprintln!("An import of this file was interrupted: it goes on.");
    }
    let progress = Progress::new(input.length());
    let imported = import(input, &mut sink, &mut report, &progress).await;
    progress.clear();
    imported?;
    sink.finish().await?;
    target.close().await;
    report.finish(options.dry_run)
}

async fn scope(store: &dyn Store, options: &Options) -> anyhow::Result<Scope> {
    let organizations = store.organizations().await?;
    let organization =
        organizations.into_iter().find(|organization| organization.slug == options.organization);
    let organization =
        organization.with_context(|| format!("no organization has the slug {}", options.organization))?;
    Ok(Scope { organization: organization.id, mode: options.mode.into() })
}

async fn import(
    input: Input,
    sink: &mut Sink,
    report: &mut Report,
    progress: &Progress,
) -> anyhow::Result<()> {
    let mut rows = input.rows()?;
    loop {
        let begin = rows.position();
        let mut batch = Vec::new();
        while batch.len() < BATCH_ROWS && rows.position() - begin < BATCH_OCTETS {
            let Some(row) = rows.next()? else { break };
            batch.push(row);
        }
        if batch.is_empty() {
            return Ok(());
        }
        write(batch, sink, report, progress).await?;
        progress.advance(rows.position(), report.lines());
    }
}

/// Writes a batch, and tells what became of each of its lines, in their order.
async fn write(
    batch: Vec<Row>,
    sink: &mut Sink,
    report: &mut Report,
    progress: &Progress,
) -> anyhow::Result<()> {
    let mut fates: Vec<(u64, Option<Refusal>)> = Vec::with_capacity(batch.len());
    let mut customers: Vec<ImportedCustomer> = Vec::with_capacity(batch.len());
    for row in batch {
        match row.content {
            Ok(customer) => {
                fates.push((row.line, None));
                customers.push(customer);
            }
            Err(refusal) => fates.push((row.line, Some(refusal))),
        }
    }
    let mut outcomes =
        sink.write(customers).await.context("the import stopped; run it again to go on")?.into_iter();
    for (line, refusal) in fates {
        let fate = match refusal {
            Some(refusal) => Err(refusal),
            None => Ok(outcomes.next().context("the store told too few outcomes")?),
        };
        report.tell(line, fate, progress)?;
    }
    Ok(())
}
