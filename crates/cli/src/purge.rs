//! `rekey purge`: deletes old records now.

use clap::Args;
use rekey_core::cleanup::{self, Cleanup, PurgeKind, Retention};
use rekey_runtime::config::{Configuration, Source, ToolSettings};
use serde_json::json;

use crate::{
    operator,
    output::{self, Output},
};

/// The arguments of `rekey purge`.
#[derive(Debug, Args)]
pub struct Options {
    /// Only print how many records would be deleted.
    #[arg(long)]
    dry_run: bool,
}

/// Deletes what `[retention]` does not keep, and prints how many records of each kind.
pub async fn run(options: Options, source: &Source, output: Output) -> anyhow::Result<()> {
    let ToolSettings { retention, .. } = Configuration::load(source)?.settings()?;
    let store = operator::connect(source).await?;
    for (kind, age) in Retention::from(retention).ages() {
        let name = name(kind);
        let progress = output::spinner(&format!("{name}:"));
        let count = if options.dry_run {
            store.count_purgeable(kind, age).await?
        } else {
            cleanup::purge(&store, kind, age, |deleted| progress.inc(deleted)).await?
        };
        progress.finish_and_clear();
        let json = json!({ "kind": name, "count": count, "dry_run": options.dry_run });
        output.record(&json, &format!("{name}={count}\n"))?;
    }
    Ok(())
}

fn name(kind: PurgeKind) -> &'static str {
    match kind {
        PurgeKind::Resets => "resets",
        PurgeKind::Deliveries => "deliveries",
        PurgeKind::Events => "events",
        PurgeKind::Audit => "audit",
        PurgeKind::EventCallbacks => "event_callbacks",
        PurgeKind::SignInDecoys => "sign_in_decoys",
    }
}
