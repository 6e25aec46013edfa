//! The operator's commands on the production database.

mod client;

use std::sync::Arc;

use anyhow::Context;
use clap::{
    Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use rekey_core::{
    administration::Administration, clock::SystemClock, error::CreateError, name::DisplayName,
    organizations::Slug, random::OsRandom, scope::Mode,
};
use rekey_runtime::config::{Configuration, Source, ToolSettings};
use rekey_store_postgres::PostgresStore;
use secrecy::ExposeSecret;

pub use self::client::{ClientCommand, client};

/// The commands on organizations.
#[derive(Debug, Subcommand)]
pub enum OrganizationCommand {
    /// Create an organization.
    Create {
        /// Its unique short name: 1 to 63 of a-z, 0-9 and -.
        #[arg(long)]
        slug: Slug,
        /// Its name, as customers read it in mails and on pages: up to 100 characters.
        #[arg(long)]
        name: DisplayName,
    },
    /// List all organizations.
    List,
}

/// Parses a mode.
pub fn mode() -> impl TypedValueParser<Value = Mode> {
    PossibleValuesParser::new(["test", "live"]).try_map(|mode| Mode::parse(&mode).ok_or("unknown mode"))
}

/// Runs `rekey migrate`.
pub async fn migrate(source: &Source) -> anyhow::Result<()> {
    let store = connect(source).await?;
    store.migrate().await.context("the database could not be brought up to date")?;
    println!("The database is up to date.");
    Ok(())
}

/// Runs `rekey organization`.
pub async fn organization(command: OrganizationCommand, source: &Source) -> anyhow::Result<()> {
    let administration = administration(source).await?;
    match command {
        OrganizationCommand::Create { slug, name } => {
            let created = administration.create_organization(slug.clone(), name).await;
            let organization = created.map_err(|error| match error {
                CreateError::Taken => anyhow::anyhow!("the slug {slug} is taken"),
                CreateError::Store(error) => error.into(),
            })?;
            println!("id={}\nslug={}", organization.id, organization.slug);
        }
        OrganizationCommand::List => {
            let organizations = administration.organizations().await?;
            println!("{:<12}{:<24}NAME", "ID", "SLUG");
            for organization in organizations {
                println!("{:<12}{:<24}{}", organization.id, organization.slug, organization.name);
            }
        }
    }
    Ok(())
}

/// Connects to the production database, which must answer.
pub async fn connect(source: &Source) -> anyhow::Result<PostgresStore> {
    let ToolSettings { database, .. } = Configuration::load(source)?.settings()?;
    // A command does one thing at a time.
    let store = PostgresStore::connect(database.url.expose_secret(), 1, database.acquire_timeout)?;
    store.check().await.context("the database can't be used")?;
    Ok(store)
}

/// Connects the operator's use cases to the production database.
pub async fn administration(source: &Source) -> anyhow::Result<Administration> {
    Ok(Administration {
        store: Arc::new(connect(source).await?),
        clock: Arc::new(SystemClock),
        random: Arc::new(OsRandom),
    })
}
