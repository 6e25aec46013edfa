//! `rekey audit`: the audit log and its chain.

mod list;
mod verify;

use clap::{Args, Subcommand};
use rekey_core::{
    organizations::{Organization, OrganizationStore, Slug},
    scope::{Mode, Scope},
};
use rekey_runtime::config::{AuditSettings, Configuration, Source};
use rekey_store_postgres::PostgresStore;

use crate::{operator, output::Output};

/// The commands on the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// List entries, the newest first.
    List(list::List),
    /// Check that no entry was changed, removed or inserted since it was chained. The exit code is 1 if one was.
    Verify(verify::Verify),
    /// Print the last link of each chain as a line of JSON, to be kept elsewhere for `rekey audit verify --compare`.
    Heads(Scopes),
}

/// The organizations and modes of a command.
#[derive(Debug, Args)]
pub struct Scopes {
    /// Only this organization's entries, by its slug.
    #[arg(long)]
    organization: Option<Slug>,
    /// Only test or live data.
    #[arg(long, value_parser = operator::mode())]
    mode: Option<Mode>,
}

impl Scopes {
    /// Returns the scopes, each with its organization.
    async fn read(&self, store: &PostgresStore) -> anyhow::Result<Vec<(Organization, Scope)>> {
        let organizations = match &self.organization {
            Some(slug) => vec![operator::find_organization(store, slug).await?],
            None => store.organizations().await?,
        };
        let modes =
            [Mode::Live, Mode::Test].into_iter().filter(|mode| self.mode.is_none_or(|own| own == *mode));
        let scopes = organizations.into_iter().flat_map(|organization| {
            let id = organization.id;
            modes.clone().map(move |mode| (organization.clone(), Scope { organization: id, mode }))
        });
        Ok(scopes.collect())
    }
}

/// Runs a command on the production database.
pub async fn run(command: AuditCommand, source: &Source, output: Output) -> anyhow::Result<()> {
    let settings: AuditSettings = Configuration::load(source)?.settings()?;
    let store = operator::connect(source).await?;
    match command {
        AuditCommand::List(list) => list.run(&store, output).await,
        AuditCommand::Verify(verify) => verify.run(&store, settings, output).await,
        AuditCommand::Heads(scopes) => verify::print_heads(&scopes, &store).await,
    }
}
