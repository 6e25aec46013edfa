//! `rekey audit verify` and `rekey audit heads`.

use std::{fs, path::PathBuf};

use anyhow::Context;
use clap::Args;
use rekey_core::{
    cleanup::Retention,
    events::audit::{
        chain::{AuditChain, Link},
        verify::{Verified, verify},
    },
    organizations::Organization,
    scope::{Mode, Scope},
    secrets::KeyRing,
};
use rekey_runtime::config::AuditSettings;
use rekey_store_postgres::PostgresStore;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::Scopes;
use crate::output::{Output, print, timestamp};

/// The arguments of `rekey audit verify`.
#[derive(Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    scopes: Scopes,
    /// A file that `rekey audit heads` wrote earlier: each of its links must still be in its chain. So links that were removed from the end
    /// are noticed.
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
}

/// An exported link, a line of JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    organization: String,
    mode: String,
    position: i64,
    digest: String,
    #[serde(with = "time::serde::rfc3339")]
    chained_at: OffsetDateTime,
}

/// What was found about an organization's entries in a mode.
#[derive(Debug, Serialize)]
struct Report {
    organization: String,
    mode: &'static str,
    is_intact: bool,
    /// Each with its position and entry, if it has one.
    problems: Vec<Problem>,
    links: u64,
    /// The position of the checkpoint that the last purge left.
    checkpoint: Option<i64>,
    head: Option<i64>,
    /// The last position with a signature that was checked: it covers the links before it.
    signed_until: Option<i64>,
    notes: Vec<String>,
    waiting: u64,
    waiting_since: Option<String>,
}

/// Something that should not be.
#[derive(Debug, Serialize)]
struct Problem {
    kind: &'static str,
    position: Option<i64>,
    entry: Option<String>,
    text: String,
}

impl Verify {
    pub async fn run(
        &self,
        store: &PostgresStore,
        settings: AuditSettings,
        output: Output,
    ) -> anyhow::Result<()> {
        let exported = self.compare.as_ref().map(read_heads).transpose()?.unwrap_or_default();
        let keys = settings.keys.sealing.as_ref();
        let retention = Retention::from(settings.retention).audit;
        let scopes = self.scopes.read(store).await?;
        if self.scopes.organization.is_none() {
            let is_known = |head: &Head| scopes.iter().any(|(own, _)| own.slug.as_str() == head.organization);
            if let Some(head) = exported.iter().find(|head| !is_known(head)) {
                anyhow::bail!(
                    "the organization {} of an exported link does not exist any more",
                    head.organization
                );
            }
        }
        let (mut count, mut broken) = (0, 0);
        for (organization, scope) in scopes {
            let is_own = |head: &&Head| {
                head.organization == organization.slug.as_str() && head.mode == scope.mode.as_str()
            };
            // Before the verification: a link that is purged meanwhile is found here or is before the checkpoint there.
            let mut found = Vec::new();
            for head in exported.iter().filter(is_own) {
                found.push((head, link_at(store, scope, head.position).await?));
            }
            let verified = verify(store, scope, keys, retention).await?;
            let mut report = Report::new(&organization, scope.mode, &verified, keys);
            for (head, link) in &found {
                report.compare(head, link.as_ref());
            }
            report.is_intact = report.problems.is_empty();
            count += 1;
            broken += u32::from(!report.is_intact);
            output.record(&report, &report.text())?;
        }
        anyhow::ensure!(broken == 0, "the audit log is not intact in {broken} of {count} chains");
        Ok(())
    }
}

impl Report {
    fn new(organization: &Organization, mode: Mode, verified: &Verified, keys: Option<&KeyRing>) -> Self {
        let Verified { broken, links, checkpoint, head, signed, unknown_keys, unchained } = verified;
        let mut problems = Vec::new();
        if let Some(broken) = broken {
            problems.push(Problem {
                kind: (&broken.fault).into(),
                position: Some(broken.position),
                entry: Some(broken.entry_id.clone()),
                text: broken.to_string(),
            });
        }
        // What is behind a broken link was not compared with the entries.
        if unchained.lost > 0 {
            let text = format!(
                "{} entries have no link and do not wait for one: links were removed from the end, or the queue was changed",
                unchained.lost
            );
            problems.push(Problem { kind: "links_lost", position: None, entry: None, text });
        }
        let mut notes = Vec::new();
        if keys.is_none() && head.is_some() {
            notes.push("the signatures were not checked: keys.sealing is not set".to_owned());
        }
        for (key, count) in unknown_keys {
            let covered = if signed.is_some() && head.as_ref().map(|head| head.position) == *signed {
                "the links after them, which are signed by a known key, cover them"
            } else {
                "nothing proves them: add the key to keys.sealing for this command, if it still exists"
            };
            notes.push(format!(
                "{count} links are signed by the key {key}, which keys.sealing does not have: {covered}"
            ));
        }
        if let Some(checkpoint) = checkpoint {
            let until = checkpoint.entry_created_at.date();
            notes
                .push(format!("the entries up to position {}, of {until}, were purged", checkpoint.position));
        }
        Self {
            organization: organization.slug.to_string(),
            mode: mode.as_str(),
            is_intact: problems.is_empty(),
            problems,
            links: *links,
            checkpoint: checkpoint.as_ref().map(|link| link.position),
            head: head.as_ref().map(|link| link.position),
            signed_until: *signed,
            notes,
            waiting: unchained.waiting,
            waiting_since: unchained.oldest.map(timestamp),
        }
    }

    /// Compares an exported link with the one at its position.
    fn compare(&mut self, head: &Head, link: Option<&Link>) {
        let Head { position, digest, chained_at, .. } = head;
        let (kind, text) = match link {
            Some(link) if hex::encode(&link.digest) == *digest => return,
            Some(_) => ("head_changed", "is another one now: the chain was written anew"),
            None if self.checkpoint.is_some_and(|checkpoint| checkpoint > *position) => {
                self.notes.push(format!("the exported link at position {position} was purged since"));
                return;
            }
            None => ("head_missing", "is gone: links were removed from the end"),
        };
        let text = format!("position {position}: the exported link of {} {text}", timestamp(*chained_at));
        self.problems.push(Problem { kind, position: Some(*position), entry: None, text });
    }

    /// Returns it for people, each line with the chain's name.
    fn text(&self) -> String {
        let name = format!("{} {}", self.organization, self.mode);
        let state = if self.is_intact { "intact" } else { "NOT INTACT" };
        let head = self.head.map_or(String::new(), |head| format!(" up to position {head}"));
        let waiting = (self.waiting > 0).then(|| {
            let since = self.waiting_since.as_deref().unwrap_or("?");
            format!("{} entries are not chained yet, the oldest of {since}", self.waiting)
        });
        let lines = [format!("{state}, {} entries checked{head}", self.links)]
            .into_iter()
            .chain(self.problems.iter().map(|problem| problem.text.clone()))
            .chain(self.notes.iter().cloned())
            .chain(waiting);
        let lines: Vec<_> = lines.map(|line| format!("{name}: {line}\n")).collect();
        lines.concat()
    }
}

/// Returns the link at this position, if there is one.
async fn link_at(store: &PostgresStore, scope: Scope, position: i64) -> anyhow::Result<Option<Link>> {
    let found = store.read_chain(scope, position.saturating_sub(1), 1).await?.pop();
    Ok(found.map(|chained| chained.link).filter(|link| link.position == position))
}

/// Prints the last link of each chain.
pub async fn print_heads(scopes: &Scopes, store: &PostgresStore) -> anyhow::Result<()> {
    for (organization, scope) in scopes.read(store).await? {
        let Some(link) = store.chain_head(scope).await? else { continue };
        let head = Head {
            organization: organization.slug.to_string(),
            mode: scope.mode.as_str().to_owned(),
            position: link.position,
            digest: hex::encode(link.digest),
            chained_at: link.chained_at,
        };
        print(&format!("{}\n", serde_json::to_string(&head)?))?;
    }
    Ok(())
}

fn read_heads(path: &PathBuf) -> anyhow::Result<Vec<Head>> {
    let text = fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let parse = |(line, number): (&str, usize)| {
        let context = || format!("line {number} of {} is not a line of `rekey audit heads`", path.display());
        serde_json::from_str(line).with_context(context)
    };
    lines.map(parse).collect()
}
