//! `rekey import`: records of another system, from a file.

mod report;

use std::{
    io::BufRead,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use clap::{Args, Subcommand};
use encoding_rs::Encoding;
use rekey_core::{
    clock::SystemClock,
    customers::import::{DryRun, Import, ImportKey, Importer},
    organizations::{OrganizationStore, Slug},
    random::OsRandom,
    scope::{Mode, Scope},
};
use rekey_import::{Format, Input, Names, Renamed, Rows};
use rekey_runtime::config::Source;
use rekey_store_sqlite::SqliteStore;

use self::report::Report;
use crate::{
    operator,
    output::{self, Output},
};

/// The imports.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Customers, with their password hashes. If it is killed, run the same command again: it continues where it stopped.
    ///
    /// The file is CSV, whose first line names the columns, or JSON lines, each an object. The columns are `email`,
    /// `reference`, `reference_origin`, `metadata` (a JSON object), `locale` (such as pt-BR) and `password_hash`: argon2,
    /// bcrypt, scrypt or PBKDF2, in PHC string form or as PHP, Rails, Django, passlib, Werkzeug, Spring Security,
    /// WordPress 6.8 or ASP.NET Core Identity writes it. Only `email` is required. CSV is separated by comma, semicolon,
    /// tab or `|`, or as its first line `sep=;` says. All formats are UTF-8, or UTF-16, or what --encoding names. A line has
    /// 64 KiB at most. Blank rows are passed over.
    ///
    /// With --format commerce-layer the file is Commerce Layer's export of customers: a JSON array of objects, flat or as in
    /// JSON:API, or several arrays one after the other, or CSV. What its customers have and ours do not is passed over. It has no
    /// password hashes: customers set a password by a reset. `--map id=reference` keeps Commerce Layer's ids.
    ///
    /// A customer whose hash can't be used is imported without a password, with a warning: a reset sets one. An existing
    /// customer is left unchanged and counted as taken. Nobody is mailed, and no event is published; the audit log names the
    /// customers that were created or updated. The exit code is 0 when no line was refused, 1 when one was or the import
    /// failed, and 2 when command line or configuration can't be used.
    Customers(Options),
}

/// The arguments of an import.
#[derive(Debug, Args)]
pub struct Options {
    /// The file; `-` is the standard input.
    file: PathBuf,
    /// The organization's slug.
    #[arg(long)]
    organization: Slug,
    /// Test or live data.
    #[arg(long, value_parser = operator::mode())]
    mode: Mode,
    /// The file's format; by default it follows from the name's ending: .csv, .jsonl or .ndjson.
    #[arg(long)]
    format: Option<Format>,
    /// The file's encoding, unless it is UTF-8 or UTF-16: windows-1252 (Excel in Western Europe), windows-1250, …
    #[arg(long, value_parser = rekey_import::encoding)]
    encoding: Option<&'static Encoding>,
    /// A column's or member's name in the file, and the column that it means: --map "Customer Email=email". Can be repeated.
    #[arg(long = "map", value_name = "NAME=COLUMN")]
    renamed: Vec<Renamed>,
    /// Passes over columns and members that are none of those above.
    #[arg(long)]
    ignore_unknown: bool,
    /// Gives existing customers the hash in the file, if they have not logged in yet: they have no password, or still an
    /// imported one.
    #[arg(long)]
    update: bool,
    /// Checks everything, also against the existing customers, and writes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Writes every line that was refused or taken, or whose hash can't be used, to this file, as CSV: line, outcome, column, reason.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Imports into the data directory of a `rekey dev` instead of the production database.
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

/// Rows written at a time: enough that the round trip doesn't matter, few enough that it takes a fraction of a second.
const BATCH_ROWS: usize = 1_000;
/// The most bytes of rows written at a time, which bounds the memory.
const BATCH_BYTES: u64 = 4 << 20;

/// Runs one import to its end.
pub async fn run(command: ImportCommand, source: &Source, output: Output) -> anyhow::Result<()> {
    let ImportCommand::Customers(options) = command;
    let is_export = options.format == Some(Format::CommerceLayer);
    let names =
        Names { renamed: options.renamed.clone(), ignores_unknown: options.ignore_unknown, is_export };
    let input = Input::open(&options.file, options.format, options.encoding, names)?;
    let length = input.file.as_ref().and_then(|file| file.length);
    let unit = input.rows.unit();
    let mut report = Report::create(options.report.as_deref(), unit, length, options.update)?;
    if let Some(data_dir) = &options.data_dir {
        let store = open_embedded(data_dir).await?;
        import_into(&store, &options, input, &mut report, output).await?;
        store.close().await;
    } else {
        let store = operator::connect(source).await?;
        import_into(&store, &options, input, &mut report, output).await?;
        store.close().await;
    }
    report.result()
}

/// Opens the database in a data directory of `rekey dev`, which may be running.
async fn open_embedded(data_dir: &Path) -> anyhow::Result<SqliteStore> {
    let path = data_dir.join("rekey.db");
    anyhow::ensure!(path.exists(), "{} does not exist: `rekey dev` creates it", path.display());
    let store = SqliteStore::open(&path, Arc::new(SystemClock))?;
    store.migrate().await.context("the database could not be brought up to date")?;
    Ok(store)
}

async fn import_into(
    store: &(impl OrganizationStore + Importer + Clone),
    options: &Options,
    input: Input,
    report: &mut Report,
    output: Output,
) -> anyhow::Result<()> {
    let organization = operator::find_organization(store, &options.organization).await?;
    let scope = Scope { organization: organization.id, mode: options.mode };
    let source = input.file.map(|file| file.digest);
    let importer: Arc<dyn Importer> =
        if options.dry_run { Arc::new(DryRun::new(store.clone())) } else { Arc::new(store.clone()) };
    let key = ImportKey::generate(&OsRandom);
    let mut import = Import { importer, scope, key, updates_passwords: options.update };
    if let Some(source) = &source {
        let started = import.importer.begin_import(scope, source, &import.key).await?;
        import.key = started.key;
        if started.is_resumed {
            output::note("An import of this file was interrupted: it is resumed.");
        }
    }
    let result = import_rows(input.rows, &import, report).await;
    report.clear_progress();
    result?;
    import.importer.refresh_statistics().await?;
    report.print(output, options.dry_run)?;
    if let Some(source) = &source {
        // From now on, the same file is another import: a kill before this has it resumed, and reported again.
        import.importer.finish_import(scope, source).await?;
    }
    Ok(())
}

async fn import_rows(
    mut rows: Rows<impl BufRead>,
    import: &Import,
    report: &mut Report,
) -> anyhow::Result<()> {
    loop {
        let start = rows.position();
        let (mut results, mut customers) = (Vec::new(), Vec::new());
        while results.len() < BATCH_ROWS && rows.position() - start < BATCH_BYTES {
            let Some(row) = rows.read_row().context("the file can't be read")? else { break };
            results.push((row.line, row.content.map(|customer| customers.push(customer)), row.warning));
        }
        if results.is_empty() {
            return Ok(());
        }
        let outcomes = import.write(customers).await;
        let mut outcomes = outcomes.context("the import stopped; run it again to resume it")?.into_iter();
        for (line, result, warning) in results {
            let outcome = match result {
                Ok(()) => Ok(outcomes.next().context("the store returned too few outcomes")?),
                Err(error) => Err(error),
            };
            report.record(line, outcome, warning.as_ref())?;
        }
        report.advance(rows.position());
    }
}
