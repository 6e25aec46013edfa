//! `rekey bounce`: reports on mails that a relay has accepted, by hand.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use clap::Subcommand;
use rekey_core::deliveries::reports::Recorded;
use rekey_mailer::bounces::{IngestError, MAX_REPORT, Reports, result_name};
use rekey_runtime::config::{BounceSettings, Configuration, Source};
use serde_json::json;

use crate::{
    operator,
    output::{NothingFound, Output},
};

/// The commands on bounces.
#[derive(Debug, Subcommand)]
pub enum BounceCommand {
    /// Record a mail server's report on a mail, a bounce or a complaint, as POST /bounces/report does: it was sent to the mail's address
    /// at `mail.bounce_domain`. Exit code 3 if it is about no mail of this deployment, or no report; 1 if it is to be tried again.
    Ingest {
        /// The report as it was received, with its headers (RFC 3464, RFC 5965); "-" reads standard input.
        file: PathBuf,
    },
}

/// Runs `rekey bounce`.
pub async fn run(command: BounceCommand, source: &Source, output: Output) -> anyhow::Result<()> {
    let BounceCommand::Ingest { file } = command;
    let raw = read(&file)?;
    let BounceSettings { keys } = Configuration::load(source)?.settings()?;
    let store = Arc::new(operator::connect(source).await?);
    let reports = Reports { store, keys: keys.sealing };
    let ingested = reports.ingest(&raw).await.map_err(|error| match error {
        IngestError::Forged | IngestError::NotReported(_) => NothingFound(error.to_string()).into(),
        IngestError::Store(error) => anyhow::Error::from(error),
    })?;
    let (delivery, kind) = (ingested.delivery, ingested.kind.as_str());
    let text = match ingested.recorded {
        Recorded::New { .. } => format!("The mail {delivery} is recorded as {kind}.\n"),
        Recorded::Repeated => format!("The mail {delivery} was recorded as {kind} before.\n"),
        Recorded::Unsettled => anyhow::bail!("a mailer has the mail {delivery}: try again in a minute"),
        Recorded::Unknown => {
            return Err(NothingFound(format!(
                "the mail {delivery} was deleted, or no relay has accepted it"
            ))
            .into());
        }
    };
    let result = result_name(ingested.recorded);
    output.record(&json!({ "delivery": delivery.as_str(), "kind": kind, "result": result }), &text)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let input: Box<dyn Read> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(file).with_context(|| format!("can't read {}", file.display()))?)
    };
    let mut raw = Vec::new();
    let limit = u64::try_from(MAX_REPORT)?;
    input.take(limit + 1).read_to_end(&mut raw).with_context(|| format!("can't read {}", file.display()))?;
    anyhow::ensure!(
        raw.len() <= MAX_REPORT,
        "{} has more than {MAX_REPORT} bytes: no report is that large",
        file.display()
    );
    Ok(raw)
}
