//! `rekey client`.

use clap::{
    Args, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use rekey_core::{
    administration::{Administration, NewClient},
    clients::{
        ClientChange, ClientKind, ClientPermissions, RegisteredClient,
        origin::{AllowedOrigin, InvalidOrigin},
    },
    name::DisplayName,
    organizations::Slug,
    scope::Mode,
};
use rekey_runtime::config::Source;

use super::{administration, mode};

/// The commands on API clients.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Register an API client. An integration's secret is printed once and can't be shown again.
    Create(CreateClient),
    /// Change what an API client may do, and the origins of its scripts. A running API knows within seconds.
    Update(UpdateClient),
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
    /// What a sales channel may do, separated by commas; sign-in unless you choose.
    #[arg(long, value_name = "PERMISSIONS", value_delimiter = ',')]
    allow: Vec<Allowed>,
    /// The same as `--allow self-service,sign-in`.
    #[arg(long, conflicts_with = "allow")]
    self_service: bool,
    /// A web origin whose scripts may read this client's responses, such as `https://shop.example`; may be repeated. `*` is every
    /// origin.
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<AllowedOrigin>,
}

/// The arguments of `rekey client update`. A value replaces all earlier ones of its option; an option that is missing changes nothing.
#[derive(Debug, Args)]
pub struct UpdateClient {
    /// The client's OAuth identifier.
    client_id: String,
    /// All that the sales channel may do from now on, separated by commas.
    #[arg(long, value_name = "PERMISSIONS", value_delimiter = ',', required_unless_present = "origins")]
    allow: Vec<Allowed>,
    /// All web origins whose scripts may read this client's responses from now on; may be repeated. `*` is every origin, `none` is
    /// none.
    #[arg(long = "origin", value_name = "ORIGIN", value_parser = origin)]
    origins: Vec<Option<AllowedOrigin>>,
}

/// A permission of a sales channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Allowed {
    /// Guests ask for a reset by e-mail address.
    SelfService,
    /// Customers sign in.
    SignIn,
    /// Guests create customers, which shows whether an address has an account.
    SignUp,
    /// Nothing: alone, it only sets passwords by the links in mails.
    None,
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
        ClientCommand::Update(UpdateClient { client_id, allow, origins }) => {
            let change = ClientChange {
                permissions: permissions(&allow),
                allowed_origins: (!origins.is_empty()).then(|| origins.into_iter().flatten().collect()),
            };
            let client = administration.update_client(&client_id, change).await?;
            println!("Allowed: {}. Origins: {}.", allowed(&client), listed_origins(&client));
        }
        ClientCommand::List => list(&administration).await?,
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

async fn list(administration: &Administration) -> anyhow::Result<()> {
    let clients = administration.clients().await?;
    println!(
        "{:<46}{:<20}{:<15}{:<6}{:<30}{:<9}{:<31} NAME",
        "CLIENT ID", "ORGANIZATION", "KIND", "MODE", "ALLOWED", "STATE", "ORIGINS"
    );
    for client in clients {
        let state = if client.revoked_at.is_some() { "revoked" } else { "active" };
        println!(
            "{:<46}{:<20}{:<15}{:<6}{:<30}{state:<9}{:<31} {}",
            client.client_id,
            client.organization.slug.as_str(),
            client.kind.as_str(),
            client.scope.mode.as_str(),
            allowed(&client),
            listed_origins(&client),
            client.name
        );
    }
    Ok(())
}

/// Returns what a client may do; an integration may do all.
fn allowed(client: &RegisteredClient) -> String {
    match client.kind {
        ClientKind::Integration => "all".to_owned(),
        ClientKind::SalesChannel => listed(client.permissions.names()),
    }
}

fn listed_origins(client: &RegisteredClient) -> String {
    listed(client.allowed_origins.iter().map(AllowedOrigin::as_str))
}

fn listed<'a>(values: impl Iterator<Item = &'a str>) -> String {
    let values: Vec<_> = values.collect();
    if values.is_empty() { "none".to_owned() } else { values.join(",") }
}

/// Returns the permissions of the option, if it was given.
fn permissions(allow: &[Allowed]) -> Option<ClientPermissions> {
    (!allow.is_empty()).then(|| ClientPermissions {
        self_service: allow.contains(&Allowed::SelfService),
        sign_in: allow.contains(&Allowed::SignIn),
        sign_up: allow.contains(&Allowed::SignUp),
    })
}

fn kind() -> impl TypedValueParser<Value = ClientKind> {
    PossibleValuesParser::new(["integration", "sales-channel"])
        .try_map(|kind| ClientKind::parse(&kind.replace('-', "_")).ok_or("unknown kind"))
}

/// Parses an origin, or `none`.
fn origin(text: &str) -> Result<Option<AllowedOrigin>, String> {
    match text {
        "none" => Ok(None),
        _ => text.parse().map(Some).map_err(|error: InvalidOrigin| error.to_string()),
    }
}

impl From<CreateClient> for NewClient {
    fn from(create: CreateClient) -> Self {
        let CreateClient { organization, kind, mode, name, allow, self_service, origins } = create;
        let allow = if self_service { vec![Allowed::SelfService, Allowed::SignIn] } else { allow };
        let permissions = permissions(&allow);
        Self { organization, mode, name, kind, permissions, allowed_origins: origins }
    }
}
