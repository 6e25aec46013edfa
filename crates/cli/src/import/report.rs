use std::{
    fmt,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use rekey_core::customers::import::Outcome;
use rekey_import::{Column, ImportRowError, Reason};
use serde::Serialize;

use crate::output::{self, Output};

/// Counts the outcomes, lists the rows that were not imported as they are, and shows the progress. Each run makes a new one. It is complete also
/// when the run resumed an interrupted import.
pub struct Report {
    file: Option<BufWriter<File>>,
    /// What a row's number counts.
    unit: &'static str,
    /// On standard error; nothing where that is no terminal.
    progress: ProgressBar,
    created: u64,
    /// Counted only if existing customers may be updated.
    updated: Option<u64>,
    taken: u64,
    refused: u64,
    /// Customers that were created without their password.
    warned: u64,
}

/// What an import did, as it is printed.
#[derive(Serialize)]
struct Counts {
    dry_run: bool,
    lines: u64,
    created: u64,
    taken: u64,
    refused: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<u64>,
    without_password: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dry_run, lines, created, taken, refused, updated, without_password } = *self;
        if dry_run {
            writeln!(f, "Dry run: nothing was written.")?;
        }
        writeln!(f, "lines={lines}\ncreated={created}\ntaken={taken}\nrefused={refused}")?;
        if let Some(updated) = updated {
            writeln!(f, "updated={updated}")?;
        }
        if without_password > 0 {
            writeln!(f, "without_password={without_password}")?;
        }
        Ok(())
    }
}

/// Refused rows and warnings that are shown on standard error when there is no report; the others are counted.
const SHOWN: u64 = 20;

impl Report {
    /// Starts a report in that file, if any, which is overwritten, on an input of `length` bytes, if that is known. `unit` is what a row's
    /// number counts.
    pub fn create(
        path: Option<&Path>,
        unit: &'static str,
        length: Option<u64>,
        updates: bool,
    ) -> anyhow::Result<Self> {
        let create = |path| {
            let mut file = BufWriter::new(File::create(path)?);
            writeln!(file, "{unit},outcome,column,reason")?;
            Ok::<_, std::io::Error>(file)
        };
        let file = path.map(create).transpose().context("the report can't be written")?;
        let progress = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
        let template = match length {
            Some(_) => "{bar:30} {percent:>3} %  {msg}  {elapsed_precise}, {eta_precise} to go",
            None => "{spinner} {bytes}  {msg}  {elapsed_precise}",
        };
        progress.set_style(ProgressStyle::with_template(template)?);
        Ok(Self {
            file,
            unit,
            progress,
            created: 0,
            updated: updates.then_some(0),
            taken: 0,
            refused: 0,
            warned: 0,
        })
    }

    /// Records the outcome of the row that starts in this line, and why its password was not imported with its customer.
    pub fn record(
        &mut self,
        line: u64,
        outcome: Result<Outcome, ImportRowError>,
        warning: Option<&ImportRowError>,
    ) -> anyhow::Result<()> {
        match outcome {
            Ok(Outcome::Created) => {
                self.created += 1;
                warning.map_or(Ok(()), |warning| self.warn(line, warning))
            }
            Ok(Outcome::Updated) => {
                self.updated = self.updated.map(|updated| updated + 1);
                Ok(())
            }
            Ok(Outcome::Taken) => {
                self.taken += 1;
                self.write(line, "taken", Some(Column::Email), "a customer has this address")
            }
            Ok(Outcome::Duplicate) => self.refuse(line, &Column::Email.error(Reason::Duplicate)),
            Err(error) => self.refuse(line, &error),
        }
    }

    /// Shows how many bytes have been read.
    pub fn advance(&self, position: u64) {
        self.progress.set_position(position);
        self.progress.set_message(format!("{} {}s", self.lines(), self.unit));
    }

    /// Removes the progress bar.
    pub fn clear_progress(&self) {
        self.progress.finish_and_clear();
    }

    /// Completes the report file and prints the counts.
    pub fn print(&mut self, output: Output, dry_run: bool) -> anyhow::Result<()> {
        let unshown = (self.refused + self.warned).saturating_sub(SHOWN);
        if let Some(file) = &mut self.file {
            file.flush().context("the report can't be written")?;
        } else if unshown > 0 {
            output::note(&format!("… and {unshown} more; --report FILE names all of them."));
        }
        let Self { created, updated, taken, refused, warned, .. } = *self;
        let counts = Counts {
            dry_run,
            lines: self.lines(),
            created,
            taken,
            refused,
            updated,
            without_password: warned,
        };
        output.record(&counts, &counts.to_string())?;
        if warned > 0 {
            output::note(&format!(
                "{warned} hashes could not be imported: these customers set a password by a reset."
            ));
        }
        Ok(())
    }

    /// Returns an error when a row was refused.
    pub fn result(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.refused == 0,
            "{} of {} {}s were refused",
            self.refused,
            self.lines(),
            self.unit
        );
        Ok(())
    }

    fn lines(&self) -> u64 {
        self.created + self.updated.unwrap_or_default() + self.taken + self.refused
    }

    fn refuse(&mut self, line: u64, error: &ImportRowError) -> anyhow::Result<()> {
        self.refused += 1;
        self.name(line, "refused", error)
    }

    fn warn(&mut self, line: u64, warning: &ImportRowError) -> anyhow::Result<()> {
        self.warned += 1;
        self.name(line, "warning", warning)
    }

    fn name(&mut self, line: u64, outcome: &str, error: &ImportRowError) -> anyhow::Result<()> {
        if self.file.is_none() && self.refused + self.warned <= SHOWN {
            self.progress.suspend(|| output::note(&format!("{} {line}: {outcome}: {error}", self.unit)));
        }
        self.write(line, outcome, error.column, &error.reason.to_string())
    }

    fn write(
        &mut self,
        line: u64,
        outcome: &str,
        column: Option<Column>,
        reason: &str,
    ) -> anyhow::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let (column, reason) = (column.map_or("", Into::into), reason.replace('"', "\"\""));
        writeln!(file, "{line},{outcome},{column},\"{reason}\"").context("the report can't be written")
    }
}
