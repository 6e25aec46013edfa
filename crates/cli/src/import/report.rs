use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::Context;
use rekey_core::customers::import::Outcome;

use super::{
    progress::Progress,
    row::{Column, Reason, Refusal},
};

/// Counts what became of the lines, and names those that were not imported. It is made anew by every run, and is whole when
/// an interrupted import has gone on to its end.
pub struct Report {
    file: Option<BufWriter<File>>,
    created: u64,
    taken: u64,
    refused: u64,
}

/// Refused lines that are named on standard error when there is no report; the rest is counted.
const NAMED: u64 = 20;

impl Report {
    /// With that file, if any, which is overwritten.
    pub fn create(path: Option<&Path>) -> anyhow::Result<Self> {
        let create = |path: &Path| {
            let mut file = BufWriter::new(File::create(path)?);
            writeln!(file, "line,outcome,column,reason")?;
            Ok::<_, std::io::Error>(file)
        };
        let file = path.map(create).transpose().context("the report can't be written")?;
        Ok(Self { file, created: 0, taken: 0, refused: 0 })
    }

    /// Tells what became of a line.
    pub fn tell(
        &mut self,
        line: u64,
        fate: Result<Outcome, Refusal>,
        progress: &Progress,
    ) -> anyhow::Result<()> {
        match fate {
            Ok(Outcome::Created) => self.created += 1,
            Ok(Outcome::Taken) => {
                self.taken += 1;
                self.write(line, "taken", Some(Column::Email), "a customer has this address")?;
            }
            Ok(Outcome::Duplicate) => {
                self.refuse(line, &Column::Email.refuse(Reason::Duplicate), progress)?;
            }
            Err(refusal) => self.refuse(line, &refusal, progress)?,
        }
        Ok(())
    }

    /// Lines told so far.
    pub fn lines(&self) -> u64 {
        self.created + self.taken + self.refused
    }

    /// Ends the report and prints the counts; an error when a line was refused.
    pub fn finish(self, dry_run: bool) -> anyhow::Result<()> {
        let lines = self.lines();
        let Self { file, created, taken, refused } = self;
        if let Some(mut file) = file {
            file.flush().context("the report can't be written")?;
        } else if refused > NAMED {
            eprintln!("… and {} more; --report FILE names all of them.", refused - NAMED);
        }
        if dry_run {
            println!("Dry run: nothing was written.");
        }
        println!("lines={lines}\ncreated={created}\ntaken={taken}\nrefused={refused}");
        anyhow::ensure!(refused == 0, "{refused} of {lines} lines were refused");
        Ok(())
    }

    fn refuse(&mut self, line: u64, refusal: &Refusal, progress: &Progress) -> anyhow::Result<()> {
        self.refused += 1;
        let reason = refusal.reason.to_string();
        if self.file.is_none() && self.refused <= NAMED {
            let column = refusal.column.map_or_else(String::new, |column| format!("{}: ", column.as_str()));
            progress.say(&format!("line {line}: {column}{reason}"));
        }
        self.write(line, "refused", refusal.column, &reason)
    }

    fn write(
        &mut self,
        line: u64,
        outcome: &str,
        column: Option<Column>,
        reason: &str,
    ) -> anyhow::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let (column, reason) = (column.map_or("", Column::as_str), reason.replace('"', "\"\""));
        writeln!(file, "{line},{outcome},{column},\"{reason}\"").context("the report can't be written")
    }
}
