//! The operator's commands on the production database.

use std::sync::Arc;

use anyhow::Context;
use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
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

/// The commands on API clients.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Register an API client. An integration's secret is printed once and can't be shown again.
    Create(CreateClient),
    /// List all API clients.
    List,
    /// Revoke an API client: it gets no more tokens, and those it has expire within seconds.
    Revoke {
        /// The client's OAuth identifier.
        client_id: String,
    },
}

/// The arguments of `rekey client create`.
#[derive(Debug, Args)]
pub struct CreateClient {
    /// The organization's slug.
    #[arg(long)]
    organization: Slug,
    /// Its kind: a trusted back end with a secret, or a storefront without one.
    #[arg(long, value_parser = kind())]
    kind: ClientKind,
    /// Test or live data. Mails of test data go to the mailer's `mailbox.directory`, never to a relay.
    #[arg(long, default_value = "live", value_parser = mode())]
    mode: Mode,
    /// Its name, for operators.
    #[arg(long)]
    name: DisplayName,
    /// Lets guests of this sales channel request a reset by e-mail address.
    #[arg(long)]
    self_service: bool,
    /// A web origin whose scripts may read this client's responses, such as `https://shop.example`; may be repeated. `*` is every
    /// origin.
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<AllowedOrigin>,
}

/// Parses a mode.
pub fn mode() -> impl TypedValueParser<Value = Mode> {
    PossibleValuesParser::new(["test", "live"]).try_map(|mode| Mode::parse(&mode).ok_or("unknown mode"))
}

fn kind() -> impl TypedValueParser<Value = ClientKind> {
    PossibleValuesParser::new(["integration", "sales-channel"])
        .try_map(|kind| ClientKind::parse(&kind.replace('-', "_")).ok_or("unknown kind"))
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

/// Runs `rekey client`.
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
    for client in clients {
        let self_service = if client.self_service { "on" } else { "off" };
        let state = if client.revoked_at.is_some() { "revoked" } else { "active" };
        let origins: Vec<_> = client.allowed_origins.iter().map(AllowedOrigin::as_str).collect();
        let origins = if origins.is_empty() { "none".to_owned() } else { origins.join(",") };
        println!(
            "{:<46}{:<20}{:<15}{:<6}{self_service:<14}{state:<9}{origins:<31} {}",
            client.client_id,
            client.organization.slug.as_str(),
            client.kind.as_str(),
            client.scope.mode.as_str(),
            client.name
        );
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

impl From<CreateClient> for NewClient {
    fn from(create: CreateClient) -> Self {
        let CreateClient { organization, kind, mode, name, self_service, origins } = create;
        Self { organization, mode, name, kind, self_service, allowed_origins: origins }
    }
}
