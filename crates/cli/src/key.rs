//! `rekey key`: the keys that sign access tokens and seal what is stored. Nothing here writes to a secret that a program reads: the operator
//! replaces it by the file that a command has made.

mod list;
mod material;

use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use rekey_core::key_rotation::KeyKind;
use rekey_runtime::config::{Configuration, Source};
use zeroize::Zeroizing;

use self::material::Keys;
pub use self::{
    list::{Usage, usage},
    material::KeySettings,
};
use crate::{
    operator,
    output::{Output, note, print},
};

/// The commands on keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// List the keys of the configuration and those that the API was started with, and what still needs each.
    List,
    /// Make the next state of a list of keys: with a new key behind the others, or with `--activate` in front.
    Rotate(Rotate),
    /// Make a list of keys without this one, which nothing may need any more.
    Retire(Retire),
}

/// A list of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Those that sign access tokens: `auth.signing_keys`.
    Signing,
    /// Those that encrypt what is stored, and sign events and the audit log: `keys.sealing`.
    Sealing,
}

/// The arguments of `rekey key rotate`.
#[derive(Debug, Args)]
pub struct Rotate {
    kind: Kind,
    /// Put this key in front, which is in the list already and known to all processes.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    activate: Option<String>,
    #[command(flatten)]
    file: NewFile,
}

/// The arguments of `rekey key retire`.
#[derive(Debug, Args)]
pub struct Retire {
    #[arg(allow_hyphen_values = true)]
    id: String,
    /// Retire it although something needs it, because it has leaked.
    #[arg(long)]
    leaked: bool,
    #[command(flatten)]
    file: NewFile,
}

/// Where the new list goes.
#[derive(Debug, Args)]
pub struct NewFile {
    /// A new file for the list (0600). An existing one is not replaced. Without it, the list is printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs a command.
pub async fn run(command: KeyCommand, source: &Source, output: Output) -> anyhow::Result<()> {
    let settings: KeySettings = Configuration::load(source)?.settings()?;
    match command {
        KeyCommand::List => list::print(&settings, &operator::connect(source).await?, output).await,
        KeyCommand::Rotate(rotate) => rotate.run(&settings),
        KeyCommand::Retire(retire) => retire.run(&settings, source).await,
    }
}

impl Rotate {
    fn run(self, settings: &KeySettings) -> anyhow::Result<()> {
        let mut keys = settings.keys(self.kind)?;
        let wait = settings.retire_seconds();
        let (id, next) = if let Some(id) = self.activate {
            anyhow::ensure!(
                keys.move_to_front(&id),
                "{} has no key {id}: `rekey key list` shows them",
                keys.setting()
            );
            let next = match self.kind {
                Kind::Signing => format!("after {wait} s, when the tokens of the older key have expired"),
                Kind::Sealing => "when `rekey key list` shows that nothing needs the older key".to_owned(),
            };
            (id, format!("{next}: rekey key retire OLDER_ID"))
        } else {
            let id = keys.add()?;
            let wait = match self.kind {
                // As long as clients keep the published keys.
                Kind::Signing => "300 s later",
                Kind::Sealing => "once all processes of rekey-api and rekey-mailer have it",
            };
            let name =
                self.kind.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
            (id.clone(), format!("{wait}: rekey key rotate {name} --activate {id}"))
        };
        self.file.write(&keys)?;
        note(&format!(
            "Key {id}. Give the list to all processes as {}, and replace them one after the other.\nNext, {next}",
            keys.setting()
        ));
        Ok(())
    }
}

impl Retire {
    async fn run(self, settings: &KeySettings, source: &Source) -> anyhow::Result<()> {
        let Self { id, leaked, file } = self;
        let mut lists =
            [Kind::Signing, Kind::Sealing].into_iter().filter_map(|kind| settings.keys(kind).ok());
        let keys = lists.find(|keys| keys.ids().contains(&id));
        let mut keys = keys.with_context(|| {
            format!("neither auth.signing_keys nor keys.sealing has a key {id}: `rekey key list` shows them")
        })?;
        anyhow::ensure!(keys.ids().len() > 1, "{id} is the only key of {}: rotate it first", keys.setting());
        anyhow::ensure!(
            leaked || keys.ids().first() != Some(&id),
            "{id} is in use: put another key in front first, with `rekey key rotate --activate`"
        );
        if !leaked {
            let Usage { known, sealed } = usage(&operator::connect(source).await?).await?;
            let kind = keys.key_kind();
            if let Some(known) = known.iter().find(|known| known.kind == kind) {
                anyhow::ensure!(
                    known.ids.first() != Some(&id),
                    "rekey-api was started with {id} in front last: replace its processes first"
                );
                let left = settings.retire_seconds().saturating_sub(known.age);
                anyhow::ensure!(
                    kind == KeyKind::SealingKeys || left <= 0,
                    "tokens of {id} may be valid for another {left} s: retire it then"
                );
            }
            if let Some(needs) =
                sealed.iter().find(|needs| needs.key_id == id && kind == KeyKind::SealingKeys)
            {
                anyhow::ensure!(
                    needs.resets + needs.events + needs.answers + needs.webhooks == 0,
                    "{id} is still needed by {} pending resets, {} events, {} stored answers and {} secrets and deliveries of webhooks: the former \
                     end with resets.token_life_seconds and server.idempotency_key_seconds, the secrets with `rekey webhook reseal`; `--leaked` \
                     retires it all the same",
                    needs.resets,
                    needs.events,
                    needs.answers,
                    needs.webhooks
                );
            }
        }
        keys.remove(&id);
        file.write(&keys)?;
        note(&format!(
            "Without {id}. Give the list to all processes as {}, and replace them one after the other.",
            keys.setting()
        ));
        Ok(())
    }
}

impl NewFile {
    fn write(&self, keys: &Keys) -> anyhow::Result<()> {
        let text: Zeroizing<String> = keys.text();
        let Some(path) = &self.out else {
            return print(&format!("{}\n", text.as_str()));
        };
        let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = created.with_context(|| format!("{} can't be created", path.display()))?;
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| file.sync_all());
        written.with_context(|| format!("{} can't be written", path.display()))
    }
}
