//! The operator's commands on the production database.

mod client;

use std::sync::Arc;

use anyhow::Context;
use clap::{
    Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use rekey_core::{
    administration::Administration,
    clock::SystemClock,
    error::CreateError,
    name::DisplayName,
    organizations::{Organization, OrganizationStore, Slug},
    random::OsRandom,
    scope::Mode,
};
use rekey_runtime::config::{Configuration, Source, ToolSettings};
use rekey_store_postgres::PostgresStore;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::json;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

pub use self::client::{ClientCommand, client};
use crate::output::{NothingFound, Output, Row, timestamp};

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
    /// Show one organization.
    Show {
        /// Its slug.
        slug: Slug,
    },
    /// Change an organization's name: mails and pages have it from then on.
    Update {
        /// Its slug.
        slug: Slug,
        /// Its name, as customers read it in mails and on pages: up to 100 characters.
        #[arg(long)]
        name: DisplayName,
    },
}

/// Parses a time, to the microseconds that the stores keep.
pub fn parse_time(text: &str) -> Result<OffsetDateTime, String> {
    let expected = |_| "expected a time such as 2026-11-29T03:00:00Z".to_owned();
    let parsed = OffsetDateTime::parse(text, &Rfc3339).map_err(expected)?;
    Ok(parsed - Duration::nanoseconds(i64::from(parsed.nanosecond() % 1_000)))
}

/// Parses a mode.
pub fn mode() -> impl TypedValueParser<Value = Mode> {
    PossibleValuesParser::new(["test", "live"]).try_map(|mode| Mode::parse(&mode).ok_or("unknown mode"))
}

/// Runs `rekey migrate`.
pub async fn migrate(source: &Source, output: Output) -> anyhow::Result<()> {
    let store = connect(source).await?;
    store.migrate().await.context("the database could not be brought up to date")?;
    output.record(&json!({ "is_up_to_date": true }), "The database is up to date.\n")
}

/// Runs `rekey organization`.
pub async fn organization(
    command: OrganizationCommand,
    source: &Source,
    output: Output,
) -> anyhow::Result<()> {
    let administration = administration(source).await?;
    match command {
        OrganizationCommand::Create { slug, name } => {
            let created = administration.create_organization(slug.clone(), name).await;
            let organization = created.map_err(|error| match error {
                CreateError::Taken => anyhow::anyhow!("the slug {slug} is taken"),
                CreateError::Store(error) => error.into(),
            })?;
            let text = format!("id={}\nslug={}\n", organization.id, organization.slug);
            output.record(&OrganizationRow::from(&organization), &text)
        }
        OrganizationCommand::List => {
            let organizations = administration.organizations().await?;
            output.list(&organizations.iter().map(OrganizationRow::from).collect::<Vec<_>>())
        }
        OrganizationCommand::Show { slug } => {
            let found = find_organization(&*administration.store, &slug).await?;
            output.show(&OrganizationRow::from(&found))
        }
        OrganizationCommand::Update { slug, name } => {
            let organization = administration.rename_organization(&slug, &name).await?;
            output.show(&OrganizationRow::from(&organization))
        }
    }
}

/// An organization as it is printed.
#[derive(Serialize)]
struct OrganizationRow<'a> {
    id: &'a str,
    slug: &'a str,
    name: &'a str,
    created_at: String,
}

impl<'a> From<&'a Organization> for OrganizationRow<'a> {
    fn from(organization: &'a Organization) -> Self {
        let Organization { id, slug, name, created_at } = organization;
        Self { id: id.as_str(), slug: slug.as_str(), name, created_at: timestamp(*created_at) }
    }
}

impl Row for OrganizationRow<'_> {
    const COLUMNS: &'static [&'static str] = &["ID", "SLUG", "CREATED", "NAME"];

    fn cells(&self) -> Vec<String> {
        vec![self.id.to_owned(), self.slug.to_owned(), self.created_at.clone(), self.name.to_owned()]
    }
}

/// Connects to the production database, which must answer.
pub async fn connect(source: &Source) -> anyhow::Result<PostgresStore> {
    let ToolSettings { database, .. } = Configuration::load(source)?.settings()?;
    // A command does one thing at a time.
    let store = PostgresStore::connect(database.url.expose_secret(), 1, database.acquire_timeout)?;
    store.check().await.context("the database can't be used")?;
    Ok(store)
}

/// Returns the organization with that slug.
pub async fn find_organization(
    store: &(impl OrganizationStore + ?Sized),
    slug: &Slug,
) -> anyhow::Result<Organization> {
    let organizations = store.organizations().await?;
    let found = organizations.into_iter().find(|organization| organization.slug == *slug);
    found.ok_or_else(|| NothingFound(format!("no organization has the slug {slug}")).into())
}

/// Connects the operator's use cases to the production database.
pub async fn administration(source: &Source) -> anyhow::Result<Administration> {
    Ok(Administration {
        store: Arc::new(connect(source).await?),
        clock: Arc::new(SystemClock),
        random: Arc::new(OsRandom),
    })
}
