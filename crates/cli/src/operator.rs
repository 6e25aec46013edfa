//! The operator's commands, on the production database.

use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use rekey_core::{
    administration::{Administration, NewClient},
    clients::{ClientKind, origin::AllowedOrigin},
    clock::SystemClock,
    error::CreateError,
    name::DisplayName,
    organizations::Slug,
    random::OsRandom,
    scope::Mode,
};
use rekey_runtime::config::{Configuration, Source, ToolSettings};
use rekey_store_postgres::PostgresStore;
use secrecy::ExposeSecret;

/// What can be done with organizations.
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

/// What can be done with API clients.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Register an API client. An integration's secret is printed once and can't be read again.
    Create(CreateClient),
    /// List all API clients.
    List,
    /// Revoke an API client: it gets no token any more, and those it has die within seconds.
    Revoke {
        /// The client's OAuth identifier.
        client_id: String,
    },
}

/// The API client to register.
#[derive(Debug, Args)]
pub struct CreateClient {
    /// The organization's slug.
    #[arg(long)]
    organization: Slug,
    /// What it is for: a trusted back end with a secret, or a storefront without one.
    #[arg(long)]
    kind: Kind,
    /// Test or live data. Mails of test data go to the mailer's `mailbox.directory`, never to a relay.
    #[arg(long, default_value = "live")]
    mode: ModeArgument,
    /// A name to know it by.
    #[arg(long)]
    name: DisplayName,
    /// Lets guests of this sales channel ask for a reset by e-mail address.
    #[arg(long)]
    self_service: bool,
    /// A web origin whose scripts may read this client's answers, such as `https://shop.example`; may be given several times. `*`
    /// is every origin.
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<AllowedOrigin>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Integration,
    SalesChannel,
}

/// Test or live, on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ModeArgument {
    Test,
    Live,
}

/// `rekey migrate`.
pub async fn migrate(source: &Source) -> anyhow::Result<()> {
    let store = connect(source).await?;
    store.migrate().await.context("the database could not be brought up to date")?;
    println!("The database is up to date.");
    Ok(())
}

/// `rekey organization …`.
pub async fn organization(command: OrganizationCommand, source: &Source) -> anyhow::Result<()> {
    let administration = administration(source).await?;
    match command {
        OrganizationCommand::Create { slug, name } => {
            let created = administration.create_organization(slug.clone(), name).await;
            let organization = created.map_err(|error| taken(error, &format!("the slug {slug} is taken")))?;
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

/// `rekey client …`.
pub async fn client(command: ClientCommand, source: &Source) -> anyhow::Result<()> {
    let administration = administration(source).await?;
    match command {
        ClientCommand::Create(create) => {
            let (client, secret) = administration.create_client(create.into()).await?;
            println!("CLIENT_ID={}", client.client_id);
            if let Some(secret) = secret {
                println!("CLIENT_SECRET={}", secret.expose());
            }
        }
        ClientCommand::List => list_clients(&administration).await?,
        ClientCommand::Revoke { client_id } => {
            anyhow::ensure!(
                administration.revoke_client(&client_id).await?,
                "no client has the id {client_id}"
            );
            println!("Revoked.");
        }
    }
    Ok(())
}

async fn list_clients(administration: &Administration) -> anyhow::Result<()> {
    let clients = administration.clients().await?;
    println!(
        "{:<46}{:<20}{:<15}{:<6}{:<14}{:<9}{:<31} NAME",
        "CLIENT ID", "ORGANIZATION", "KIND", "MODE", "SELF-SERVICE", "STATE", "ORIGINS"
    );
    for registration in clients {
        let client = registration.client;
        let self_service = if client.self_service { "on" } else { "off" };
        let state = if client.revoked_at.is_some() { "revoked" } else { "active" };
        let origins: Vec<_> = client.allowed_origins.iter().map(AllowedOrigin::as_str).collect();
        let origins = if origins.is_empty() { "none".to_owned() } else { origins.join(",") };
        println!(
            "{:<46}{:<20}{:<15}{:<6}{self_service:<14}{state:<9}{origins:<31} {}",
            client.client_id,
            registration.organization.slug.as_str(),
            client.kind.as_str(),
            client.scope.mode.as_str(),
            client.name
        );
    }
    Ok(())
}

/// The production database, once it has answered.
pub async fn connect(source: &Source) -> anyhow::Result<PostgresStore> {
    let ToolSettings { database, .. } = Configuration::load(source)?.settings()?;
    // A tool does one thing at a time.
    let store = PostgresStore::connect(database.url.expose_secret(), 1, database.acquire_timeout)?;
    let reached = tokio::time::timeout(database.acquire_timeout, store.reach()).await;
    reached.context("the database does not answer")?.context("the database can't be used")?;
    Ok(store)
}

/// The operator's use cases, on the production database.
pub async fn administration(source: &Source) -> anyhow::Result<Administration> {
    Ok(Administration {
        store: Arc::new(connect(source).await?),
        clock: Arc::new(SystemClock),
        random: Arc::new(OsRandom),
    })
}

fn taken(error: CreateError, message: &str) -> anyhow::Error {
    match error {
        CreateError::Taken => anyhow::anyhow!("{message}"),
        CreateError::Store(error) => error.into(),
    }
}

impl From<ModeArgument> for Mode {
    fn from(argument: ModeArgument) -> Self {
        match argument {
            ModeArgument::Test => Self::Test,
            ModeArgument::Live => Self::Live,
        }
    }
}

impl From<CreateClient> for NewClient {
    fn from(create: CreateClient) -> Self {
        let kind = match create.kind {
            Kind::Integration => ClientKind::Integration,
            Kind::SalesChannel => ClientKind::SalesChannel,
        };
        Self {
            organization: create.organization,
            mode: create.mode.into(),
            name: create.name,
            kind,
            self_service: create.self_service,
            allowed_origins: create.origins,
        }
    }
}
